internal import CCohortProcess
internal import Glibc

/// The kernel's lists of this process's children, one for each thread, kept open so that a look costs one read.
///
/// Orphans are adopted by the oldest thread that lives. The owner's thread never ends, so that only threads at least as
/// old as it can adopt: those found when this value is made. While an older one lives, the list of the owner's thread
/// holds nothing but what it has started itself.
struct ChildLists {
    private var older: [(thread: Int32, descriptor: Int32)] = []
    private var own: Int32 = -1
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
                own = descriptor
            } else {
                older.append((thread: thread, descriptor: descriptor))
            }
        }
        refresh()
    }

    /// Whether the kernel keeps such lists. If not, /proc is searched instead.
    private var isSupported: Bool { own >= 0 }

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
    func adoptionCandidates() -> [Int32] {
        children(includingOwn: ownMayAdopt)
    }

    /// The children of all these threads.
    func all() -> [Int32] {
        children(includingOwn: true)
    }

    func close() {
        for (_, descriptor) in older {
            Glibc.close(descriptor)
        }
        if own >= 0 {
            Glibc.close(own)
        }
    }


    private func children(includingOwn: Bool) -> [Int32] {
        guard isSupported else { return ProcessTree.children(of: getpid()) }
        var children: [Int32] = []
        for (_, descriptor) in older {
            append(from: descriptor, to: &children)
        }
        if includingOwn {
            append(from: own, to: &children)
        }
        return children
    }

    private func append(from descriptor: Int32, to children: inout [Int32]) {
        guard let text = ProcFile.read(descriptor), !text.isEmpty else { return }
        children.append(contentsOf: ProcFile.numbers(in: text))
    }
}
