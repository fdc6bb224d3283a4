package import Cohort
internal import Glibc

/// A log of tasks in the format of GNU parallel's `--joblog`, so that whatever reads the one reads the other.
///
/// One line a task, written when it has ended. A line that cannot be written whole, on a full disk say, is taken back.
package final class JobLog {
    /// One line of the log.
    package struct Entry: Sendable, Equatable {
        /// Number of the task, from 1.
        package var sequence: Int
        /// `:` stands for this machine.
        package var host: String
        package var start: Timestamp
        package var runTime: Duration
        /// Bytes of input sent to the task.
        package var sent: Int
        /// Bytes of output received from it.
        package var received: Int
        /// `-1` for a task that Cohort stopped or lost.
        package var exitValue: Int
        /// Number of the signal that ended it, or 0.
        package var signal: Int32
        package var command: String

        package init(
            sequence: Int,
            host: String = ":",
            start: Timestamp,
            runTime: Duration,
            sent: Int = 0,
            received: Int,
            exitValue: Int,
            signal: Int32,
            command: String
        ) {
            self.sequence = sequence
            self.host = host
            self.start = start
            self.runTime = runTime
            self.sent = sent
            self.received = received
            self.exitValue = exitValue
            self.signal = signal
            self.command = command
        }

        /// - Returns: `nil` for a task that never started: a log that is read to go on after an interruption must not
        ///   name what is still to be run.
        package init?(sequence: Int, start: Timestamp, received: Int, result: TaskResult) {
            guard result.started else { return nil }
            let signal = result.signal.flatMap(SignalName.number) ?? 0
            let exitValue =
                switch result.outcome {
                case .ok: 0
                case .error: result.exitCode ?? (signal == 0 ? 1 : 0)
                // It may well have exited with 0 when it was told to stop; two zeros would read as success.
                case .timeout, .cancelled, .lost: -1
                }
            self.init(
                sequence: sequence,
                host: result.host ?? ":",
                start: start,
                runTime: result.elapsed,
                received: received,
                exitValue: exitValue,
                signal: signal,
                command: result.command ?? result.name
            )
        }
    }

    /// The first line of every log.
    package static let header = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

    private let path: String
    private let descriptor: Int32

    /// Creates or empties the file and writes the header.
    ///
    /// - Parameter appending: Keeps what is in the file; the header is written only to an empty one.
    package init(path: String, appending: Bool = false) throws(ReportError) {
        self.path = path
        descriptor = try FileIO.open(path, O_WRONLY | O_CREAT | O_APPEND | (appending ? 0 : O_TRUNC))
        if lseek(descriptor, 0, SEEK_END) <= 0 { try write(Self.header) }
    }

    deinit {
        close(descriptor)
    }

    package func append(_ entry: Entry) throws(ReportError) {
        try write(Self.line(entry))
    }

    /// The line of a task, with its line break.
    package static func line(_ entry: Entry) -> String {
        let start = DurationText.fixed(Double(max(0, entry.start.milliseconds)) / 1_000, places: 3)
        let runTime = DurationText.fixed(max(0, entry.runTime.inSeconds), places: 3)
        let columns = [
            "\(entry.sequence)", replacing(["\t", "\n"], by: " ", in: entry.host), start,
            String(repeating: " ", count: max(0, 10 - runTime.count)) + runTime,
            "\(entry.sent)", "\(entry.received)", "\(entry.exitValue)", "\(entry.signal)",
            // As GNU parallel does it: the command is the last column and may hold tabs, but not line breaks.
            replacing(["\n"], by: "\0", in: entry.command),
        ]
        return columns.joined(separator: "\t") + "\n"
    }

    private static func replacing(
        _ scalars: Set<Unicode.Scalar>,
        by stand: Unicode.Scalar,
        in text: String
    ) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { scalars.contains($0) ? stand : $0 }))
    }

    private func write(_ line: String) throws(ReportError) {
        let length = lseek(descriptor, 0, SEEK_END)
        let failure = FileIO.writeAll(Array(line.utf8).span.bytes, to: descriptor)
        guard failure != 0 else { return }
        // Fails on what is not a file, where nothing can be taken back.
        if length >= 0 { _ = ftruncate(descriptor, length) }
        throw ReportError.file(path: path, action: "write to", errno: failure)
    }
}
