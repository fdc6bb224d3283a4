internal import CZeroMQ

extension SocketMonitor {
    /// Something that happened to a connection, or to a place where connections are accepted.
    public struct Event: Hashable, Sendable, CustomStringConvertible {
        /// What can happen.
        public enum Kind: Int32, Sendable, CaseIterable {
            /// The transport's connection was made. The value is its descriptor.
            case connected = 0x0001
            /// A connection is under way.
            case connectDelayed = 0x0002
            /// A try to connect failed; the next follows after as many milliseconds as the value says.
            case connectRetried = 0x0004
            /// An endpoint is bound. The value is its descriptor.
            case listening = 0x0008
            /// An endpoint could not be bound. The value is the error number.
            case bindFailed = 0x0010
            /// A connection was accepted. The value is its descriptor.
            case accepted = 0x0020
            /// A connection could not be accepted. The value is the error number.
            case acceptFailed = 0x0040
            /// A connection was closed by this end, or never came about. The value is its descriptor.
            case closed = 0x0080
            /// A connection could not be closed. The value is the error number.
            case closeFailed = 0x0100
            /// The connection was lost. The value is its descriptor.
            case disconnected = 0x0200
            /// The watched socket was closed, or has another monitor: no more events follow.
            case monitorStopped = 0x0400
            /// The greeting was cut short. The value is the error number.
            case handshakeFailedNoDetail = 0x0800
            /// Both ends agreed, and messages can pass.
            case handshakeSucceeded = 0x1000
            /// The peer broke the protocol, or security does not fit. The value says how, as `ZMQ_PROTOCOL_ERROR_`.
            case handshakeFailedProtocol = 0x2000
            /// The authentication handler turned the peer away. The value is its status: 300, 400 or 500.
            case handshakeFailedAuth = 0x4000
        }

        /// What happened.
        public let kind: Kind
        /// More about it, as told with each kind.
        public let value: Int
        /// The endpoint that it happened to.
        public let address: String

        /// One line for a log.
        public var description: String {
            "\(address): \(explanation)"
        }

        /// What happened, in words.
        public var explanation: String {
            switch kind {
            case .connected: "connected"
            case .connectDelayed: "connecting"
            case .connectRetried: "connection failed, next try in \(value) ms"
            case .listening: "listening"
            case .bindFailed: "cannot bind: \(reason)"
            case .accepted: "accepted a connection"
            case .acceptFailed: "cannot accept a connection: \(reason)"
            case .closed: "closed"
            case .closeFailed: "cannot close: \(reason)"
            case .disconnected: "disconnected"
            case .monitorStopped: "no longer watched"
            case .handshakeFailedNoDetail: "the peer did not complete the greeting: \(reason)"
            case .handshakeSucceeded: "ready"
            case .handshakeFailedProtocol: "the greeting failed: \(protocolReason)"
            case .handshakeFailedAuth: "the authentication handler refused, status \(value)"
            }
        }

        /// Whether a greeting failed since one end wants keys and the other has none, or they want other ones.
        public var isMechanismMismatch: Bool {
            kind == .handshakeFailedProtocol
                && Int32(truncatingIfNeeded: value) == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH
        }

        private var reason: String {
            guard let errno = Int32(exactly: value), errno != 0 else { return "it does not speak ZeroMQ" }
            return ZeroMQError.reason(of: errno)
        }

        private var protocolReason: String {
            switch Int32(truncatingIfNeeded: value) {
            case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: "the peer uses another security mechanism"
            case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: "the keys do not fit"
            default: "the peer broke the protocol (0x\(String(value, radix: 16)))"
            }
        }

        /// Reads what libzmq sends: 16 bits of kind and 32 of value in the first frame, the address in the second.
        init?(frames: [[UInt8]]) {
            guard frames.count == 2, frames[0].count == 6 else { return nil }
            let (number, value) = unsafe frames[0].withUnsafeBytes { bytes in
                unsafe (bytes.loadUnaligned(as: UInt16.self), bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
            }
            guard let kind = Kind(rawValue: Int32(number)) else { return nil }
            self.kind = kind
            self.value = Int(value)
            address = String(decoding: frames[1], as: UTF8.self)
        }
    }
}
