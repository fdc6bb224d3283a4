internal import CohortProcess
internal import CohortRuntime
@preconcurrency internal import Glibc

/// Runs the program of a task in its stead, with what the plan has in store for it, and leaves evidence.
///
/// Signals for the task reach its program too, as both are in one process group; this process waits for how it takes them, and
/// then ends in the same way.
package enum InjectedCommand {
    /// - Parameter words: the program of the task and its arguments.
    package static func run(_ order: InjectionOrder, _ words: [String]) throws -> Never {
        let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        let attempt = getenv("COHORT_ATTEMPT").flatMap { Int(String(cString: $0)) } ?? 1
        let evidence = EvidenceWriter(order, attempt: attempt)
        evidence.note(.started)
        let decision = order.decision(attempt: attempt)
        for rule in decision.rules { evidence.note(.injected(rule: rule)) }
        if decision.delay > .zero { pause(for: decision.delay, signals, evidence) }
        switch decision.ending {
        case .hang:
            while true { pause(for: .seconds(3_600), signals, evidence) }
        case .fail(let status, let message):
            fputs("cohort chaos: \(message)\n", stderr)
            leave(.exited(code: Int32(status)), evidence)
        case nil:
            execute(words, signals, evidence)
        }
    }

    /// Waits, unless a signal asks the task to end.
    private static func pause(for length: Duration, _ signals: SignalDescriptor, _ evidence: EvidenceWriter) {
        let end = ContinuousClock.now + length
        while case let left = ContinuousClock.now.duration(to: end), left > .zero {
            guard !Descriptors.wait(for: [signals.descriptor], timeout: left).isEmpty, let signal = signals.next()
            else { continue }
            leave(.signalled(signal: signal, coreDumped: false), evidence)
        }
    }

    private static func execute(_ words: [String], _ signals: SignalDescriptor, _ evidence: EvidenceWriter) -> Never {
        let program: SpawnedProcess
        do {
            program = try Spawn.spawn(SpawnRequest(arguments: words))
        } catch {
            fputs("cohort chaos: \(error)\n", stderr)
            leave(.exited(code: 127), evidence)
        }
        while !Descriptors.wait(for: [program.pidfd, signals.descriptor]).contains(program.pidfd) {
            // The program has got it as well.
            while signals.next() != nil {}
        }
        leave(Spawn.reap(program.pid) ?? .exited(code: 1), evidence)
    }

    /// Ends this process as the program has ended.
    private static func leave(_ status: ExitStatus, _ evidence: EvidenceWriter) -> Never {
        switch status {
        case .exited(let code):
            evidence.note(.exited(code: code))
            exit(code)
        case .signalled(let signal, _):
            evidence.note(.signalled(signal))
            // The program has left its core already.
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, signal)
            Glibc.signal(signal, SIG_DFL)
            kill(getpid(), signal)
            pthread_sigmask(SIG_UNBLOCK, &set, nil)
            exit(128 + signal)
        }
    }
}
