internal import CCohortProcess
internal import Glibc

/// The life of a process that keeps a program running: starts it under a guardian, hands it the signals that ask a program
/// to end, and starts it again when it dies.
///
/// At the end of the owner's descriptor (`Guardian.ownerVariable`) everything is killed, and the supervisor leaves.
package struct Supervisor {
    /// What one life of the program is started with.
    package struct Life {
        package var variables: [(String, String)]
        /// Descriptors that it inherits under the same numbers.
        package var descriptors: [Int32]

        package init(variables: [(String, String)] = [], descriptors: [Int32] = []) {
            self.variables = variables
            self.descriptors = descriptors
        }
    }

    /// What becomes of a program that has ended.
    package enum Verdict {
        /// It has done what it was to do.
        case leave
        /// It has died, and is to be started again if the budget allows.
        case restart
    }

    private let signals: Int32
    private let owner: Int32?
    private var leftovers: Guardian.Leftovers
    private let lastWords: Guardian.LastWords?
    private var restarts: RestartBudget
    private let memory: MemoryKills
    private let memoryInterval: Duration
    private let patience: Duration
    /// It was asked to end: what dies now stays dead.
    private var isEnding = false

    /// Prepares this process, which must not have other threads yet that take signals.
    ///
    /// - Parameters:
    ///   - leftovers: removed when the owner has gone.
    ///   - lastWords: said on standard error when this process has been killed.
    ///   - memory: tells of kills for want of memory.
    ///   - memoryInterval: how often to look at them while the program runs.
    ///   - patience: how long a guardian may take to end what is below it when the owner has gone; it needs far less.
    package init(
        restarts: RestartBudget,
        leftovers: Guardian.Leftovers = Guardian.Leftovers(),
        lastWords: Guardian.LastWords? = nil,
        memory: MemoryKills = MemoryKills(),
        memoryInterval: Duration = .seconds(1),
        patience: Duration = .seconds(1)
    ) throws(SpawnError) {
        try ProcessTree.becomeSubreaper()
        cohort_name_process("cohort-superv")
        owner = try Self.ownerDescriptor()
        signals = try Self.signalDescriptor()
        self.restarts = restarts
        self.leftovers = leftovers
        self.lastWords = lastWords
        self.memory = memory
        self.memoryInterval = memoryInterval
        self.patience = patience
    }

    /// Runs the program until it ends for good; then the process exits with the program's code, or 128 and its signal.
    ///
    /// - Parameters:
    ///   - begin: called before each start.
    ///   - onEnd: called when the program, its guardian and all that it has started are gone; `outOfMemory` says that there
    ///     is evidence of the kernel having killed it for want of memory.
    ///   - says: told why the program is started again, or is not.
    package mutating func run(
        begin: () throws -> Life,
        onEnd: (_ status: ExitStatus, _ outOfMemory: Bool) -> Verdict,
        says: (String) -> Void
    ) throws -> Never {
        while true {
            let life = try begin()
            leftovers.controlGroup = ControlGroup.make()
            // Of this life alone: what the kernel has killed in an earlier one says nothing of this one's death.
            var evidence = MemoryEvidence(memory)
            let guardian = try Guardian.start(
                variables: life.variables,
                passing: life.descriptors,
                leftovers: leftovers,
                lastWords: lastWords
            )
            guard watch(guardian, &evidence) else {
                guardian.end(within: patience)
                ownerHasGone()
            }
            let status = guardian.collect()
            leftovers.controlGroup?.remove()
            leftovers.controlGroup = nil
            let outOfMemory = status.isKill && evidence.isFresh
            guard case .restart = onEnd(status, outOfMemory), !isEnding else { exit(status.shellCode) }
            let delay = restarts.takeStart(at: Self.now(), jitter: .random(in: 0...1))
            guard let delay else {
                let after = restarts.limit > 0 ? " after \(restarts.limit) restarts in \(restarts.period)" : ""
                says("it has died, \(status.text); given up\(after)")
                exit(status.shellCode)
            }
            says("it has died, \(status.text), and is started again")
            pause(delay, status)
        }
    }

    /// Forwards signals until the guardian has ended; false if the owner went first.
    private mutating func watch(_ guardian: Guardian, _ evidence: inout MemoryEvidence) -> Bool {
        while true {
            let ready = wait(for: guardian.pidfd, memoryInterval)
            // The guardian may take a while to end what the program has left: the evidence of its death stays as it was.
            if ready == (nil, false, false), guardian.isProgramRunning { evidence.look() }
            if ready.owner { return false }
            if let signal = ready.signal {
                isEnding = true
                guardian.signal(signal)
            }
            if ready.descriptor { return true }
        }
    }

    /// Waits before a restart; ends the process if it is asked to end meanwhile.
    private mutating func pause(_ delay: Duration, _ status: ExitStatus) {
        let end = Self.now() + delay
        while case let left = end - Self.now(), left > .zero {
            let ready = wait(for: -1, left)
            if ready.owner { ownerHasGone() }
            if ready.signal != nil { exit(status.shellCode) }
        }
    }

    private func ownerHasGone() -> Never {
        leftovers.remove()
        exit(128 + SIGKILL)
    }

    private func wait(for descriptor: Int32, _ limit: Duration) -> (signal: Int32?, owner: Bool, descriptor: Bool) {
        // A negative descriptor is one that poll passes over.
        var polled = [signals, owner ?? -1, descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&polled, nfds_t(polled.count), limit.pollMilliseconds) > 0 else { return (nil, false, false) }
        return (
            signal: polled[0].revents != 0 ? nextSignal() : nil,
            owner: polled[1].revents != 0 && Self.hasEnded(polled[1].fd),
            descriptor: polled[2].revents != 0
        )
    }

    private func nextSignal() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout.size(ofValue: info)
        return read(signals, &info, size) == size ? Int32(info.ssi_signo) : nil
    }

    /// Takes what there is to read; true at the end.
    private static func hasEnded(_ descriptor: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            return count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)
        }
    }

    private static func ownerDescriptor() throws(SpawnError) -> Int32? {
        guard let value = getenv(Guardian.ownerVariable).map({ String(cString: $0) }) else { return nil }
        guard let descriptor = Int32(value), fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw .invalidRequest("\(Guardian.ownerVariable)=\(value) is not the number of an open descriptor")
        }
        return descriptor
    }

    private static func signalDescriptor() throws(SpawnError) -> Int32 {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, signal) }
        // Blocked, they wait in the descriptor, those too that come before the program is there.
        sigprocmask(SIG_BLOCK, &signals, nil)
        let descriptor = signalfd(-1, &signals, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        if descriptor < 0 { throw .system("make a signalfd", errno) }
        return descriptor
    }

    private static func now() -> Duration { .nanoseconds(ProcessReactor.now()) }
}

extension Duration {
    /// As poll(2) takes it, rounded up: to wake a little late is better than to find that nothing is due.
    var pollMilliseconds: Int32 { Int32(clamping: Int((self / .milliseconds(1)).rounded(.up))) }
}

extension ExitStatus {
    /// Ended by SIGKILL, whoever has sent it.
    fileprivate var isKill: Bool {
        if case .signalled(SIGKILL, _) = self { true } else { false }
    }

    /// In words.
    var text: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal, let dumped): "killed by signal \(signal)\(dumped ? ", core dumped" : "")"
        }
    }
}
