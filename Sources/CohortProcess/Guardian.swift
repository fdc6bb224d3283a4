internal import CCohortProcess
internal import Glibc

/// A small parent that outlives a program of ours by a moment, to end whatever the program has left behind.
///
/// The guardian starts its own executable again as its child, hands it the signals that ask a program to end, and takes its
/// exit status. However the child dies, its descendants fall to the guardian, which kills and reaps them all. If the
/// guardian is killed, the child sees the end of a pipe (`watchFromChild`) and does the same for itself.
package enum Guardian {
    /// Tells the child the descriptor to watch, and the guardian's pid: `<descriptor>:<pid>`.
    package static let guardedVariable = "COHORT_GUARDED"
    /// Tells the guardian, if set, a descriptor that reaches its end when whoever wants the program has gone.
    package static let ownerVariable = "COHORT_OWNER_FD"

    /// Variables that are meant for one process and must not be passed on.
    package static let variables: Set<String> = [guardedVariable, ownerVariable]

    /// Becomes the guardian of a new process with the same executable and arguments. To be called early, before the
    /// process has other threads, by a program that finds `isGuarded` false.
    ///
    /// The child leads a process group of its own, so that a Ctrl-C reaches it once, from the guardian. When it has died
    /// and its descendants are gone, `onChildDeath` is called, and the process exits with the child's code (128 and the
    /// signal, if a signal ended it). At the end of the owner's descriptor everything is killed, `onOwnerEnd` is called
    /// instead, and the process exits.
    ///
    /// - Parameter variables: set for the child on top of this process's own; `passing` are the descriptors that it
    ///   inherits under the same numbers.
    package static func run(
        arguments: [String] = CommandLine.arguments,
        variables: [(String, String)] = [],
        passing descriptors: [Int32] = [],
        onOwnerEnd: () -> Void = {},
        onChildDeath: (ExitStatus) -> Void
    ) throws(SpawnError) -> Never {
        try ProcessTree.becomeSubreaper()
        let owner = try ownerDescriptor()
        let signals = try signalDescriptor()
        let child = try startChild(arguments, variables, descriptors)
        let status = watch(child, signals, owner)
        ProcessTree.killDescendants()
        if let status {
            onChildDeath(status)
            exit(status.shellCode)
        }
        onOwnerEnd()
        exit(128 + SIGKILL)
    }

    /// Forwards signals and reaps children until the child has ended; nil if its owner went first.
    private static func watch(_ child: Int32, _ signals: Int32, _ owner: Int32?) -> ExitStatus? {
        // A negative descriptor is one that poll passes over.
        var polled = [
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(fd: owner ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&polled, nfds_t(polled.count), -1) > 0 else { continue }
            if polled[1].revents != 0 && hasEnded(polled[1].fd) {
                return nil
            }
            if polled[0].revents != 0 {
                forwardSignal(from: signals, to: child)
                if let status = reapChildren(awaiting: child) {
                    return status
                }
            }
        }
    }

    private static func forwardSignal(from signals: Int32, to child: Int32) {
        var info = signalfd_siginfo()
        guard read(signals, &info, MemoryLayout.size(ofValue: info)) == MemoryLayout.size(ofValue: info) else { return }
        if info.ssi_signo != UInt32(SIGCHLD) {
            kill(child, Int32(info.ssi_signo))
        }
    }

    /// Reaps all children that have ended, adopted ones too. One SIGCHLD may stand for several.
    private static func reapChildren(awaiting child: Int32) -> ExitStatus? {
        var result: ExitStatus?
        var status: Int32 = 0
        while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
            if pid == child {
                result = ExitStatus(waitStatus: status)
            }
        }
        return result
    }

    /// Takes what there is to read; true at the end.
    private static func hasEnded(_ descriptor: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            return count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)
        }
    }

    private static func ownerDescriptor() throws(SpawnError) -> Int32? {
        guard let value = getenv(ownerVariable).map({ String(cString: $0) }) else { return nil }
        guard let descriptor = Int32(value), fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw .invalidRequest("\(ownerVariable)=\(value) is not the number of an open descriptor")
        }
        return descriptor
    }

    private static func signalDescriptor() throws(SpawnError) -> Int32 {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] {
            sigaddset(&signals, signal)
        }
        // Blocked, they wait in the descriptor, those too that come before the child is there.
        sigprocmask(SIG_BLOCK, &signals, nil)
        let descriptor = signalfd(-1, &signals, Int32(SFD_CLOEXEC))
        if descriptor < 0 {
            throw .system("make a signalfd", errno)
        }
        return descriptor
    }

    private static func startChild(
        _ arguments: [String],
        _ variables: [(String, String)],
        _ descriptors: [Int32]
    ) throws(SpawnError) -> Int32 {
        // The writing end is held by this process alone, and closes with its death, whatever that is.
        let reading = try openPipe().reading
        defer { close(reading) }
        var request = SpawnRequest(arguments: arguments, program: executablePath())
        request.environment.set(guardedVariable, to: "\(reading):\(getpid())")
        for (name, value) in variables { request.environment.set(name, to: value) }
        request.passedDescriptors = ([reading] + descriptors).map { (from: $0, to: $0) }
        request.newProcessGroup = true
        let child = try Spawn.spawn(request)
        close(child.pidfd)
        return child.pid
    }

    /// The running executable: by its path, which names the process in listings, if that still leads to it.
    private static func executablePath() -> String {
        let link = "/proc/self/exe"
        let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink(link, buffer.baseAddress.unsafelyUnwrapped, buffer.count)
            return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return access(path, X_OK) == 0 ? path : link
    }
}
