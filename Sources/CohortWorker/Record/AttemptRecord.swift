package import CohortCore
internal import Glibc
internal import Synchronization

/// Memory that a worker shares with its supervisor and its call hosts: what must be known of it when it has been killed.
///
/// The supervisor makes it, one for each life of the worker. The worker enters an attempt before its program may begin and
/// strikes it out when the coordinator has acknowledged its end; whoever starts the program, the worker or a call
/// host, marks it as begun just before. What is marked when the worker is gone was executing, or its end may be
/// unknown to the coordinator; everything else that the worker had never began.
///
/// Each entry changes by single stores, so that a kill at any moment leaves it as it was or as it is to be. The memory is
/// unnamed and goes with the last process that maps it; pages that are not used take no room.
package final class AttemptRecord: Sendable {
    private enum Layout {
        static let magic: UInt64 = 0x3143_4552_484f_4301
        static let isLeaving = 64
        static let isIncomplete = 72
        static let used = 80
        static let noteVersion = 128
        static let notes = [1_024, 2_048]
        static let noteBytes = 1_024
        static let entries = 4_096
        static let entryBytes = 16
        static let size = entries + Int(capacity) * entryBytes
    }

    private enum State: UInt64 {
        /// It has been handed over and may begin.
        case assigned = 1
        case begun = 2
        /// It is over, and the coordinator has not acknowledged that.
        case ended = 3
    }

    /// How many attempts can stand in it at a time.
    package static let capacity: UInt32 = 1 << 20
    /// The number of no entry.
    package static let noEntry = UInt32.max

    private let memory: SharedMemory

    private init(_ memory: SharedMemory) {
        self.memory = memory
    }

    private var base: UnsafeMutableRawPointer { memory.base }

    /// Makes a record; returns it with the close-on-exec descriptor to pass on.
    package static func make() throws(CallPoolError) -> (record: AttemptRecord, descriptor: Int32) {
        let (memory, descriptor) = try SharedMemory.make(size: Layout.size, magic: Layout.magic)
        return (AttemptRecord(memory), descriptor)
    }

    /// Maps a record that was passed to this process; nil if `descriptor` is none.
    package static func open(_ descriptor: Int32) -> AttemptRecord? {
        SharedMemory.open(descriptor, size: Layout.size, magic: Layout.magic).map(AttemptRecord.init)
    }

    private func load(_ offset: Int) -> UInt64 { memory.word(offset).pointee.load(ordering: .acquiring) }

    private func store(_ value: UInt64, _ offset: Int) {
        memory.word(offset).pointee.store(value, ordering: .releasing)
    }

    // MARK: Attempts

    /// Enters an attempt at a place that is free.
    func assign(_ place: UInt32, _ ref: AttemptRef) {
        let offset = Self.offset(of: place)
        store(ref.task.raw, offset)
        store(UInt64(ref.attempt) << 32 | State.assigned.rawValue, offset + 8)
        if load(Layout.used) <= UInt64(place) { store(UInt64(place) + 1, Layout.used) }
    }

    /// What stands at a place that has been used.
    func attempt(at place: UInt32) -> AttemptRef {
        let offset = Self.offset(of: place)
        return AttemptRef(task: TaskKey(raw: load(offset)), attempt: UInt32(truncatingIfNeeded: load(offset + 8) >> 32))
    }

    /// The next instruction may be one of the attempt's program.
    func begin(_ place: UInt32) { change(place, to: .begun) }

    /// The attempt is over.
    func end(_ place: UInt32) { change(place, to: .ended) }

    /// Strikes an attempt out.
    func clear(_ place: UInt32) {
        guard place < Self.capacity else { return }
        store(0, Self.offset(of: place) + 8)
    }

    private func change(_ place: UInt32, to state: State) {
        guard place < Self.capacity else { return }
        let offset = Self.offset(of: place) + 8
        store(load(offset) & ~0xffff_ffff | state.rawValue, offset)
    }

    private static func offset(of place: UInt32) -> Int { Layout.entries + Int(place) * Layout.entryBytes }

    /// An attempt has found no room: from here on nobody can say what the worker was doing.
    func markIncomplete() { store(1, Layout.isIncomplete) }

    /// What has begun and whose end the coordinator may not know; nil if that cannot be told.
    package var begun: [AttemptRef]? {
        load(Layout.isIncomplete) == 0 ? attempts { $0 >= State.begun.rawValue } : nil
    }

    /// Whether an attempt is over of which the coordinator may just be learning.
    package var hasUnacknowledgedEnds: Bool { !attempts { $0 == State.ended.rawValue }.isEmpty }

    private func attempts(where isWanted: (UInt64) -> Bool) -> [AttemptRef] {
        (0..<UInt32(clamping: min(load(Layout.used), UInt64(Self.capacity)))).compactMap { place in
            let offset = Self.offset(of: place)
            let word = load(offset + 8)
            guard isWanted(word & 0xffff_ffff) else { return nil }
            return AttemptRef(task: TaskKey(raw: load(offset)), attempt: UInt32(truncatingIfNeeded: word >> 32))
        }
    }

    // MARK: The worker's life

    /// The worker ends because it was asked to, or because it can do nothing more: it has not died.
    package var isLeaving: Bool {
        get { load(Layout.isLeaving) != 0 }
        set { store(newValue ? 1 : 0, Layout.isLeaving) }
    }

    /// Who the worker is to the coordinator, and its session there if it has had one; nil while it has not greeted anybody.
    package var session: SessionNote? {
        get {
            let version = load(Layout.noteVersion)
            guard version > 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(start: base + Self.noteOffset(version), count: Layout.noteBytes)
            return SessionNote(line: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
        }
        set {
            // Beside the one that counts, so that this one counts only when it is whole.
            let version = load(Layout.noteVersion) + 1
            let bytes = UnsafeMutableRawBufferPointer(start: base + Self.noteOffset(version), count: Layout.noteBytes)
            let line = Array((newValue?.line ?? "").utf8)
            guard line.count < bytes.count else { return }
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.copyBytes(from: line)
            store(version, Layout.noteVersion)
        }
    }

    private static func noteOffset(_ version: UInt64) -> Int { Layout.notes[Int(version & 1)] }
}

/// Which session a worker has, for whoever must speak for it when it has died.
package struct SessionNote: Sendable, Equatable {
    package var endpoint: String
    /// 0, as is the session, while it has none.
    package var epoch: UInt64
    package var session: UInt64
    package var token: PeerToken

    package init(endpoint: String, epoch: UInt64, session: UInt64, token: PeerToken) {
        self.endpoint = endpoint
        self.epoch = epoch
        self.session = session
        self.token = token
    }

    var line: String { "\(epoch) \(session) \(token.value) \(endpoint)" }

    init?(line: String) {
        let fields = line.split(separator: " ", maxSplits: 3)
        guard fields.count == 4, let epoch = UInt64(fields[0]), let session = UInt64(fields[1]),
            let token = UInt64(fields[2])
        else { return nil }
        self.init(endpoint: String(fields[3]), epoch: epoch, session: session, token: PeerToken(token))
    }
}
