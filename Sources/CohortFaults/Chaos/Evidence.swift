package import CohortCore
internal import CohortRuntime
internal import Glibc

/// What an execution of a task leaves behind, whatever becomes of it afterwards: one line a fact, in a file to which all append.
package struct Evidence: Sendable, Equatable {
    package enum Fact: Sendable, Equatable {
        case started
        /// A rule of the plan takes effect.
        case injected(rule: Int)
        /// The task's own program has ended, or a call has returned (0) or thrown (1).
        case exited(code: Int32)
        case signalled(Int32)
    }

    package var fact: Fact
    /// The task's place among all tasks of the batch.
    package var task: Int
    /// Which execution of it, from 1, as the coordinator counts.
    package var attempt: Int
    /// The process: of a command its own, of a call its host.
    package var process: Int32
    /// The process above: the worker.
    package var parent: Int32
    /// On the machine's monotonic clock.
    package var at: Instant

    package init(_ fact: Fact, task: Int, attempt: Int, process: Int32, parent: Int32, at: Instant) {
        self.fact = fact
        self.task = task
        self.attempt = attempt
        self.process = process
        self.parent = parent
        self.at = at
    }

    /// `start 12 1 4711 4700 123456789`, without the line's end.
    package var line: String {
        let place = "\(task) \(attempt) \(process) \(parent) \(at.nanoseconds)"
        return switch fact {
        case .started: "start \(place)"
        case .injected(let rule): "inject \(place) \(rule)"
        case .exited(let code): "exit \(place) \(code)"
        case .signalled(let signal): "signal \(place) \(signal)"
        }
    }

    package init?(line: Substring) {
        let fields = line.split(separator: " ")
        let numbers = fields.dropFirst().compactMap { UInt64($0) }
        guard numbers.count == fields.count - 1, numbers.count >= 5,
            let task = Int(exactly: numbers[0]), let attempt = Int(exactly: numbers[1]),
            let process = Int32(exactly: numbers[2]), let parent = Int32(exactly: numbers[3])
        else { return nil }
        let detail = numbers.count == 6 ? Int32(exactly: numbers[5]) : nil
        switch (fields.first, detail) {
        case ("start", nil): fact = .started
        case ("inject", let rule?): fact = .injected(rule: Int(rule))
        case ("exit", let code?): fact = .exited(code: code)
        case ("signal", let signal?): fact = .signalled(signal)
        default: return nil
        }
        self.task = task
        self.attempt = attempt
        self.process = process
        self.parent = parent
        at = Instant(nanoseconds: numbers[4])
    }
}

/// Leaves evidence in the name of one execution.
package struct EvidenceWriter: Sendable {
    private let path: String?
    private let task: Int
    private let attempt: Int

    package init(_ order: InjectionOrder, attempt: Int) {
        path = order.evidence
        task = order.task
        self.attempt = attempt
    }

    /// Appends a line. One write of a short line to a file opened for appending is never torn, whoever else writes.
    package func note(_ fact: Evidence.Fact) {
        guard let path else { return }
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let evidence = Evidence(fact, task: task, attempt: attempt, process: getpid(), parent: getppid(), at: .now)
        let bytes = Array((evidence.line + "\n").utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}

/// Reads evidence as it comes.
struct EvidenceReader: ~Copyable {
    private let descriptor: Int32
    private var rest: [UInt8] = []

    /// Makes the file.
    init(creating path: String) throws(ChaosError) {
        descriptor = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("make \(path)", errno) }
    }

    deinit { close(descriptor) }

    /// What has been written since the last time.
    mutating func next() -> [Evidence] {
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { buffer in
            while case let count = read(descriptor, buffer.baseAddress, buffer.count), count > 0 {
                rest.append(contentsOf: buffer[..<count])
            }
        }
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = String(decoding: rest[...end], as: UTF8.self)
        rest.removeSubrange(...end)
        return lines.split(separator: "\n").compactMap { Evidence(line: $0) }
    }
}
