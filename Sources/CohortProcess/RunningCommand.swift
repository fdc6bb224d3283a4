internal import CCohortProcess
internal import Glibc

/// One command of a `ProcessReactor`. Confined to the reactor's thread.
final class RunningCommand {
    enum Phase {
        /// Its own process lives, as far as is known.
        case running
        /// Its own process has ended and is kept unreaped, so that its pid, which is also the number of its process group
        /// and session, cannot be given to another; processes that it left behind are being killed.
        case ending
        /// All its processes are gone; what they wrote is still to be reported.
        case draining
    }

    /// The caller's name for it.
    let id: UInt64
    /// Unique in the life of the reactor.
    let serial: UInt64
    let startedAt: Int64
    var phase = Phase.running
    var pid: Int32 = -1
    var pidfd: Int32 = -1

    var input: InputPipe?
    let stdout: OutputPipe
    let stderr: OutputPipe
    /// Bytes of output that may still be reported.
    var credit: Int
    /// It stands in the reactor's list of those that have something to read.
    var isReady = false

    var signalSent = false
    var forced = false
    /// Output that is not covered by the credit is thrown away once the processes are gone.
    var abandonsOutput = false
    /// End of the grace, once it was cancelled.
    var killAt: Int64?

    var status = ExitStatus.exited(code: 0)
    var endedAt: Int64 = 0
    var usage = ResourceUsage()
    var strays = 0
    var droppedBytes = 0
    var tail = OutputTail()

    init(id: UInt64, serial: UInt64, startedAt: Int64, stdout: OutputPipe, stderr: OutputPipe, credit: Int) {
        self.id = id
        self.serial = serial
        self.startedAt = startedAt
        self.stdout = stdout
        self.stderr = stderr
        self.credit = max(0, credit)
    }

    /// The report, once all is known.
    var report: ExitReport {
        ExitReport(
            status: status,
            forced: forced,
            signalSent: signalSent,
            userTime: usage.userTime,
            systemTime: usage.systemTime,
            maxResidentBytes: usage.peakResidentBytes,
            elapsed: .nanoseconds(endedAt - startedAt),
            stderrTail: tail.content,
            stdoutBytes: stdout.total,
            stderrBytes: stderr.total,
            droppedBytes: droppedBytes,
            strays: strays
        )
    }
}

/// The reading end of a command's stdout or stderr.
final class OutputPipe {
    let stream: ProcessEvent.Stream
    /// -1 once closed.
    private(set) var descriptor: Int32
    /// May hold bytes: epoll reported it and no read has found it empty since.
    private(set) var isReadable = false
    /// Bytes taken out so far.
    private(set) var total = 0
    /// How many bytes belong to the command, once its processes are gone. Whoever else holds the pipe may write on.
    private(set) var remaining: Int?

    init(_ stream: ProcessEvent.Stream, descriptor: Int32) {
        self.stream = stream
        self.descriptor = descriptor
    }

    var isOpen: Bool { descriptor >= 0 }

    /// epoll reported it. The news may be older than the end of the pipe.
    func noteReadable() {
        isReadable = isOpen
    }

    func close() {
        guard isOpen else { return }
        Glibc.close(descriptor)
        descriptor = -1
        isReadable = false
    }

    /// No process of the command writes any more: what the pipe holds now is the rest.
    func limitToContent() {
        guard isOpen else { return }
        remaining = Int(max(0, cohort_bytes_readable(descriptor)))
        isReadable = true
    }

    /// Moves bytes into `buffer` and returns how many. 0 when there are none: the pipe is then closed, or not readable.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let size = min(buffer.count, remaining ?? buffer.count)
        var count = 0
        if size > 0 {
            repeat {
                count = Glibc.read(descriptor, buffer.baseAddress, size)
            } while count < 0 && errno == EINTR
        }
        if count > 0 {
            total += count
            remaining? -= count
            return count
        }
        if count < 0 && errno == EAGAIN && remaining == nil {
            isReadable = false
        } else {
            close()
        }
        return 0
    }
}

/// The writing end of a command's stdin and what is still to be written.
struct InputPipe {
    let descriptor: Int32
    var bytes: ArraySlice<UInt8>

    /// Writes as much as fits; true when there is nothing left to do.
    mutating func write() -> Bool {
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                // Else the reader is gone, which is its own affair.
                return errno != EAGAIN
            }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}

/// The last bytes of a stream.
struct OutputTail {
    static let limit = 4096
    /// Up to twice the limit, so that small writes are not shifted each time.
    private var bytes: [UInt8] = []

    var content: [UInt8] { Array(bytes.suffix(OutputTail.limit)) }

    mutating func append(_ new: UnsafeRawBufferPointer) {
        if new.count >= OutputTail.limit {
            bytes.removeAll(keepingCapacity: true)
        } else if bytes.count + new.count > 2 * OutputTail.limit {
            bytes.removeFirst(bytes.count - OutputTail.limit)
        }
        bytes.append(contentsOf: new.suffix(OutputTail.limit))
    }
}

/// What processes have used, summed over those that were reaped.
struct ResourceUsage {
    private(set) var userTime = Duration.zero
    private(set) var systemTime = Duration.zero
    private(set) var peakResidentBytes: Int?

    mutating func add(_ usage: rusage, ownPeakKilobytes: Int) {
        userTime += ResourceUsage.duration(usage.ru_utime)
        systemTime += ResourceUsage.duration(usage.ru_stime)
        if usage.ru_maxrss > ownPeakKilobytes {
            peakResidentBytes = max(peakResidentBytes ?? 0, usage.ru_maxrss * 1024)
        }
    }

    private static func duration(_ time: timeval) -> Duration {
        .seconds(time.tv_sec) + .microseconds(time.tv_usec)
    }
}
