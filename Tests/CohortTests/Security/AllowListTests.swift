internal import CohortCoordinator
internal import CohortRuntime
internal import CohortWire
internal import Testing
internal import ZeroMQ

@Suite("A list of who may come in")
struct AllowListTests {
    private let keys: [String]

    init() throws {
        keys = try (0..<3).map { _ in
            while true {
                let key = try Curve.keyPair().publicKey
                if key.first != "#" { return key }
            }
        }
    }

    /// What is told of a list with this text.
    private func problems(with text: String) -> [String] {
        do {
            _ = try AllowList(parsing: text, file: "allow")
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test("has a key, roles and perhaps a name in each line")
    func reading() throws {
        let list = try AllowList(
            parsing: """
                # who may come in
                \(keys[0]) client alice   # from home

                \t\(keys[1])\tworker
                \(keys[2]) client,worker build-7\r
                """,
            file: "allow"
        )
        #expect(list.count == 3)
        #expect(list.permit(for: keys[0]) == PeerPermit(roles: [.client], keyName: "alice"))
        #expect(list.permit(for: keys[1]) == PeerPermit(roles: [.worker], keyName: keys[1]))
        #expect(list.permit(for: keys[2]) == PeerPermit(roles: [.client, .worker], keyName: "build-7"))
        #expect(list.permit(for: "") == nil)
        let both = try AllowList(parsing: "\(keys[0]) both", file: "allow")
        #expect(both.permit(for: keys[0])?.roles == [.client, .worker])
    }

    @Test("tells all that is wrong with it, with the place")
    func mistakes() throws {
        let text = """
            short client
            \(keys[0])
            \(keys[0]) boss
            \(keys[1]) worker,ants
            \(keys[1]) worker a b
            \(keys[2]) client
            \(keys[2]) worker
            \(String(repeating: "\"", count: 40)) client
            """
        #expect(
            problems(with: text) == [
                "allow:1:1: expected a public key of 40 Z85 characters, and this has 5 characters",
                "allow:2:41: a role is missing after the key: client, worker or both; write for example '\(keys[0]) client alice'",
                "allow:3:42: 'boss' is not a role: client, worker or both",
                "allow:4:49: 'ants' is not a role: client, worker or both",
                "allow:5:51: a name is one word; comments begin with #",
                "allow:7:1: this key is in line 6 already",
                "allow:8:1: expected a public key of 40 Z85 characters, and this has characters that Z85 does not have",
            ]
        )
        #expect(problems(with: String(repeating: "x\n", count: 1_000)).count == AllowList.errorsMax)
        #expect(problems(with: "# nobody\n").first?.contains("nobody could come in") == true)
        #expect(problems(with: "\(keys[0]) client, \n").first?.contains("'' is not a role") == true)
        let name = String(repeating: "n", count: 300)
        #expect(problems(with: "\(keys[0]) client \(name)").first?.contains("at most 255 bytes") == true)
    }

    @Test("that cannot be read is an error that names it")
    func unreadable() {
        for path in ["/no/such/list", "/usr", "/dev/zero"] {
            let errors = #expect(throws: AllowList.Errors.self) { try AllowList.load(path) }
            #expect(errors?.description.hasPrefix("\(path): ") == true)
        }
    }
}
