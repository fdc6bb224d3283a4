internal import CohortRuntime
internal import ZeroMQ

extension Pool {
    /// The keys with which a program connects to a coordinator that wants to see some.
    ///
    /// A coordinator that was started with `--key` lets only those in whose public key is in its `--allow` file, in the role that
    /// stands there: a program that opens groups needs the role `client`. The connection is encrypted (CURVE), and the program
    /// knows by the coordinator's public key that it talks to that one and to nobody else.
    ///
    ///     let pool = try await Pool.connect(
    ///         to: "tcp://build.example:7077",
    ///         security: .keys(server: "coordinator.key.pub", own: "client.key")
    ///     )
    ///
    /// `cohort keygen` makes the files.
    public struct Security: Sendable {
        private enum Source: Sendable {
            case none
            case environment
            case files(server: String, own: String)
            case pair(server: String, own: Curve.KeyPair)
        }

        private let source: Source

        /// No keys: for a coordinator that wants none.
        public static let none = Security(source: .none)

        /// As the variables `COHORT_SERVER_KEY`, the coordinator's public key or a file with it, and `COHORT_KEY_FILE`, the file with
        /// the program's own, say; no keys if neither is set.
        public static let environment = Security(source: .environment)

        /// Keys in files that `cohort keygen` has written.
        ///
        /// - Parameters:
        ///   - server: the coordinator's public key, or a file with it.
        ///   - own: the file with this program's key; others than its owner must not be able to read it.
        public static func keys(server: String, own: String) -> Security {
            Security(source: .files(server: server, own: own))
        }

        /// Keys that the program keeps elsewhere than in files, each of 40 characters in Z85.
        ///
        /// - Parameters:
        ///   - serverKey: the coordinator's public key.
        ///   - publicKey: this program's, as the coordinator's list has it.
        ///   - secretKey: what belongs to that.
        public static func keys(serverKey: String, publicKey: String, secretKey: String) -> Security {
            Security(source: .pair(server: serverKey, own: Curve.KeyPair(publicKey: publicKey, secretKey: secretKey)))
        }

        func keys(for endpoint: String) throws(PoolError) -> PeerKeys? {
            do throws(PeerKeys.Unusable) {
                switch source {
                case .none: return nil
                case .environment: return try PeerKeys.load(serverKey: nil, keyFile: nil)
                case .files(let server, let own): return try PeerKeys.read(server, own)
                case .pair(let server, let own): return try PeerKeys(checking: server, own)
                }
            } catch {
                throw PoolError(kind: .unusableKeys, endpoint: endpoint, message: error.description)
            }
        }
    }
}
