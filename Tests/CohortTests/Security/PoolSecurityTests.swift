internal import Cohort
internal import CohortCoordinator
internal import CohortRuntime
internal import Logging
internal import Testing
internal import ZeroMQ

@Suite("A pool with keys", .timeLimit(.minutes(5)))
struct PoolSecurityTests {
    private let directory: KeyDirectory
    private let coordinator: Coordinator
    private let server: Curve.KeyPair
    private let own: Curve.KeyPair

    init() throws {
        directory = try KeyDirectory()
        server = try KeyFile.create(directory.path("server"), replacing: false)
        own = try KeyFile.create(directory.path("own"), replacing: false)
        var configuration = CoordinatorConfiguration(endpoints: ["ipc://\(directory.path("socket"))"])
        configuration.security = CoordinatorConfiguration.Security(
            keys: server,
            allowed: try AllowList(parsing: "\(own.publicKey) client me", file: "allow")
        )
        var log = Logger(label: "test")
        log.logLevel = .critical
        coordinator = try Coordinator(configuration, log: log) { _ in }
    }

    private var endpoint: String { coordinator.endpoints[0] }

    private func expectRefusal(_ security: Pool.Security, _ kind: PoolError.Kind, _ words: String) async {
        do throws(PoolError) {
            // Whoever comes without a key may be hung up on before he has seen why, many times on a busy machine.
            _ = try await Pool.connect(to: endpoint, security: security, patience: .seconds(60))
            Issue.record("let in")
        } catch {
            #expect(error.kind == kind)
            #expect(error.message.contains(words), "\(error)")
        }
    }

    @Test("is let in with those that are listed, from files or from memory, and nobody else is")
    func connecting() async throws {
        defer { coordinator.stop(reason: "the test is over") }
        let other = try Curve.keyPair()
        let good: [Pool.Security] = [
            .keys(server: directory.path("server.pub"), own: directory.path("own")),
            .keys(server: server.publicKey, own: directory.path("own")),
            .keys(serverKey: server.publicKey, publicKey: own.publicKey, secretKey: own.secretKey),
        ]
        for security in good {
            let pool = try await Pool.connect(to: endpoint, security: security)
            #expect(try await pool.workers().isEmpty)
            await pool.close()
        }
        await expectRefusal(.none, .refused, "without a key")
        let unknown = Pool.Security.keys(
            serverKey: server.publicKey,
            publicKey: other.publicKey,
            secretKey: other.secretKey
        )
        await expectRefusal(unknown, .refused, "does not know the key '\(other.publicKey)'")
        await expectRefusal(.keys(server: "/no/such", own: directory.path("own")), .unusableKeys, "/no/such")
        let mixed = Pool.Security.keys(
            serverKey: server.publicKey,
            publicKey: other.publicKey,
            secretKey: own.secretKey
        )
        await expectRefusal(mixed, .unusableKeys, "not that of the secret key")
    }
}
