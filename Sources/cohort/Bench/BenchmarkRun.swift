internal import Cohort
internal import CohortCore
internal import CohortProcess
internal import CohortRuntime
internal import CohortWire
@preconcurrency internal import Glibc
internal import Histogram

/// Measures, one thing after another, on pools of one's own or on a running coordinator.
struct BenchmarkRun {
    private let settings: BenchmarkSettings
    private let clock = ContinuousClock()
    private(set) var report: BenchmarkReport

    init(_ settings: BenchmarkSettings) {
        self.settings = settings
        report = BenchmarkReport(slots: settings.slots, endpoint: settings.endpoint)
    }

    mutating func measure(_ benchmarks: [Benchmark]) throws {
        let throughput = benchmarks.filter { !$0.needsOwnPool }
        if !throughput.isEmpty {
            try onConnection { run, connection in
                for benchmark in throughput { try run.measure(benchmark, on: connection) }
                run.report.peaks = run.peaks(of: connection)
            }
        }
        // Pools of their own: what ran before must not count.
        if benchmarks.contains(.queued) { try onConnection { run, connection in try run.measureQueue(on: connection) } }
        if benchmarks.contains(.start) { try measureStart() }
    }

    private mutating func onConnection(_ body: (inout BenchmarkRun, Connection) throws -> Void) throws {
        let connection = try Connection(
            endpoint: settings.endpoint,
            keys: settings.keys,
            slots: settings.slots,
            name: "cohort bench"
        )
        defer { connection.close() }
        try body(&self, connection)
    }

    private mutating func measure(_ benchmark: Benchmark, on connection: Connection) throws {
        switch benchmark {
        case .calls:
            report.calls = try rate(of: callGroup(on: connection), settings.calls, BenchmarkSettings.callWindow)
        case .roundtrip: report.roundTrip = try roundTrips(on: connection)
        case .commands:
            report.commands = try rate(
                of: commandGroup(on: connection),
                settings.commands,
                BenchmarkSettings.commandWindow
            )
        case .queued, .start: break
        }
    }

    // MARK: Tasks

    /// Calls of `demo.echo`, which returns the payload: it travels both ways.
    private func callGroup(on connection: Connection) throws -> BenchmarkGroup {
        let template = TaskTemplate(name: "call", function: "demo.echo", output: .stream)
        return try group(template, payload: Self.payload, on: connection)
    }

    private func commandGroup(on connection: Connection) throws -> BenchmarkGroup {
        let template = TaskTemplate(name: "true", output: .stream, spec: CommandSettings().bytes)
        let payload = CommandPayload(program: .arguments([Array("/bin/true".utf8)])).bytes
        return try group(template, payload: payload, on: connection)
    }

    /// Opens a group that somebody can run: with nobody to do so, tasks at a running coordinator would wait for ever. A pool
    /// of one's own has its worker, if only in a moment.
    private func group(
        _ template: TaskTemplate,
        payload: [UInt8],
        on connection: Connection
    ) throws -> BenchmarkGroup {
        let group = BenchmarkGroup(template, payload: payload, on: connection)
        guard let endpoint = settings.endpoint else { return group }
        let workers = try group.awaitAnswer().workers.filter { !$0.draining }
        if workers.isEmpty { throw Failure(.usage, "no worker is connected to \(endpoint)") }
        let isOffered = template.function.isEmpty || workers.contains { $0.functions.contains(template.function) }
        if !isOffered { throw Failure(.usage, "no worker connected to \(endpoint) offers \(template.function)") }
        return group
    }

    /// A string in JSON.
    private static var payload: [UInt8] {
        let quote = UInt8(ascii: "\"")
        return [quote] + Array(repeating: UInt8(ascii: "x"), count: BenchmarkSettings.payloadBytes - 2) + [quote]
    }

    /// Runs as many tasks as asked, after a twentieth of them, by which all processes have been started.
    private func rate(of group: BenchmarkGroup, _ count: Int, _ window: Int) throws -> BenchmarkReport.Rate {
        try group.run(max(count / 20, 1), window: window)
        let elapsed = try clock.measure { try group.run(count, window: window) }
        try group.close()
        return BenchmarkReport.Rate(count: count, elapsed: elapsed)
    }

