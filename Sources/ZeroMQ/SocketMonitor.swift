internal import CZeroMQ
internal import Synchronization

/// Tells what happens to the connections of one socket: made, refused, lost, let in or turned away.
///
/// Belongs to the thread of the socket that it watches. It takes the socket's former monitor's place, ends with the socket,
/// and may end before it. Events wait without limit until they are received, so receive them whenever the monitor's own
/// socket is readable.
public struct SocketMonitor: ~Copyable {
    /// The end that events come out of, to be polled.
    public let socket: Socket

    private let watched: SocketLiveness
    private let number: Int

    // Endpoints of inproc are names within a context; a number makes each name new.
    private static let serial = Atomic(0)

    /// Starts to watch a socket.
    ///
    /// - Parameter kinds: What to tell; the rest is not even made.
    public init(
        of watched: borrowing Socket,
        events kinds: [Event.Kind] = Event.Kind.allCases
    ) throws(ZeroMQError) {
        let number = Self.nextNumber()
        let endpoint = Self.endpoint(number)
        let mask = kinds.reduce(0) { $0 | $1.rawValue }
        guard unsafe zmq_socket_monitor(watched.handle, endpoint, mask) == 0 else {
            throw .last(operation: "watch a \(watched.kind) socket")
        }
        watched.liveness.monitor = number
        do throws(ZeroMQError) {
            socket = try Self.reader(of: endpoint, in: watched.context)
        } catch {
            Self.stop(number, of: watched.liveness)
            throw error
        }
        self.watched = watched.liveness
        self.number = number
    }

    deinit {
        // Before the socket that takes the events goes, or libzmq would wait for somebody to take the next one.
        Self.stop(number, of: watched)
    }

    /// Receives one event if one waits.
    public func tryReceive() throws(ZeroMQError) -> Event? {
        while let frames = try socket.tryReceiveMultipart(maxFrames: 2) {
            if let event = Event(frames: frames) { return event }
        }
        return nil
    }

    static func nextNumber() -> Int { serial.wrappingAdd(1, ordering: .relaxed).newValue }

    static func endpoint(_ number: Int) -> String { "inproc://socket-monitor-\(number)" }

    /// The end that events come out of.
    static func reader(of endpoint: String, in context: ContextHandle) throws(ZeroMQError) -> Socket {
        let socket = try Socket(sharing: context, kind: .pair)
        // libzmq writes events with calls that wait for room: a limit would stop the I/O threads of the whole context.
        try socket.set(.receiveHighWaterMark, to: 0)
        try socket.connect(endpoint)
        return socket
    }

    static func stop(_ number: Int, of watched: SocketLiveness) {
        guard let handle = unsafe watched.handle, watched.monitor == number else { return }
        // Fails only for a closed socket, and then there is nothing left to stop.
        _ = unsafe zmq_socket_monitor(handle, nil, 0)
    }
}
