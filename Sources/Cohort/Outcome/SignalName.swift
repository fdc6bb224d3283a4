internal import Glibc

/// Names of Linux signals: what `kill -l` prints, with the prefix `SIG`.
package enum SignalName {
    private static let table: [(number: Int32, name: String)] = [
        (SIGHUP, "SIGHUP"), (SIGINT, "SIGINT"), (SIGQUIT, "SIGQUIT"), (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"),
        (SIGABRT, "SIGABRT"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"), (SIGKILL, "SIGKILL"), (SIGUSR1, "SIGUSR1"),
        (SIGSEGV, "SIGSEGV"), (SIGUSR2, "SIGUSR2"), (SIGPIPE, "SIGPIPE"), (SIGALRM, "SIGALRM"),
        (SIGTERM, "SIGTERM"), (SIGSTKFLT, "SIGSTKFLT"), (SIGCHLD, "SIGCHLD"), (SIGCONT, "SIGCONT"),
        (SIGSTOP, "SIGSTOP"), (SIGTSTP, "SIGTSTP"), (SIGTTIN, "SIGTTIN"), (SIGTTOU, "SIGTTOU"), (SIGURG, "SIGURG"),
        (SIGXCPU, "SIGXCPU"), (SIGXFSZ, "SIGXFSZ"), (SIGVTALRM, "SIGVTALRM"), (SIGPROF, "SIGPROF"),
        (SIGWINCH, "SIGWINCH"), (SIGIO, "SIGIO"), (SIGPWR, "SIGPWR"), (SIGSYS, "SIGSYS"),
    ]

    /// Signals without a name of their own, real-time signals above all, are told by their number: `SIG41`.
    package static func name(of number: Int32) -> String {
        table.first { $0.number == number }?.name ?? "SIG\(number)"
    }

    /// The inverse of `name(of:)`; `nil` for a text that names no signal.
    package static func number(of name: String) -> Int32? {
        if let entry = table.first(where: { $0.name == name }) { return entry.number }
        guard name.hasPrefix("SIG"), let number = Int32(name.dropFirst(3)), (1...64).contains(number) else {
            return nil
        }
        return number
    }
}
