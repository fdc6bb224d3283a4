internal import CZeroMQ
internal import Glibc

extension Socket {
    /// Accepts connections at an endpoint, such as `tcp://127.0.0.1:*` or `ipc:///run/pool.sock`.
    ///
    /// A path that another process is bound to is taken over without a word: guard paths by a lock or a fresh directory.
    public func bind(_ endpoint: String) throws(ZeroMQError) {
        try unsafe apply(zmq_bind, operation: "bind", endpoint)
    }

    /// Stops accepting connections at an endpoint, named as ``lastEndpoint`` named it.
    public func unbind(_ endpoint: String) throws(ZeroMQError) {
        try unsafe apply(zmq_unbind, operation: "unbind", endpoint)
    }

    /// Connects to an endpoint. Returns before the connection exists, and goes on trying until it does.
    public func connect(_ endpoint: String) throws(ZeroMQError) {
        try unsafe apply(zmq_connect, operation: "connect to", endpoint)
    }

    /// Gives up the connection to an endpoint, named as it was given to ``connect(_:)``.
    public func disconnect(_ endpoint: String) throws(ZeroMQError) {
        try unsafe apply(zmq_disconnect, operation: "disconnect from", endpoint)
    }

    /// The endpoint that was bound or connected last, with wildcards filled in; empty if there is none.
    public var lastEndpoint: String {
        get throws(ZeroMQError) {
            try get(SocketOption("lastEndpoint", ZMQ_LAST_ENDPOINT, .text))
        }
    }

    /// Changes a setting.
    public func set<Value>(_ option: SocketOption<Value>, to value: Value) throws(ZeroMQError) {
        guard let bytes = option.coding.encode(value) else {
            throw ZeroMQError(.invalidArgument, operation: "set \(option.name)", reason: option.coding.expectation)
        }
        let result = unsafe bytes.withUnsafeBytes {
            unsafe zmq_setsockopt(handle, option.number, $0.baseAddress, $0.count)
        }
        guard result == 0 else {
            throw optionError(zmq_errno(), "set \(option.name)")
        }
    }

    /// Reads a setting.
    public func get<Value>(_ option: SocketOption<Value>) throws(ZeroMQError) -> Value {
        var bytes = [UInt8](repeating: 0, count: option.coding.capacity)
        var count = bytes.count
        let result = unsafe bytes.withUnsafeMutableBytes {
            unsafe zmq_getsockopt(handle, option.number, $0.baseAddress, &count)
        }
        guard result == 0 else {
            throw optionError(zmq_errno(), "get \(option.name)")
        }
        return option.coding.decode(Array(bytes.prefix(count)))
    }

    private func apply(
        _ function: (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Int32,
        operation: String,
        _ endpoint: String
    ) throws(ZeroMQError) {
        // C would stop at the zero byte and use another endpoint than the one that was meant.
        guard !endpoint.utf8.contains(0) else {
            throw ZeroMQError(
                .invalidArgument,
                operation: operation,
                subject: endpoint.debugDescription,
                reason: "an endpoint has no zero bytes"
            )
        }
        guard unsafe function(handle, endpoint) == 0 else {
            let errno = zmq_errno()
            let reason: String? =
                switch errno {
                case EINVAL: "expected an endpoint such as tcp://host:port, ipc://path or inproc://name"
                case EPROTONOSUPPORT: "the transport is not known"
                case ENOCOMPATPROTO: "the transport does not fit a \(kind) socket"
                case ENODEV: "no network interface of this machine has the address"
                case ENAMETOOLONG: "the path of an ipc endpoint has at most 107 bytes"
                case ENOENT where operation == "unbind" || operation == "disconnect from": "it was not in use"
                default: nil
                }
            throw ZeroMQError(errno: errno, operation: operation, subject: endpoint, reason: reason)
        }
    }

    private func optionError(_ errno: Int32, _ operation: String) -> ZeroMQError {
        ZeroMQError(
            errno: errno,
            operation: operation,
            subject: "of a \(kind) socket",
            reason: errno == EINVAL ? "the option or its value does not fit" : nil
        )
    }
}
