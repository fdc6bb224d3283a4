internal import CohortCore
internal import CohortWire

/// A coordinator's node and peers around it, with perfect connections between them.
struct NodePair {
    static let start = Instant(nanoseconds: 1_000_000_000)

    var coordinator: CoordinatorNode
    var peers: [PeerNode] = []
    var now = start
    /// Peers whose messages go nowhere, and that get none.
    var cut: Set<Int> = []
    /// Asked of each message on its way, in either direction: whether it is lost.
    var isLost: () -> Bool = { false }
    /// What has been committed.
    private(set) var disk = JournalState()
    /// Batches wait while it is false.
    var diskWorks = true
    private var unwritten: [JournalEntry] = []

    /// - Parameter isDurable: the coordinator keeps a journal.
    init(limits: Limits = Limits(), epoch: UInt64 = 7, isDurable: Bool = false) {
        let core = CoordinatorCore(limits: limits, keepsJournal: isDurable)
        coordinator = CoordinatorNode(core: core, epoch: epoch, name: "test")
    }

    /// The coordinator is killed, and started again with what is on disk.
    mutating func restart() {
        let core = CoordinatorCore(recovering: disk, limits: coordinator.core.limits, at: now)
        coordinator = CoordinatorNode(core: core, epoch: coordinator.epoch + 1, name: "test")
        unwritten = []
    }

    private mutating func write() {
        unwritten += coordinator.journal
        coordinator.journal.removeAll()
        guard diskWorks, let last = unwritten.last else { return }
        for entry in unwritten { disk.apply(entry.batch) }
        unwritten = []
        coordinator.committed(last.ticket)
    }

    static func client(_ token: UInt64 = 1) -> Greeting {
        Greeting(role: .client, name: "client", host: "here", processID: 1, token: PeerToken(token))
    }

    static func worker(_ token: UInt64 = 2, slots: UInt32 = 2) -> Greeting {
        let offer = WorkerOffer(
            name: "worker",
            host: "here",
            processID: 2,
            slots: slots,
            credit: slots,
            runsCommands: true,
            functions: []
        )
        return Greeting(role: .worker(offer), name: "worker", host: "here", processID: 2, token: PeerToken(token))
    }

    /// Adds a peer, which says hello with the next `run`.
    mutating func add(_ greeting: Greeting, patience: TimeSpan? = nil) -> Int {
        peers.append(PeerNode(greeting: greeting, at: now, patience: patience))
        return peers.count - 1
    }

    /// Passes messages to and fro until there are none.
    mutating func run() {
        var moved = true
        while moved {
            moved = false
            for index in peers.indices {
                peers[index].timeReached(at: now)
                let messages = peers[index].outgoing
                peers[index].outgoing.removeAll()
                guard !cut.contains(index) else { continue }
                for frames in messages {
                    moved = true
                    if !isLost() { coordinator.received(route: route(index), frames: frames, at: now) }
                }
            }
            coordinator.flush(at: now)
            write()
            let datagrams = coordinator.outgoing
            coordinator.outgoing.removeAll()
            for datagram in datagrams {
                let index = Int(datagram.route[0])
                guard peers.indices.contains(index), datagram.route == route(index), !cut.contains(index) else {
                    continue
                }
                moved = true
                if !isLost() { peers[index].received(frames: datagram.frames, at: now) }
            }
        }
    }

    /// A session's worth of time, in steps of a heartbeat.
    mutating func pass(_ span: TimeSpan, step: TimeSpan = .seconds(1)) {
        let end = now.advanced(by: span)
        while now < end {
            now = min(end, now.advanced(by: step))
            run()
        }
    }

    /// Of the peer's inbox, what it was sent.
    mutating func takeInbox(_ index: Int) -> [PeerNode.Notice] {
        let notices = peers[index].inbox
        peers[index].inbox.removeAll()
        return notices
    }

    /// Begins the peer's next session on a route of its own.
    mutating func resume(_ index: Int, held: [HeldAttempt] = []) {
        lives[index, default: 0] += 1
        peers[index].resume(held: held, at: now, patience: nil)
    }

    private var lives: [Int: UInt8] = [:]

    func route(_ index: Int) -> [UInt8] { [UInt8(index), lives[index, default: 0]] }
}