    private func roundTrips(on connection: Connection) throws -> Histogram<UInt32> {
        let group = try callGroup(on: connection)
        for _ in 0..<BenchmarkSettings.roundTrips / 20 { try group.run(1, window: 1) }
        var histogram = Histogram<UInt32>(numberOfSignificantValueDigits: .three)
        for _ in 0..<BenchmarkSettings.roundTrips {
            histogram.record(try clock.measure { try group.run(1, window: 1) }.nanoseconds)
        }
        try group.close()
        return histogram
    }

    // MARK: Memory

    /// `nil` for processes that are not this pool's own.
    private func peaks(of connection: Connection) -> BenchmarkReport.Peaks? {
        guard let (coordinator, worker) = connection.pool?.processIDs else { return nil }
        // The guardian, the worker and its call hosts.
        let workers = [worker] + ProcessTree.descendants(of: worker)
        return BenchmarkReport.Peaks(
            client: ProcessMemory.peak(getpid()) ?? 0,
            coordinator: ProcessMemory.peak(coordinator) ?? 0,
            worker: workers.compactMap(ProcessMemory.peak).max() ?? 0
        )
    }

    /// Queues calls of a function that no worker offers.
    private mutating func measureQueue(on connection: Connection) throws {
        guard let coordinator = connection.pool?.processIDs.coordinator else { return }
        let template = TaskTemplate(name: "waiting", function: "bench.offered-by-nobody")
        let group = BenchmarkGroup(template, payload: Self.payload, on: connection)
        try group.awaitAnswer()
        let before = ProcessMemory.resident(coordinator) ?? 0
        let elapsed = try clock.measure { try group.queue(settings.queued) }
        let after = ProcessMemory.resident(coordinator) ?? 0
        report.queue = BenchmarkReport.Queue(tasks: settings.queued, before: before, after: after, elapsed: elapsed)
    }

    // MARK: Start

    private mutating func measureStart() throws {
        var first = Histogram<UInt32>(numberOfSignificantValueDigits: .three)
        var whole = first
        for _ in 0..<BenchmarkSettings.starts {
            let times = try runOnce()
            first.record(times.first.nanoseconds)
            whole.record(times.whole.nanoseconds)
        }
        report.firstResult = first
        report.wholeRun = whole
    }

    /// Starts `cohort run` with one command, and waits for its output and its end.
    private func runOnce() throws -> (first: Duration, whole: Duration) {
        let batch = try Self.pipe()
        let result = try Self.pipe()
        let text = #"{"tasks": [{"run": ["echo", "done"]}]}"#
        _ = text.withCString { write(batch.writing, $0, strlen($0)) }
        close(batch.writing)
        defer {
            close(batch.reading)
            close(result.reading)
        }
        let start = clock.now
        let process: SpawnedProcess
        do throws(SpawnError) {
            process = try Spawn.spawn(
                SpawnRequest(
                    arguments: ["cohort", "run", "-", "-j", String(settings.slots)],
                    program: Host.executable,
                    standardInput: batch.reading,
                    standardOutput: result.writing
                )
            )
        } catch {
            close(result.writing)
            throw Failure(.here, "cannot start 'cohort run': \(error)")
        }
        close(result.writing)
        _ = Descriptors.wait(for: [result.reading])
        let first = clock.now - start
        let status = Spawn.reap(process.pid)
        let whole = clock.now - start
        close(process.pidfd)
        guard status == .exited(code: 0) else {
            throw Failure(.here, "'cohort run' failed: \(status.map { "\($0)" } ?? "lost")")
        }
        return (first, whole)
    }

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw Failure(.here, "cannot open a pipe: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }
}

extension Duration {
    /// Whole nanoseconds of a span that is not negative.
    fileprivate var nanoseconds: UInt64 { TimeSpan(self).nanoseconds }
}
