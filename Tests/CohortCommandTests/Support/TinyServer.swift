internal import CohortProcess
internal import Glibc
internal import Synchronization
internal import TestSupport

/// A server of TCP that knows nothing of Cohort, and deals with one connection after the other on a thread of its own.
final class TinyServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let count = Counter()
    /// Readable when the thread has ended.
    private let ended: Pipe

    var endpoint: String { "tcp://127.0.0.1:\(port)" }
    /// Connections that it has begun to deal with.
    var connections: Int { count.value }

    /// - Parameters:
    ///   - port: where it listens; anywhere if nothing is said.
    ///   - isOver: looked at after each connection: whether it was the last one.
    ///   - answer: deals with a connection, which is closed after it.
    init(
        port: UInt16 = 0,
        until isOver: @escaping @Sendable (_ connections: Int) -> Bool = { _ in false },
        answer: @escaping @Sendable (_ connection: Int32) -> Void = TinyServer.page
    ) throws {
        let (listener, count, ended) = (try Self.listen(port), count, try Pipe())
        (self.listener, self.port, self.ended) = (listener.descriptor, listener.port, ended)
        try BlockingThread.start(named: "tiny-server") {
            while !isOver(count.value) {
                let connection = accept(listener.descriptor, nil, nil)
                guard connection >= 0 else { break }
                count.increment()
                answer(connection)
                Glibc.close(connection)
            }
            Glibc.close(listener.descriptor)
            Glibc.close(ended.writing)
        }
    }

    deinit {
        stop()
        close(ended.reading)
    }

    /// Listens no longer.
    func stop() {
        // Ends the accept that the thread waits in; where the thread has ended already, its descriptor may be somebody else's.
        var item = pollfd(fd: ended.reading, events: Int16(POLLIN), revents: 0)
        if poll(&item, 1, 0) == 0 { shutdown(listener, Int32(SHUT_RDWR)) }
        untilEnded()
    }

    /// Waits until it has dealt with its last connection, and listens no longer.
    func untilEnded() {
        var item = pollfd(fd: ended.reading, events: Int16(POLLIN), revents: 0)
        let end = ContinuousClock.now + Program.patience
        while poll(&item, 1, 1_000) < 1, ContinuousClock.now < end {}
    }

    private static func listen(_ port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure(what: "make a socket") }
        var isShared: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isShared, socklen_t(MemoryLayout<Int32>.size))
        var address = ReservedPort.loopback(port: port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        guard result == 0, Glibc.listen(descriptor, 16) == 0 else {
            Glibc.close(descriptor)
            throw SystemFailure(what: "listen")
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    // MARK: What it may answer

    /// As a web server would.
    static let page: @Sendable (Int32) -> Void = { connection in
        let page = "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n"
        var request = [UInt8](repeating: 0, count: 1_024)
        _ = read(connection, &request, request.count)
        _ = send(connection, page, page.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// Nothing but zeros, which are no greeting of ZeroMQ.
    static let zeros: @Sendable (Int32) -> Void = { connection in
        let zeros = [UInt8](repeating: 0, count: 64)
        _ = send(connection, zeros, zeros.count, Int32(MSG_NOSIGNAL))
        var request = [UInt8](repeating: 0, count: 1_024)
        while read(connection, &request, request.count) > 0 {}
    }
}

/// A number that several threads count up.
private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    func increment() { count.add(1, ordering: .releasing) }
}
