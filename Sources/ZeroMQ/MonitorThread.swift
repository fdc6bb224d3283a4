internal import CZeroMQ
internal import Synchronization

/// Tells what happens to the connections of one socket on a thread of its own, so that the socket's own loop pays nothing
/// for it.
///
/// The thread ends with the socket.
public enum MonitorThread {
    /// Starts to watch a socket, in the place of its former monitor. To be called on the socket's thread.
    ///
    /// - Parameters:
    ///   - kinds: What to tell; the rest is not even made.
    ///   - receive: Called on the thread that watches, for one event after the other.
    public static func start(
        on watched: borrowing Socket,
        events kinds: [SocketMonitor.Event.Kind],
        _ receive: @escaping @Sendable (SocketMonitor.Event) -> Void
    ) throws(ZeroMQError) {
        let number = SocketMonitor.nextNumber()
        let endpoint = SocketMonitor.endpoint(number)
        let mask = kinds.reduce(SocketMonitor.Event.Kind.monitorStopped.rawValue) { $0 | $1.rawValue }
        guard unsafe zmq_socket_monitor(watched.handle, endpoint, mask) == 0 else {
            throw .last(operation: "watch a \(watched.kind) socket")
        }
        watched.liveness.monitor = number
        // Events are written with calls that wait for a reader: the socket may be used once there is one.
        let isReading = Latch()
        let ended = Latch()
        let failure = Mutex<ZeroMQError?>(nil)
        let context = Mutex<ContextHandle?>(watched.context)
        do throws(ZeroMQError) {
            try spawnThread(name: "monitor", isDetached: true) {
                do throws(ZeroMQError) {
                    // The share in the context ends with the call.
                    if let context = context.withLock({ $0.take() }) { try read(endpoint, context, isReading, receive) }
                } catch {
                    failure.withLock { $0 = error }
                    isReading.open()
                }
                ended.open()
            }
        } catch {
            SocketMonitor.stop(number, of: watched.liveness)
            throw error
        }
        isReading.wait()
        if let error = failure.withLock({ $0 }) {
            SocketMonitor.stop(number, of: watched.liveness)
            throw error
        }
        watched.liveness.monitorThreadEnd = ended
    }

    private static func read(
        _ endpoint: String,
        _ context: consuming ContextHandle,
        _ isReading: Latch,
        _ receive: (SocketMonitor.Event) -> Void
    ) throws(ZeroMQError) {
        let socket = try SocketMonitor.reader(of: endpoint, in: context)
        isReading.open()
        while try socket.waitUntilReadable(timeout: nil) {
            while let frames = try socket.tryReceiveMultipart(maxFrames: 2) {
                guard let event = SocketMonitor.Event(frames: frames) else { continue }
                if event.kind == .monitorStopped { return }
                receive(event)
            }
        }
    }
}
