internal import CCohortProcess
@preconcurrency internal import Glibc

/// The life of a process that is a call host.
///
/// It is given four descriptors, or five, with consecutive numbers, the first of which the environment names: the socket to the pool,
/// the ``HostPage``, and the reading ends of its own stdout and stderr (it does not read there, but looks at how much the
/// pool has yet to read), and the worker's ``AttemptRecord`` if there is one.
package enum CallHostMain {
    /// Names the first descriptor; set in call hosts only.
    static let variable = "COHORT_CALL_HOST"
    /// The coordinator's endpoint, for the groups that functions open; set in call hosts of a worker.
    static let endpointVariable = "COHORT_ENDPOINT"
    /// Which keys to show there, if the coordinator wants some: where they are, never what they are.
    static let keysVariable = "COHORT_ENDPOINT_KEYS"
    /// Number of the first descriptor in every host that a pool starts.
    static let firstDescriptor: Int32 = 3

    /// The first descriptor if this process was started as a call host, else nil.
    package static var descriptor: Int32? {
        guard let value = getenv(variable) else { return nil }
        return Int32(String(cString: value))
    }

    /// Runs calls until the pool closes the connection, then ends the process.
    package static func run(_ functions: FunctionRegistry, _ descriptor: Int32) async -> Never {
        guard (firstDescriptor...1 << 20).contains(descriptor), let page = HostPage.open(descriptor + 1) else {
            fputs("\(variable) is set, but this process was not started by a worker; unset it\n", stderr)
            exit(2)
        }
        // What a function starts must neither hold the connection open nor take itself for a call host.
        for inherited in descriptor...descriptor + 3 {
            _ = fcntl(inherited, F_SETFD, FD_CLOEXEC)
        }
        let record = AttemptRecord.open(descriptor + 4)
        // Mapped, it needs no descriptor; without a record the number is somebody else's.
        if record != nil { close(descriptor + 4) }
        unsetenv(variable)
        let endpoint = getenv(endpointVariable).map { String(cString: $0) }
        unsetenv(endpointVariable)
        let keys = getenv(keysVariable).map { String(cString: $0) }
        unsetenv(keysVariable)
        cohort_name_thread("cohort-call")
        // Lines of a long call are to be seen while it runs.
        setvbuf(stdout, nil, Int32(_IOLBF), 0)

        let output = OutputDescriptors(standardOutput: descriptor + 2, standardError: descriptor + 3)
        let host = CallHost(
            functions: functions,
            socket: descriptor,
            page: page,
            record: record,
            output: output,
            session: HostSession(endpoint: endpoint, keys: keys)
        )
        do {
            try host.start()
        } catch {
            fputs("\(error)\n", stderr)
            exit(1)
        }
        // The main thread stays free for functions that belong on the main actor.
        while true {
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
    }
}
