internal import FoundationEssentials
internal import Glibc
package import ZeroMQ

/// The keys with which a client or worker connects: its own, and the one by which it knows the coordinator.
package struct PeerKeys: Sendable, Equatable {
    /// Names the coordinator's public key, or a file with it, where no option does.
    package static let serverKeyVariable = "COHORT_SERVER_KEY"
    /// Names the file with the peer's own keys, where no option does.
    package static let keyFileVariable = "COHORT_KEY_FILE"

    package var serverKey: String
    package var own: Curve.KeyPair
    /// Where `own` came from, as an absolute path, so that processes of this one's own can read it too; `nil` for keys
    /// that came from elsewhere.
    package var file: String?

    package init(serverKey: String, own: Curve.KeyPair, file: String? = nil) {
        self.serverKey = serverKey
        self.own = own
        self.file = file
    }

    /// Keys in memory.
    package init(checking serverKey: String, _ own: Curve.KeyPair) throws(Unusable) {
        for (key, name) in [(serverKey, "server's"), (own.publicKey, "public"), (own.secretKey, "secret")]
        where !Curve.isKey(key) {
            throw Unusable(description: "the \(name) key is not one of \(Curve.keyLength) Z85 characters")
        }
        guard (try? Curve.publicKey(of: own.secretKey)) == own.publicKey else {
            throw Unusable(description: "the public key is not that of the secret key")
        }
        self.init(serverKey: serverKey, own: own)
    }

    /// Makes a socket that is not connected yet a CURVE client.
    package func apply(to socket: borrowing Socket) throws(ZeroMQError) {
        try socket.set(.curveServerKey, to: serverKey)
        try socket.set(.curvePublicKey, to: own.publicKey)
        try socket.set(.curveSecretKey, to: own.secretKey)
    }

    // MARK: Where they come from

    /// Why the keys that were named cannot be used.
    package struct Unusable: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Reads what is named by options or, where they say nothing, by the environment; `nil` if neither names any keys.
    ///
    /// - Parameters:
    ///   - serverKey: the coordinator's public key, or a file with it.
    ///   - keyFile: a file with the peer's own keys.
    package static func load(serverKey: String?, keyFile: String?) throws(Unusable) -> PeerKeys? {
        let serverKey = serverKey ?? value(of: serverKeyVariable)
        let keyFile = keyFile ?? value(of: keyFileVariable)
        switch (serverKey, keyFile) {
        case (nil, nil): return nil
        case (nil, let file?):
            throw Unusable(
                description:
                    "\(file) is given as this side's key, but not the coordinator's public key: add --server-key"
            )
        case (_?, nil):
            throw Unusable(
                description: "the coordinator's key is given, but no key of this side's own: make one with "
                    + "'cohort keygen FILE', add it to the coordinator's allow file, and give --key FILE"
            )
        case (let server?, let file?): return try read(server, file)
        }
    }

    /// Reads the keys that are named.
    package static func read(_ serverKey: String, _ keyFile: String) throws(Unusable) -> PeerKeys {
        do throws(KeyFileError) {
            let isKey = Curve.isKey(serverKey)
            let key = isKey ? serverKey : try KeyFile.readPublic(serverKey)
            let own = try KeyFile.readPair(keyFile)
            return PeerKeys(serverKey: key, own: own, file: absolute(keyFile))
        } catch {
            throw Unusable(description: "\(error)")
        }
    }

    private static func value(of variable: String) -> String? {
        guard let value = getenv(variable).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        return value
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory = Host.workingDirectory else { return path }
        return "\(directory)/\(path)"
    }

    // MARK: For processes of this one's own

    /// What tells a process that this one starts which keys to use, without the secret; empty if there is no file with them.
    package var reference: String? { file.map { "\(serverKey) \($0)" } }

    /// Reads the keys that a reference names.
    package init(reference: String) throws(Unusable) {
        let parts = reference.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { throw Unusable(description: "'\(reference)' does not name keys") }
        self = try Self.read(String(parts[0]), String(parts[1]))
    }
}
