internal import CohortCoordinator
internal import FoundationEssentials
internal import Glibc
internal import Testing

@Suite("The file of a socket")
struct SocketFileTests {
    /// Makes a socket at a path, which stays when this returns.
    private func makeSocket(_ path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
    }

    @Test("is removed by whoever has made it, and left where it is another's by then")
    func successor() throws {
        let path = "/tmp/cohort-test-\(UInt64.random(in: 1 ... .max))"
        defer { unlink(path) }
        #expect(SocketFile(at: path) == nil)
        try makeSocket(path)
        let first = try #require(SocketFile(at: path))
        unlink(path)
        try makeSocket(path)
        let second = try #require(SocketFile(at: path))
        first.remove()
        #expect(access(path, F_OK) == 0)
        second.remove()
        #expect(access(path, F_OK) != 0)
        // Nor is a file that is no socket.
        try Data("text".utf8).write(to: URL(filePath: path))
        second.remove()
        #expect(access(path, F_OK) == 0)
        #expect(SocketFile(at: path) == nil)
    }
}
