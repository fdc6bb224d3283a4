internal import CCohortProcess
internal import Glibc

/// The kernel's lists of this process's children, one for each thread, kept open so that a look costs one read.
///
/// Orphans are adopted by the oldest thread that lives. The owner's thread never ends, so that only threads at least as
/// old as it can adopt: those found when this value is made. While an older one lives, the list of the owner's thread
/// holds nothing but what it has started itself.
struct ChildLists {
    /// A child and the thread whose child it is; nil where that is not known.
    typealias Entry = (pid: Int32, thread: Int32?)

    private var older: [(thread: Int32, descriptor: Int32)] = []
    private var own: (thread: Int32, descriptor: Int32)?
    private var ownMayAdopt = true

    private init(none: Void) {}

    /// No lists, until the owner's thread runs.
    static var none: ChildLists { ChildLists(none: ()) }

    /// To be made on the owner's thread.
    init() {
        let ownThread = cohort_thread_id()
        for thread in ProcFile.numbers(in: "/proc/self/task") {
            let descriptor = open("/proc/self/task/\(thread)/children", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if thread == ownThread {
                own = (thread: thread, descriptor: descriptor)
            } else {
                older.append((thread: thread, descriptor: descriptor))
            }
        }
        refresh()
    }

    /// Looks which of the threads still live.
    mutating func refresh() {
        let gone = older.filter { ProcFile.hasEnded("/proc/self/task/\($0.thread)/stat") }
        for (thread, descriptor) in gone {
            Glibc.close(descriptor)
            older.removeAll { $0.thread == thread }
        }
        ownMayAdopt = older.isEmpty
    }

    /// All children that may be adopted ones.
    func adoptionCandidates() -> [Entry] {
        children(includingOwn: ownMayAdopt)
    }

    /// The children of all these threads.
    func all() -> [Entry] {
        children(includingOwn: true)
    }

    func close() {
        for (_, descriptor) in older {
            Glibc.close(descriptor)
        }
        if let own {
            Glibc.close(own.descriptor)
        }
    }

    private func children(includingOwn: Bool) -> [Entry] {
        guard let own else {
            // The kernel keeps no such lists; all of /proc has to be searched.
            return ProcessTree.children(of: getpid()).map { (pid: $0, thread: nil) }
        }
        var children: [Entry] = []
        for (thread, descriptor) in older + (includingOwn ? [own] : []) {
            guard let text = ProcFile.read(descriptor), !text.isEmpty else { continue }
            children.append(contentsOf: ProcFile.numbers(in: text).lazy.map { (pid: $0, thread: thread) })
        }
        return children
    }
}
