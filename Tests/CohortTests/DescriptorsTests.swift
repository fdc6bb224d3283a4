internal import CohortRuntime
internal import Glibc
internal import Testing

@Suite("Descriptors")
struct DescriptorsTests {
    /// A socket of TCP, bound to a port of its own.
    private func bound() throws -> (descriptor: Int32, address: sockaddr_in) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        try #require(result == 0)
        return (descriptor, address)
    }

    private func connect(_ descriptor: Int32, to address: sockaddr_in) -> Bool {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    @Test("tell whether a connection has been made to itself")
    func ownConnection() throws {
        let (own, address) = try bound()
        defer { close(own) }
        #expect(!Descriptors.isConnectedToItself(own))
        try #require(connect(own, to: address))
        #expect(Descriptors.isConnectedToItself(own))
    }

    @Test("know connections to others, on both of their ends, and those without addresses")
    func others() throws {
        let (listener, address) = try bound()
        let (peer, _) = try bound()
        defer { for descriptor in [listener, peer] { close(descriptor) } }
        try #require(listen(listener, 1) == 0)
        try #require(connect(peer, to: address))
        let accepted = accept(listener, nil, nil)
        defer { close(accepted) }
        for descriptor in [peer, accepted] { #expect(!Descriptors.isConnectedToItself(descriptor)) }
        var pair: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { for descriptor in pair { close(descriptor) } }
        #expect(!Descriptors.isConnectedToItself(pair[0]))
        #expect(!Descriptors.isConnectedToItself(-1))
    }
}
