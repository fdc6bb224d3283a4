internal import CohortProcess
internal import Glibc
internal import Synchronization
internal import TestSupport

/// Stands before a port as a tunnel does: it accepts whoever comes, and then either passes on what is said or hangs up.
final class Relay: Sendable {
    private struct State: ~Copyable {
        var hangsUp = false
        var turnedAway = 0
        var flows: [Flow] = []
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private let shared: Shared
    private let server: TinyServer

    var endpoint: String { server.endpoint }
    /// How often it has hung up on somebody who had just come.
    var turnedAway: Int { shared.state.withLock { $0.turnedAway } }

    init(to port: UInt16) throws {
        let shared = Shared()
        self.shared = shared
        server = try TinyServer(answer: { connection in
            let isTurnedAway = shared.state.withLock { state in
                if state.hangsUp { state.turnedAway += 1 }
                return state.hangsUp
            }
            guard !isTurnedAway, let flow = Flow(from: connection, to: port) else { return }
            shared.state.withLock { $0.flows.append(flow) }
            flow.begin()
        })
    }

    deinit { hangUp() }

    /// Cuts the connections that there are, and hangs up on those that come.
    func hangUp() {
        shared.state.withLock { state in
            state.hangsUp = true
            for flow in state.flows { flow.cut() }
            state.flows.removeAll()
        }
    }

    /// Passes on what those say who come from now on.
    func goOn() { shared.state.withLock { $0.hangsUp = false } }

    /// One connection with its counterpart; both are closed when nobody needs them any more.
    private final class Flow: Sendable {
        private let peer: Int32
        private let target: Int32

        init?(from connection: Int32, to port: UInt16) {
            let target = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = ReservedPort.loopback(port: port)
            let isConnected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(target, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            // The server closes its own.
            peer = isConnected ? fcntl(connection, F_DUPFD_CLOEXEC, 0) : -1
            self.target = target
            if peer < 0 { return nil }
        }

        deinit { for descriptor in [peer, target] where descriptor >= 0 { close(descriptor) } }

        func begin() {
            for (source, sink) in [(peer, target), (target, peer)] {
                _ = try? BlockingThread.start(named: "relay") { [self] in
                    var bytes = [UInt8](repeating: 0, count: 16 << 10)
                    while case let count = read(source, &bytes, bytes.count), count > 0,
                        send(sink, bytes, count, Int32(MSG_NOSIGNAL)) == count
                    {}
                    cut()
                }
            }
        }

        func cut() { for descriptor in [peer, target] { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }
}
