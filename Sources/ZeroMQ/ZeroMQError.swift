internal import CZeroMQ
internal import Glibc

/// A ZeroMQ operation that failed: which one, on what, and why.
///
/// `description` is a whole sentence for the user, such as `cannot bind tcp://127.0.0.1:80: permission denied`.
public struct ZeroMQError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is; switch on this, not on the text.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Storage: String {
            case invalidArgument, invalidState, permissionDenied, addressInUse, addressNotAvailable, notFound
            case notSupported, wouldBlock, unreachable, contextTerminated, tooManySockets, outOfMemory
            case multipartTooLong, system
        }

        private let storage: Storage

        /// An endpoint, an option's value or an argument that the operation does not accept.
        public static let invalidArgument = Code(storage: .invalidArgument)
        /// The socket's pattern does not allow the operation now.
        public static let invalidState = Code(storage: .invalidState)
        /// The operating system refused the right to the address.
        public static let permissionDenied = Code(storage: .permissionDenied)
        /// Somebody is bound to the address already.
        public static let addressInUse = Code(storage: .addressInUse)
        /// The address does not belong to this machine.
        public static let addressNotAvailable = Code(storage: .addressNotAvailable)
        /// A directory, or the binding that should be undone, does not exist.
        public static let notFound = Code(storage: .notFound)
        /// The library, or this kind of socket, has no such operation.
        public static let notSupported = Code(storage: .notSupported)
        /// The operation would have had to wait.
        public static let wouldBlock = Code(storage: .wouldBlock)
        /// No peer has the routing id.
        public static let unreachable = Code(storage: .unreachable)
        /// The context was shut down or terminated; close the socket.
        public static let contextTerminated = Code(storage: .contextTerminated)
        /// The limit of the context, or of the process, on open sockets is reached.
        public static let tooManySockets = Code(storage: .tooManySockets)
        /// The memory for it could not be had.
        public static let outOfMemory = Code(storage: .outOfMemory)
        /// A multipart message had more parts than the caller takes; all of it was discarded.
        public static let multipartTooLong = Code(storage: .multipartTooLong)
        /// Any other failure; ``ZeroMQError/errno`` tells which.
        public static let system = Code(storage: .system)

        /// The name of the code.
        public var description: String { storage.rawValue }

        init(errno: Int32) {
            self =
                switch errno {
                case EINVAL: .invalidArgument
                case EFSM: .invalidState
                case EACCES, EPERM: .permissionDenied
                case EADDRINUSE: .addressInUse
                case EADDRNOTAVAIL, ENODEV: .addressNotAvailable
                case ENOENT: .notFound
                case ENOTSUP, EPROTONOSUPPORT, ENOCOMPATPROTO: .notSupported
                case EAGAIN: .wouldBlock
                case EHOSTUNREACH: .unreachable
                case ETERM: .contextTerminated
                case EMFILE: .tooManySockets
                case ENOMEM: .outOfMemory
                case ENAMETOOLONG: .invalidArgument
                default: .system
                }
        }

        private init(storage: Storage) {
            self.storage = storage
        }
    }

    /// What kind of failure it is.
    public let code: Code
    /// The error number of the C library or of libzmq; 0 when the check was made before either was asked.
    public let errno: Int32
    /// What was tried, as words that follow "cannot": `bind`, `set linger`.
    public let operation: String
    /// What it was tried on, such as the endpoint.
    public let subject: String?
    /// Why it failed, in words.
    public let reason: String

    /// One sentence that names the operation, its subject and the reason.
    public var description: String {
        if let subject {
            return "cannot \(operation) \(subject): \(reason)"
        }
        return "cannot \(operation): \(reason)"
    }

    /// An error that this module found by itself, before libzmq was asked.
    init(_ code: Code, operation: String, subject: String? = nil, reason: String) {
        self.code = code
        self.errno = 0
        self.operation = operation
        self.subject = subject
        self.reason = reason
    }

    /// An error that libzmq or the C library has told.
    ///
    /// - Parameter reason: Replaces the library's own words where those would not help the user.
    init(errno: Int32, operation: String, subject: String? = nil, reason: String? = nil) {
        self.code = Code(errno: errno)
        self.errno = errno
        self.operation = operation
        self.subject = subject
        self.reason = reason ?? Self.reason(of: errno)
    }

    /// The error of the libzmq call that has just failed on this thread.
    static func last(operation: String, subject: String? = nil) -> ZeroMQError {
        ZeroMQError(errno: zmq_errno(), operation: operation, subject: subject)
    }

    /// The library's words for an error number, made to stand inside a sentence.
    static func reason(of errno: Int32) -> String {
        switch errno {
        case ETERM: return "the context was terminated"
        case EMFILE: return "too many open sockets"
        default:
            let words = unsafe String(cString: zmq_strerror(errno))
            // "Permission denied" becomes lower case, an acronym at the start stays as it is.
            guard let first = words.first, words.dropFirst().first?.isLowercase == true else { return words }
            return first.lowercased() + words.dropFirst()
        }
    }
}
