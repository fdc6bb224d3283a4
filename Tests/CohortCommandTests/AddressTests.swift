internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("Addresses")
    struct AddressTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        /// Whether this machine has an address of IPv6 that its own programs can use.
        private static let hasIPv6: Bool = {
            let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_addr = in6addr_loopback
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
                }
            }
        }()

        /// What a task has written that came to a worker by this endpoint.
        private func mapped(_ endpoint: String) throws -> [String] {
            try sandbox.cohort("map", "--connect", endpoint, "echo {}", ":::", "here").lines
        }

        @Test("of IPv6 work, beside one of IPv4 at the same coordinator", .enabled(if: hasIPv6))
        func version6() throws {
            let cluster = try Cluster(sandbox, bind: "tcp://[::1]:*", options: ["--bind", "tcp://127.0.0.1:*"])
            #expect(cluster.endpoint.hasPrefix("tcp://[::1]:"))
            let worker = try cluster.worker("one")
            #expect(try mapped(cluster.endpoint) == ["here"])
            let fields = cluster.coordinator.standardError.split(whereSeparator: \.isWhitespace)
            let other = try #require(fields.first { $0.hasPrefix("tcp://127.0.0.1:") })
            #expect(try mapped(String(other)) == ["here"])
            withExtendedLifetime(worker) {}
        }

        @Test("of IPv6 that other machines can reach are not bound without keys", .enabled(if: hasIPv6))
        func openVersion6() throws {
            let refused = try sandbox.cohort("coordinator", "--bind", "tcp://[::]:*")
            #expect(refused.code == 2 && refused.standardError.contains("--insecure"), "\(refused)")
        }

        @Test("have names, which stand for those of IPv4")
        func names() throws {
            let cluster = try Cluster(sandbox, bind: "tcp://127.0.0.1:*")
            #expect(try sandbox.cohort("status", "--connect", "tcp://localhost:\(cluster.port)").code == 0)
        }
    }
}
