internal import CohortRuntime
internal import FoundationEssentials
internal import Glibc
internal import Testing
internal import ZeroMQ

@Suite("Key files")
struct KeyFileTests {
    private let directory: KeyDirectory

    init() throws { directory = try KeyDirectory() }

    /// What is told of a file with this text.
    private func problem(with text: String, isSecret: Bool = true) throws -> String {
        let path = directory.path("bad")
        try Data(text.utf8).write(to: URL(filePath: path))
        chmod(path, 0o600)
        do {
            if isSecret { _ = try KeyFile.readPair(path) } else { _ = try KeyFile.readPublic(path) }
            return "nothing"
        } catch {
            return String(error.description.dropFirst(path.count + 1))
        }
    }

    @Test("have both halves, the secret one for their owner alone")
    func creation() throws {
        let path = directory.path("my.key")
        let pair = try KeyFile.create(path, replacing: false)
        #expect(directory.mode("my.key") == 0o600)
        #expect(directory.mode("my.key.pub") == 0o644)
        #expect(try KeyFile.readPair(path) == pair)
        #expect(try KeyFile.readPublic(path + ".pub") == pair.publicKey)
        let text = try String(contentsOfFile: path + ".pub", encoding: .utf8)
        #expect(!text.contains(pair.secretKey))
        #expect(pair.publicKey.first?.isLetter == true || pair.publicKey.first?.isNumber == true)
        #expect(directory.names == ["my.key", "my.key.pub"])
    }

    @Test("are never replaced unasked, neither half")
    func replacement() throws {
        let path = directory.path("my.key")
        let pair = try KeyFile.create(path, replacing: false)
        #expect(throws: KeyFileError.self) { try KeyFile.create(path, replacing: false) }
        unlink(path)
        #expect(throws: KeyFileError.self) { try KeyFile.create(path, replacing: false) }
        #expect(directory.names == ["my.key.pub"])
        #expect(try KeyFile.readPublic(path + ".pub") == pair.publicKey)
        let next = try KeyFile.create(path, replacing: true)
        #expect(next != pair)
        #expect(try KeyFile.readPair(path) == next)
        #expect(directory.mode("my.key") == 0o600)
    }

    @Test("that others may use are refused, with what to do", arguments: [0o644, 0o620, 0o604, 0o660] as [mode_t])
    func permissions(mode: mode_t) throws {
        let path = directory.path("my.key")
        _ = try KeyFile.create(path, replacing: false)
        chmod(path, mode)
        let error = #expect(throws: KeyFileError.self) { try KeyFile.readPair(path) }
        #expect(error?.description.contains("chmod 600 '\(path)'") == true)
        #expect(throws: Never.self) { try KeyFile.readPublic(path + ".pub") }
    }

    @Test("that are the public half are not taken for the other, whose name is told")
    func publicHalf() throws {
        let path = directory.path("my.key")
        _ = try KeyFile.create(path, replacing: false)
        let error = #expect(throws: KeyFileError.self) { try KeyFile.readPair(path + ".pub") }
        #expect(error?.message == "it is the public half of a key alone; give \(path), which has both halves")
    }

    @Test("which list those who may come in are for nobody but their owner to change", arguments: [0o664, 0o646])
    func lists(mode: mode_t) throws {
        let path = directory.path("allow")
        try Data("text\n".utf8).write(to: URL(filePath: path))
        chmod(path, 0o644)
        #expect(try KeyFile.list(path, limit: 100) == "text\n")
        chmod(path, mode)
        let error = #expect(throws: KeyFileError.self) { try KeyFile.list(path, limit: 100) }
        #expect(error?.message.hasSuffix("run chmod go-w '\(path)'") == true)
        // Whoever else owns it is the one who can mend it.
        guard geteuid() == 0, chown(path, 1, 1) == 0 else { return }
        let foreign = #expect(throws: KeyFileError.self) { try KeyFile.list(path, limit: 100) }
        #expect(foreign?.message.contains("', as its owner ") == true)
    }

    @Test("that are none are told with the place, and never with what may be a secret")
    func mistakes() throws {
        let pair = try Curve.keyPair()
        let other = try Curve.keyPair()
        #expect(try problem(with: "").contains("no secret-key"))
        #expect(try problem(with: "public-key \(pair.publicKey)\n").contains("it is the public half"))
        #expect(try problem(with: "# a\n  key \(pair.secretKey)\n").hasPrefix("2:3: expected public-key or secret-key"))
        let cut = String(pair.secretKey.dropLast())
        let told = try problem(with: "secret-key \(cut)\n")
        #expect(told.hasPrefix("1:12: "))
        #expect(!told.contains(cut))
        #expect(try problem(with: "secret-key\n").hasPrefix("1:1: "))
        #expect(try problem(with: "secret-key \(pair.secretKey) x\n").hasPrefix("1:53: "))
        let twice = "secret-key \(pair.secretKey)\nsecret-key \(pair.secretKey)\n"
        #expect(try problem(with: twice).hasPrefix("2:1: there is a second secret-key"))
        let mixed = "public-key \(other.publicKey)\nsecret-key \(pair.secretKey)\n"
        #expect(try problem(with: mixed).hasPrefix("1:12: the public-key is not that of the secret-key"))
        let secret = "secret-key \(pair.secretKey)\n"
        #expect(try problem(with: secret, isSecret: false).hasPrefix("1:12: there is a secret-key in it"))
        #expect(try problem(with: String(repeating: "#", count: 100_000)).contains("100000 bytes"))
    }

    @Test("must be files that are there")
    func unreadable() throws {
        for path in [directory.path("missing"), directory.path(""), "/dev/zero"] {
            let error = #expect(throws: KeyFileError.self) { try KeyFile.readPublic(path) }
            #expect(error?.description.hasPrefix("\(path): ") == true)
        }
    }

    @Test("name the keys of a peer, together with the coordinator's")
    func peerKeys() throws {
        let server = try KeyFile.create(directory.path("server"), replacing: false)
        let own = try KeyFile.create(directory.path("own"), replacing: false)
        let expected = PeerKeys(serverKey: server.publicKey, own: own, file: directory.path("own"))
        for key in [server.publicKey, directory.path("server.pub")] {
            #expect(try PeerKeys.load(serverKey: key, keyFile: directory.path("own")) == expected)
        }
        let reference = try #require(expected.reference)
        #expect(!reference.contains(own.secretKey))
        #expect(try PeerKeys(reference: reference) == expected)
        let secretPath = directory.path("server")
        #expect(throws: PeerKeys.Unusable.self) {
            try PeerKeys.load(serverKey: secretPath, keyFile: directory.path("own"))
        }
        #expect(throws: PeerKeys.Unusable.self) { try PeerKeys.load(serverKey: server.publicKey, keyFile: nil) }
        #expect(throws: PeerKeys.Unusable.self) { try PeerKeys.load(serverKey: nil, keyFile: directory.path("own")) }
        #expect(try PeerKeys.load(serverKey: nil, keyFile: nil) == nil)
        #expect(throws: PeerKeys.Unusable.self) { try PeerKeys(checking: "x", own) }
        let mixed = Curve.KeyPair(publicKey: server.publicKey, secretKey: own.secretKey)
        #expect(throws: PeerKeys.Unusable.self) { try PeerKeys(checking: server.publicKey, mixed) }
    }
}

/// A directory for the files of one test.
final class KeyDirectory {
    private let root: String

    init() throws {
        var template = Array("/tmp/cohort-keys-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted() }

    func mode(_ name: String) -> mode_t {
        var status = stat()
        return stat(path(name), &status) == 0 ? status.st_mode & 0o777 : 0
    }
}
