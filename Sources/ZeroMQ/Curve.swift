internal import CZeroMQ

/// Keys for CURVE, the public-key security of ZeroMQ.
///
/// Keys are written in Z85: 40 printable characters for 32 bytes.
public enum Curve {
    /// A public key and the secret key it belongs to. Its text shows the public half only.
    public struct KeyPair: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
        /// What peers may know.
        public let publicKey: String
        /// What nobody else may know.
        public let secretKey: String

        /// The public key alone, so that a log never has the secret.
        public var description: String { "KeyPair(\(publicKey))" }

        /// The public key alone, so that a dump never has the secret.
        public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }

        /// Puts two keys together that are known to be a pair.
        public init(publicKey: String, secretKey: String) {
            self.publicKey = publicKey
            self.secretKey = secretKey
        }
    }

    /// The length of a key in Z85 characters.
    public static let keyLength = 40

    /// Makes a fresh pair.
    public static func keyPair() throws(ZeroMQError) -> KeyPair {
        var publicKey = [CChar](repeating: 0, count: keyLength + 1)
        var secretKey = publicKey
        guard unsafe zmq_curve_keypair(&publicKey, &secretKey) == 0 else {
            throw .last(operation: "make a CURVE key pair")
        }
        return KeyPair(publicKey: text(publicKey), secretKey: text(secretKey))
    }

    /// The public key that belongs to a secret one.
    public static func publicKey(of secretKey: String) throws(ZeroMQError) -> String {
        let operation = "derive a CURVE public key"
        guard secretKey.utf8.count == keyLength else {
            throw ZeroMQError(.invalidArgument, operation: operation, reason: "expected \(keyLength) Z85 characters")
        }
        var publicKey = [CChar](repeating: 0, count: keyLength + 1)
        guard unsafe zmq_curve_public(&publicKey, secretKey) == 0 else {
            throw .last(operation: operation)
        }
        return text(publicKey)
    }

    /// Whether the text can be a key: 40 characters of Z85. Whether it is one, only its owner knows.
    public static func isKey(_ text: String) -> Bool {
        guard text.utf8.count == keyLength else { return false }
        var bytes = [UInt8](repeating: 0, count: keyBytes)
        return unsafe zmq_z85_decode(&bytes, text) != nil
    }

    /// A key's text; nil if there are not 32 bytes.
    public static func text(ofKey bytes: [UInt8]) -> String? {
        guard bytes.count == keyBytes else { return nil }
        var key = [CChar](repeating: 0, count: keyLength + 1)
        guard unsafe zmq_z85_encode(&key, bytes, bytes.count) != nil else { return nil }
        return text(key)
    }

    private static let keyBytes = 32

    private static func text(_ key: [CChar]) -> String {
        String(decoding: key.prefix(keyLength).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
