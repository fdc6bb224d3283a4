internal import CohortCore

/// The connections between peers and the coordinator, as ZeroMQ and TCP have them.
///
/// In order and without loss while a connection stands; what is on its way when it breaks is gone without notice. What a peer
/// sends while it is broken waits for the next one; the coordinator's side is told that the peer cannot be reached. A stalled
/// direction holds everything back and lets it go on later, or loses it when the connection breaks.
struct SimulatedNetwork {
    struct Connection {
        let peer: Int
        let route: [UInt8]
        var isUp = false
        var isClosed = false
        /// Its peer is gone without a word: everything vanishes, and nobody is told.
        var isLost = false
        /// Its peer has closed its end; what it had sent still arrives.
        var isLeft = false
        /// Grows whenever it breaks or comes back: what is on its way belongs to one of them.
        var generation = 0
        /// To the peer, and to the coordinator.
        var isStalled = (toPeer: false, toCoordinator: false)
        var heldBack: (toPeer: [[[UInt8]]], toCoordinator: [[[UInt8]]]) = ([], [])
        /// Sent by the peer while there was no connection.
        var waiting: [[[UInt8]]] = []
        var lastArrival = (toPeer: Instant(nanoseconds: 0), toCoordinator: Instant(nanoseconds: 0))
        /// What came last, for duplicates.
        var latest: (toPeer: [[UInt8]], toCoordinator: [[UInt8]]) = ([], [])
        var generator: SeededGenerator
        /// It has been up before.
        var hasBroken = false

        /// Something has happened to it.
        var isDisturbed: Bool { hasBroken || isLost || isStalled.toPeer || isStalled.toCoordinator }
        /// Messages get through, both ways.
        var isClear: Bool { isUp && !isClosed && !isLost && !isStalled.toPeer && !isStalled.toCoordinator }
    }

    let seed: UInt64
    let delay: ClosedRange<UInt64>
    private(set) var connections: ContiguousArray<Connection> = []
    private var places: [[UInt8]: Int] = [:]
    /// Connections that are in use, in the order of opening.
    private(set) var open: [Int] = []

    init(seed: UInt64, delay: ClosedRange<UInt64>) {
        self.seed = seed
        self.delay = delay
    }

    subscript(connection: Int) -> Connection {
        get { connections[connection] }
        _modify { yield &connections[connection] }
    }

    func connection(at route: [UInt8]) -> Int? { places[route] }

    /// A connection with a fresh routing id. It stands once `connect` has been called.
    mutating func add(peer: Int) -> Int {
        let number = connections.count
        let route: [UInt8] = [1] + withUnsafeBytes(of: UInt64(number).littleEndian, Array.init)
        let generator = SeededGenerator(seed: seed, stream: 1_000 + UInt64(number))
        connections.append(Connection(peer: peer, route: route, generator: generator))
        places[route] = number
        open.append(number)
        return number
    }

    /// The peer closes its end, or its process is gone.
    mutating func close(_ connection: Int) {
        guard !connections[connection].isClosed else { return }
        disconnect(connection)
        connections[connection].isClosed = true
        connections[connection].waiting = []
        places[connections[connection].route] = nil
        open.removeAll { $0 == connection }
    }

    mutating func disconnect(_ connection: Int) {
        connections[connection].isUp = false
        connections[connection].generation += 1
        connections[connection].isStalled = (false, false)
        connections[connection].heldBack = ([], [])
    }

    /// When a message that leaves now arrives.
    mutating func arrival(_ connection: Int, toPeer: Bool, at now: Instant) -> Instant {
        let delay = UInt64.random(in: self.delay, using: &connections[connection].generator)
        let due = now.advanced(by: TimeSpan(nanoseconds: delay))
        if toPeer {
            connections[connection].lastArrival.toPeer = max(due, connections[connection].lastArrival.toPeer)
            return connections[connection].lastArrival.toPeer
        }
        connections[connection].lastArrival.toCoordinator = max(due, connections[connection].lastArrival.toCoordinator)
        return connections[connection].lastArrival.toCoordinator
    }
}
