/// What a `ProcessLoop` tells of a command. For each start: `startFailed` alone, or `started`, any `output`, one `exited`.
package enum ProcessEvent: Sendable {
    package enum Stream: Sendable, Hashable {
        case stdout
        case stderr
    }

    case started(id: UInt64, pid: Int32)
    /// The command never ran.
    case startFailed(id: UInt64, SpawnError)
    /// Output in the order in which it was written to its stream: at most 64 KiB, and never more than the credit.
    case output(id: UInt64, stream: Stream, bytes: [UInt8])
    /// The command and every process it left behind are gone, and nothing more is reported of it.
    case exited(id: UInt64, report: ExitReport)
}

/// How a command ended, and what it used.
package struct ExitReport: Sendable, Hashable {
    /// Wait status of the command's own process.
    package var status: ExitStatus
    /// It had to be killed: its process lived when the grace of a cancel ran out, or when `kill` was called.
    package var forced: Bool
    /// A cancel's SIGTERM was sent before it had ended.
    package var signalSent: Bool
    /// CPU time of the command and of all its processes that were waited for.
    package var userTime: Duration
    package var systemTime: Duration
    /// Peak resident memory of its largest process. nil where the kernel's figure says nothing: it starts at the peak of
    /// the process that does the spawning, so that smaller commands cannot be told apart.
    package var maxResidentBytes: Int?
    /// From the start to the end of the command's own process.
    package var elapsed: Duration
    /// The last 4 KiB of stderr.
    package var stderrTail: [UInt8]
    /// How much it wrote, whether reported or not.
    package var stdoutBytes: Int
    package var stderrBytes: Int
    /// How much of that was never reported, because it was killed or the grace of a cancel ran out before a grant came.
    package var droppedBytes: Int
    /// How many processes it left behind when it ended that had to be killed.
    package var strays: Int
}
