internal import Glibc
internal import Synchronization
internal import TestSupport

/// A web server that answers everything with one page, on a thread of its own.
final class TinyServer {
    let port: UInt16
    private let listener: Int32
    private let thread: pthread_t

    var endpoint: String { "tcp://127.0.0.1:\(port)" }

    init() throws {
        (listener, port) = try Self.listen()
        var thread = pthread_t()
        let argument = UnsafeMutableRawPointer(bitPattern: Int(listener))
        let result = pthread_create(&thread, nil, { TinyServer.serve(Int32(Int(bitPattern: $0))) }, argument)
        guard result == 0 else { throw SystemFailure(what: "start a thread") }
        self.thread = thread
    }

    deinit {
        // Ends the accept that the thread waits in.
        shutdown(listener, Int32(SHUT_RDWR))
        pthread_join(thread, nil)
        close(listener)
    }

    /// Listens at any port that is free.
    private static func listen() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure(what: "make a socket") }
        var address = ReservedPort.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        guard result == 0, Glibc.listen(descriptor, 16) == 0 else { throw SystemFailure(what: "listen") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func serve(_ listener: Int32) -> UnsafeMutableRawPointer? {
        let page = Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n".utf8)
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return nil }
            var request = [UInt8](repeating: 0, count: 1_024)
            _ = read(connection, &request, request.count)
            _ = send(connection, page, page.count, Int32(MSG_NOSIGNAL))
            close(connection)
        }
    }
}
