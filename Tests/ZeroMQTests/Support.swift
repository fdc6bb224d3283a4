internal import Glibc
internal import Synchronization
internal import Testing

@testable internal import ZeroMQ

/// How long a test waits for what must happen; only a failing test waits that long.
let patience = Duration.seconds(60)

/// A directory of its own for the sockets of one test, removed with what is in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/zmq-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw SystemFailure(errno: errno) }
        self.path = String(cString: path)
    }

    deinit {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                unlink("\(path)/\(name)")
            }
            closedir(directory)
        }
        rmdir(path)
    }
}

struct SystemFailure: Error {
    let errno: Int32
}

/// A context that several threads of a test can hold.
final class SharedContext: Sendable {
    let context: Context

    init() throws {
        context = try Context()
    }
}

extension Socket {
    /// Waits for a whole message.
    func next(maxFrames: Int = 16) throws -> [[UInt8]] {
        guard try waitUntilReadable(timeout: patience) else { throw Silence() }
        return try #require(try tryReceiveMultipart(maxFrames: maxFrames))
    }
}

extension SocketMonitor {
    /// Receives events up to the first of a kind.
    func events(upTo kind: Event.Kind) throws -> [Event] {
        var events: [Event] = []
        while true {
            guard try socket.waitUntilReadable(timeout: patience) else { throw Silence(events: events) }
            while let event = try tryReceive() {
                events.append(event)
                if event.kind == kind { return events }
            }
        }
    }
}

/// A number that several threads count up.
final class Counter: Sendable {
    let value = Atomic(0)
}

/// Nothing came in all the time that a test was willing to wait.
struct Silence: Error {
    var events: [SocketMonitor.Event] = []
}

/// An endpoint of either transport that is free.
enum Transport: CaseIterable, CustomTestStringConvertible {
    case tcp, ipc

    var testDescription: String { self == .tcp ? "tcp" : "ipc" }

    func endpoint(in directory: TemporaryDirectory) -> String {
        switch self {
        case .tcp: "tcp://127.0.0.1:*"
        case .ipc: "ipc://\(directory.path)/s"
        }
    }
}

func text(_ words: String...) -> [[UInt8]] {
    words.map { Array($0.utf8) }
}

/// A TCP socket on 127.0.0.1 that does not speak ZeroMQ.
final class PlainServer: Sendable {
    let port: Int
    private let descriptor: Int32

    init(isListening: Bool) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard result, !isListening || listen(descriptor, 8) == 0 else { throw SystemFailure(errno: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit {
        close(descriptor)
    }

    /// Takes one connection, reads what comes first, answers and hangs up.
    func answer(_ reply: String) {
        let connection = accept(descriptor, nil, nil)
        var buffer = [UInt8](repeating: 0, count: 256)
        _ = read(connection, &buffer, buffer.count)
        _ = write(connection, reply, reply.utf8.count)
        close(connection)
    }
}
