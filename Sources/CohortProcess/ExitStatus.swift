internal import CCohortProcess

/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
    /// It left with an exit code, 0 to 255.
    case exited(code: Int32)
    /// A signal ended it.
    case signalled(signal: Int32, coreDumped: Bool)

    /// From the status word of wait(2).
    package init(waitStatus: Int32) {
        if cohort_wait_exited(waitStatus) {
            self = .exited(code: cohort_wait_exit_code(waitStatus))
        } else {
            self = .signalled(
                signal: cohort_wait_signal(waitStatus),
                coreDumped: cohort_wait_core_dumped(waitStatus)
            )
        }
    }

    /// The status as shells give it: the exit code, or 128 and the signal.
    package var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal, _): 128 + signal
        }
    }
}
