internal import Cohort
package import CohortBatch
internal import CohortCore
internal import CohortProcess
package import CohortRuntime
internal import Glibc

/// Runs a batch on real processes while a plan makes things go wrong, and records all that is seen.
///
/// Everything happens on the calling thread, which waits in one place for processes, signals and the clock.
package final class ChaosRun {
    package struct Settings: Sendable {
        /// The `cohort` program that is put to the test.
        package var program: String
        /// The one that stands in for the programs of tasks: it is to tell the truth, whatever the other does.
        package var standIn: String
        package var batch: ChaosBatch
        package var plan: FaultPlan
        /// How long the batch may take.
        package var limit: Duration

        package init(program: String, standIn: String, batch: ChaosBatch, plan: FaultPlan, limit: Duration) {
            self.program = program
            self.standIn = standIn
            self.batch = batch
            self.plan = plan
            self.limit = limit
        }
    }

    /// How far the batch has come, as its evidence shows.
    package struct Progress: Sendable {
        package var total: Int
        /// Tasks that have come to a good end.
        package var ended: Int
        package var running: Int
        /// Faults injected so far.
        package var faults: Int
    }

    /// How often the evidence is read. Nobody is told of the end of another process's child: looking again is all there is.
    private static let interval = TimeSpan.milliseconds(20)
    /// How long a client that has been asked to end may take beyond its grace.
    private static let endPatience = Duration.seconds(5)
    /// How long processes may outlive what they belong to.
    private static let survival = Duration.seconds(2)

    private let settings: Settings
    private let signals: SignalDescriptor
    private let directory: RunDirectory
    private let pool: ChaosPool
    private var schedule: FaultSchedule
    /// Fills to come, by the rule's place in the plan.
    private var fills: [(rule: Int, fault: FillFault)]
    private var evidence: EvidenceReader
    private var record: RunRecord
    private var proxy: FaultProxy?
    private var client: SpawnedProcess?
    /// Processes of executions that have begun and not ended.
    private var running: [Int32: Execution] = [:]
    private var faults = 0
    private var ended = 0

    /// - Parameter signals: asks the run to stop.
    package init(_ settings: Settings, signals: SignalDescriptor) throws(ChaosError) {
        self.settings = settings
        self.signals = signals
        directory = try RunDirectory()
        do throws(ChaosError) {
            evidence = try EvidenceReader(creating: directory.file("evidence"))
            pool = try ChaosPool(directory, program: settings.program, plan: settings.plan)
        } catch {
            directory.remove()
            throw error
        }
        schedule = FaultSchedule(settings.plan, seed: settings.batch.seed, horizon: settings.limit)
        fills = settings.plan.faults.enumerated().compactMap { rule, fault in
            if case .fill(let fill) = fault.kind { (rule, fill) } else { nil }
        }
        record = RunRecord(batch: settings.batch, plan: settings.plan, limit: settings.limit, begun: .now)
    }

    /// Runs the batch to its end, or to the end of its time.
    ///
    /// - Parameter report: told now and then how far it has come.
    package func run(_ report: (Progress) -> Void) throws(ChaosError) -> RunRecord {
        defer { directory.remove() }
        do throws(ChaosError) {
            try begin()
            try attend(report)
        } catch {
            end()
            throw error
        }
        close()
        end()
        return record
    }

    // MARK: Beginning

    private func begin() throws(ChaosError) {
        let text: String
        do {
            text = try settings.batch.document(program: settings.standIn, evidence: directory.file("evidence"))
        } catch {
            throw .failed("cannot write the batch down: \(error)")
        }
        try directory.write("batch.json", text)
        try pool.startCoordinator(at: "coordinator", options: ["--state", directory.file("state")])
        record.keepsState = true
        proxy = try FaultProxy(
            at: directory.file("socket"),
            to: directory.file("coordinator"),
            faults: settings.plan.frameFaults,
            seed: settings.batch.seed
        )
        try pool.startWorkers(to: directory.endpoint("socket"))
        try startClient()
    }

    private func startClient() throws(ChaosError) {
        let output = try directory.log("outcome.json")
        defer { Glibc.close(output) }
        let errors = try directory.log("client.log")
        defer { Glibc.close(errors) }
        let arguments = [
            settings.program, "run", directory.file("batch.json"), "--connect", directory.endpoint("socket"),
            "--output", "json",
            "--no-progress",
        ]
        // It ends with this process: nothing else would tell it to.
        var request = SpawnRequest(
            arguments: arguments,
            program: settings.program,
            standardOutput: output,
            standardError: errors,
            newProcessGroup: true,
            parentDeathSignal: SIGKILL
        )
        request.environment.set(ChaosPool.markVariable, to: pool.mark)
        record.begun = .now
        proxy?.arm()
        do {
            client = try Spawn.spawn(request)
        } catch {
            throw .failed("cannot start '\(arguments.joined(separator: " "))': \(error)")
        }
    }

    // MARK: While it runs

    private func attend(_ report: (Progress) -> Void) throws(ChaosError) {
        guard let client else { return }
        let limit = Instant.now.advanced(by: TimeSpan(settings.limit))
        var askedToEnd: ContinuousClock.Instant?
        while true {
            let ready = Descriptors.wait(
                for: [client.pidfd, signals.descriptor] + pool.descriptors,
                timeout: Instant.now.advanced(by: Self.interval).since(.now).duration
            )
            observe()
            if ready.contains(client.pidfd) {
                if askedToEnd == nil || record.isInterrupted { record.ended = .now }
                break
            }
            injectWhatIsDue()
            try pool.tick()
            record.incidents += pool.takeIncidents()
            report(progress)
            if signals.next() != nil {
                // The second time nobody wants to wait.
                if record.isInterrupted { kill(client.pid, SIGKILL) }
                record.isInterrupted = true
                kill(client.pid, SIGINT)
            }
            guard Instant.now >= limit || record.isInterrupted else { continue }
            if let asked = askedToEnd {
                if ContinuousClock.now >= asked { kill(client.pid, SIGKILL) }
            } else {
                askedToEnd =
                    ContinuousClock.now + (settings.batch.groups.map(\.grace).max() ?? .zero) + Self.endPatience
                if !record.isInterrupted {
                    record.stopped = .now
                    kill(client.pid, SIGINT)
                }
            }
        }
    }

    private var progress: Progress {
        Progress(
            total: settings.batch.tasks.count,
            ended: min(ended, settings.batch.tasks.count),
            running: Set(running.values).count,
            faults: faults
        )
    }

    private func injectWhatIsDue() {
        // The client reads the batch first, which may take a while; the clock begins when it comes with it.
        guard let begun = proxy?.begun else { return }
        record.begun = begun
        let passed = Instant.now.since(begun).duration
        for (rule, fill) in fills where fill.at <= passed {
            faults += 1
            pool.fill(for: fill.length, rule: rule)
        }
        fills.removeAll { $0.fault.at <= passed }
        while let moment = schedule.nextMoment, record.begun.advanced(by: TimeSpan(moment)) <= .now,
            let entry = schedule.next()
        {
            faults += 1
            let seen = pool.inject(
                entry,
                calls: runningCalls,
                hasCalls: settings.batch.tasks.contains(where: \.isCall)
            )
            // Those that had not come to their first word yet are looked after all the same.
            running.merge(seen) { known, _ in known }
        }
    }

    /// Executions of calls below a worker's process.
    private func runningCalls(below worker: Int32) -> [Execution] {
        running.values.filter { execution in
            record.batch.tasks[execution.task].isCall
                && record.evidence.last { $0.task == execution.task && $0.attempt == execution.attempt }?.parent
                    == worker
        }
    }

    /// Reads new evidence, and looks which executions have gone without any.
    private func observe() {
        for evidence in evidence.next() {
            record.evidence.append(evidence)
            let execution = Execution(task: evidence.task, attempt: evidence.attempt)
            switch evidence.fact {
            case .started: running[evidence.process] = execution
            case .injected: faults += 1
            case .exited, .signalled:
                running[evidence.process] = nil
                if evidence.fact == .exited(code: 0) { ended += 1 }
            }
        }
        for (process, execution) in running where !MarkedProcess.isRunning(process) {
            running[process] = nil
            // Its last words may have come since they were read.
            record.gone[execution] = max(record.gone[execution] ?? record.begun, .now)
        }
    }

    // MARK: Ending

    /// The client has gone: looks what is left, and takes in what it has told.
    private func close() {
        let left = leftovers().filter { $0.isTask }
        record.leftAtClose = left.map(\.leftover)
        observe()
        record.incidents += pool.takeIncidents() + pool.unexpectedDeaths()
        if let client {
            record.status = Spawn.reap(client.pid)
            Glibc.close(client.pidfd)
            self.client = nil
        }
        record.message = directory.read("client.log", limit: 64 << 10)
        record.document = (try? OutcomeDocument(jsonText: directory.read("outcome.json"))).map(settings.batch.restoring)
    }

    /// Ends whatever there is, and looks whether anything stays.
    private func end() {
        if let client {
            kill(client.pid, SIGKILL)
            _ = Spawn.reap(client.pid)
            Glibc.close(client.pidfd)
            self.client = nil
        }
        pool.stop()
        if let proxy {
            record.messages = proxy.counts
            proxy.stop()
            self.proxy = nil
        }
        let limit = ContinuousClock.now + Self.survival
        var left = leftovers()
        while !left.isEmpty, ContinuousClock.now < limit {
            usleep(10_000)
            left = leftovers()
        }
        record.survivors = left.map(\.leftover)
        for process in left { kill(process.leftover.pid, SIGKILL) }
        observe()
    }

    private func leftovers() -> [(leftover: RunRecord.Leftover, isTask: Bool)] {
        MarkedProcess.all(with: pool.markEntry).map { process in
            let worker = process[ChaosPool.workerVariable].flatMap { Int($0) }
            let leftover = RunRecord.Leftover(pid: process.pid, command: process.command, worker: worker)
            return (leftover, process[ChaosBatch.taskVariable] != nil)
        }
    }
}
