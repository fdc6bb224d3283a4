internal import CCohortProcess
internal import CohortBatch
internal import CohortCore
internal import CohortProcess
internal import CohortRuntime
internal import Glibc

/// The processes of a run: a coordinator and workers, each started as a user would start it, and again when it has died.
///
/// All hold the reading end of a pipe whose writing end is only here: however this process ends, they end too.
final class ChaosPool {
    /// A variable that every process of a run inherits.
    static let markVariable = InjectedEnvironment.mark
    /// Tells below which worker a process was started, from 0.
    static let workerVariable = "COHORT_CHAOS_WORKER"

    /// A process of the pool, in all its lives.
    private struct Member {
        let target: ProcessFault.Target
        let worker: Int?
        let arguments: [String]
        let log: String
        var process: SpawnedProcess?
        /// The plan has killed it, or its worker so often that it gives up.
        var expectsEnd = false
        /// It is not to be started again.
        var isGivenUp = false
        /// When the plan has killed its worker.
        var workerKills: [Instant] = []
        var restarts: [Instant] = []
        var restartAt: Instant?
    }

    /// A stopped process that is to go on.
    private struct Frozen {
        var process: Int32
        var at: Instant
        var incident: Incident
    }

    /// A worker's process, found below its supervisor.
    struct WorkerProcesses {
        var supervisor: Int32
        var worker: Int32?
    }

    /// How long a process that has died stays away.
    private static let pause = TimeSpan.milliseconds(200)
    /// How long processes may take to be ready, or to be gone.
    private static let patience = Duration.seconds(30)

    let mark: String
    private let directory: RunDirectory
    private let program: String
    private let plan: FaultPlan
    private var ownerPipe: Int32 = -1
    private var ownerEnd: Int32 = -1
    private var members: [Member] = []
    private var frozen: [Frozen] = []
    /// Until when the coordinator's disk is full; `nil` if it is not.
    private var fullUntil: Instant?
    /// What has happened since the last time that somebody asked.
    private(set) var incidents: [Incident] = []

    init(_ directory: RunDirectory, program: String, plan: FaultPlan) throws(ChaosError) {
        self.directory = directory
        self.program = program
        self.plan = plan
        mark = String(UInt64.random(in: 1 ... .max), radix: 16)
        var reading: Int32 = -1
        var writing: Int32 = -1
        guard cohort_pipe(&reading, &writing) == 0 else { throw .system("open a pipe", errno) }
        ownerPipe = writing
        ownerEnd = reading
    }

    deinit {
        if ownerPipe >= 0 { close(ownerPipe) }
        close(ownerEnd)
    }

    /// `NAME=value`, by which the processes of the run are found.
    var markEntry: String { "\(Self.markVariable)=\(mark)" }

    // MARK: Beginning

    /// Starts the coordinator and waits until it listens.
    func startCoordinator(at socket: String, options: [String]) throws(ChaosError) {
        let arguments = [program, "coordinator", "--bind", directory.endpoint(socket)] + options
        members.append(Member(target: .coordinator, worker: nil, arguments: arguments, log: "coordinator.log"))
        try start(0)
        try wait(until: "listens", of: 0) { access(self.directory.file(socket), F_OK) == 0 }
    }

    /// Starts the workers and waits until they are connected.
    func startWorkers(to endpoint: String) throws(ChaosError) {
        for worker in 0..<plan.pool.workers {
            let name = "worker-\(worker + 1)"
            members.append(
                Member(
                    target: .worker,
                    worker: worker,
                    arguments: [
                        program, "worker", "--connect", endpoint, "--slots", String(plan.pool.slots), "--name", name,
                        "--restarts", plan.pool.restarts.description,
                    ],
                    log: "\(name).log"
                )
            )
            try start(members.count - 1)
        }
        for place in members.indices.dropFirst() {
            let log = members[place].log
            try wait(until: "is connected", of: place) { self.directory.read(log).contains("connected to") }
        }
    }

    private func start(_ place: Int) throws(ChaosError) {
        let member = members[place]
        let log = try directory.log(member.log)
        defer { close(log) }
        var request = SpawnRequest(
            arguments: member.arguments,
            program: program,
            standardOutput: log,
            standardError: log,
            passedDescriptors: [(from: ownerEnd, to: 3)],
            newProcessGroup: true
        )
        request.environment.set(Guardian.ownerVariable, to: "3")
        request.environment.set(Self.markVariable, to: mark)
        if let worker = member.worker { request.environment.set(Self.workerVariable, to: String(worker)) }
        do {
            members[place].process = try Spawn.spawn(request)
        } catch {
            throw .failed("cannot start '\(member.arguments.joined(separator: " "))': \(error)")
        }
        members[place].expectsEnd = false
        if fullUntil != nil, member.target == .coordinator { boundFiles(of: members[place].process?.pid, full: true) }
    }

    /// Nothing else tells when another program is ready than what it does: looking again is all there is.
    private func wait(until what: String, of place: Int, _ isReady: () -> Bool) throws(ChaosError) {
        let end = ContinuousClock.now + Self.patience
        while !isReady() {
            let died = members[place].process.map {
                !Descriptors.wait(for: [$0.pidfd], timeout: .milliseconds(2)).isEmpty
            }
            guard died == false, ContinuousClock.now < end else {
                let words = directory.read(members[place].log).split(separator: "\n").last.map { ": \($0)" } ?? ""
                let name = members[place].arguments.dropFirst().prefix(1).joined()
                throw .failed(
                    "the \(name) \(died == false ? "was to come so far that it \(what)" : "has died")\(words)"
                )
            }
        }
    }

    // MARK: While it runs

    /// From now on nothing more can be written to the coordinator's files, for so long.
    func fill(for length: Duration, rule: Int) {
        let now = Instant.now
        let end = now.advanced(by: TimeSpan(length))
        fullUntil = max(fullUntil ?? end, end)
        boundFiles(of: coordinator, full: true)
        incidents.append(
            Incident(.filled(length), .coordinator, processes: [coordinator].compactMap(\.self), at: now, rule: rule)
        )
    }

    /// A bound on the size of files stands in for a full disk: that of this machine is not ours to fill.
    private func boundFiles(of process: Int32?, full: Bool) {
        if let process { _ = cohort_bound_file_size(process, full ? 0 : .max) }
    }

    /// Descriptors, one a process, that become readable when that has died.
    var descriptors: [Int32] { members.compactMap { $0.process?.pidfd } }

    /// When something is due: a restart, or that a stopped process goes on.
    func takeIncidents() -> [Incident] {
        defer { incidents.removeAll() }
        return incidents
    }

    /// The processes of a worker; `nil` while it is away.
    func processes(of worker: Int) -> WorkerProcesses? {
        guard let supervisor = members.first(where: { $0.worker == worker })?.process?.pid else { return nil }
        // Between the two there is a guardian, and below the worker nothing else is guarded.
        let child = ProcessTree.descendants(of: supervisor).first { child in
            MarkedProcess(child, mark: markEntry)?[Guardian.guardedVariable] != nil
        }
        return WorkerProcesses(supervisor: supervisor, worker: child)
    }

    var coordinator: Int32? { members.first?.process?.pid }

    /// Does what the plan wants now.
    ///
    /// - Parameter calls: executions of calls that have begun and not ended, by the worker's process.
    /// - Returns: processes of tasks that were seen below the victim.
    func inject(
        _ entry: FaultSchedule.Entry,
        calls: (Int32) -> [Execution],
        hasCalls: Bool
    ) -> [Int32: Execution] {
        var incident = Incident(.missed, entry.fault.target, at: .now, rule: entry.rule)
        var victim: Int32?
        if entry.fault.target == .coordinator {
            victim = coordinator
            incident.processes = [coordinator].compactMap(\.self)
        } else {
            incident.worker = entry.worker
            let found = processes(of: entry.worker)
            victim = entry.fault.target == .worker ? found?.worker : found?.supervisor
            incident.processes = [found?.worker, found?.supervisor].compactMap(\.self)
        }
        guard let victim else {
            incidents.append(incident)
            return [:]
        }
        var seen: [Int32: Execution] = [:]
        switch entry.fault.action {
        case .freeze(let length):
            kill(victim, SIGSTOP)
            incident.kind = .frozen(length)
            frozen.append(Frozen(process: victim, at: incident.at.advanced(by: TimeSpan(length)), incident: incident))
        case .kill:
            var executing: Set<Execution> = []
            var unknown = 0
            if let worker = incident.worker.flatMap(processes)?.worker {
                // Stopped, it starts nothing more while its tasks are looked at.
                kill(worker, SIGSTOP)
                (seen, unknown) = tasks(below: worker)
                executing = Set(seen.values).union(calls(worker))
                if hasCalls { unknown += plan.pool.slots }
            }
            kill(victim, SIGKILL)
            if entry.fault.target == .supervisor, let worker = incident.processes.first { kill(worker, SIGCONT) }
            incident.at = .now
            incident.kind = .killed(executing: executing.sorted(), unknown: unknown)
            let place = members.firstIndex {
                entry.fault.target == .coordinator ? $0.target == .coordinator : $0.worker == entry.worker
            }
            if let place { noteKill(of: entry.fault.target, at: place) }
        }
        incidents.append(incident)
        return seen
    }

    private func noteKill(of target: ProcessFault.Target, at place: Int) {
        guard target == .worker else {
            members[place].expectsEnd = true
            return
        }
        // The supervisor starts it again as long as its budget lasts.
        let now = Instant.now
        members[place].workerKills.append(now)
        let recent = members[place].workerKills.count { now.since($0) <= TimeSpan(plan.pool.restarts.period) }
        if recent > plan.pool.restarts.count {
            members[place].expectsEnd = true
            members[place].isGivenUp = true
        }
    }

    /// The tasks whose processes are below a worker's, by process, and how many processes there say nothing of themselves yet.
    private func tasks(below worker: Int32) -> (tasks: [Int32: Execution], unknown: Int) {
        var found: [Int32: Execution] = [:]
        var unknown = 0
        for pid in ProcessTree.descendants(of: worker) {
            if let process = MarkedProcess(pid, mark: markEntry) {
                // What it is of a task, or a call host, which is of none.
                found[pid] = Execution(process)
            } else if MarkedProcess.isRunning(pid) {
                unknown += 1
            }
        }
        return (found, unknown)
    }

    /// Deals with processes that have died, and with what is due.
    func tick() throws(ChaosError) {
        let now = Instant.now
        for index in frozen.indices.reversed() where frozen[index].at <= now {
            let due = frozen.remove(at: index)
            kill(due.process, SIGCONT)
            var incident = due.incident
            incident.kind = .thawed
            incident.at = now
            incidents.append(incident)
        }
        if let end = fullUntil, end <= now {
            fullUntil = nil
            boundFiles(of: coordinator, full: false)
        }
        for place in members.indices {
            if let process = members[place].process, !Descriptors.wait(for: [process.pidfd], timeout: .zero).isEmpty {
                ended(place, process)
            }
            if let due = members[place].restartAt, due <= now {
                members[place].restartAt = nil
                try start(place)
                incidents.append(incident(.restarted, place))
            }
        }
    }

    private func ended(_ place: Int, _ process: SpawnedProcess) {
        let status = Spawn.reap(process.pid) ?? .exited(code: 1)
        close(process.pidfd)
        members[place].process = nil
        frozen.removeAll { $0.process == process.pid }
        // Without room for its state a coordinator may end, and one that is started then does not begin.
        let isFull = fullUntil != nil && members[place].target == .coordinator
        let isExpected = members[place].expectsEnd || isFull
        incidents.append(incident(.ended(status, expected: isExpected), place, [process.pid]))
        let now = Instant.now
        let budget = plan.pool.restarts
        members[place].restarts.removeAll { now.since($0) > TimeSpan(budget.period) }
        guard !members[place].isGivenUp, members[place].restarts.count < budget.count else {
            return incidents.append(incident(.givenUp, place))
        }
        members[place].restarts.append(now)
        let back = now.advanced(by: Self.pause)
        members[place].restartAt = isFull ? max(back, fullUntil ?? back) : back
    }

    private func incident(_ kind: Incident.Kind, _ place: Int, _ processes: [Int32] = []) -> Incident {
        let member = members[place]
        return Incident(
            kind,
            member.target == .coordinator ? .coordinator : .supervisor,
            worker: member.worker,
            processes: processes,
            at: .now
        )
    }

    // MARK: Ending

    /// Deaths of workers that their supervisors have noted and the plan has not caused.
    func unexpectedDeaths() -> [Incident] {
        var found: [Incident] = []
        for member in members {
            guard member.target == .worker else { continue }
            var planned = member.workerKills.count
            for line in directory.read(member.log).split(separator: "\n") {
                guard let range = line.firstRange(of: "it has died, ") else { continue }
                let words = line[range.upperBound...].split { !$0.isLetter && !$0.isNumber }
                guard let number = words.lazy.compactMap({ Int32($0) }).first else { continue }
                let isSignal = words.starts(with: ["killed", "by", "signal"])
                if isSignal, number == SIGKILL, planned > 0 {
                    planned -= 1
                    continue
                }
                let status: ExitStatus =
                    isSignal ? .signalled(signal: number, coreDumped: false) : .exited(code: number)
                found.append(Incident(.ended(status, expected: false), .worker, worker: member.worker, at: .now))
            }
        }
        return found
    }

    /// Ends all and waits until they are gone, with all that they ran.
    func stop() {
        for process in frozen { kill(process.process, SIGCONT) }
        frozen.removeAll()
        if ownerPipe >= 0 { close(ownerPipe) }
        ownerPipe = -1
        for place in members.indices {
            guard let process = members[place].process else { continue }
            if Descriptors.wait(for: [process.pidfd], timeout: .seconds(5)).isEmpty { kill(process.pid, SIGKILL) }
            _ = Spawn.reap(process.pid)
            close(process.pidfd)
            members[place].process = nil
        }
    }
}

/// Names of variables by which processes know that they are part of a run under faults.
package enum InjectedEnvironment {
    package static let mark = "COHORT_CHAOS_RUN"
}

extension Execution {
    /// What a process says of the task that it belongs to; `nil` if it belongs to none.
    init?(_ process: MarkedProcess) {
        guard let task = process[ChaosBatch.taskVariable].flatMap({ Int($0) }),
            let attempt = process["COHORT_ATTEMPT"].flatMap({ Int($0) })
        else { return nil }
        self.init(task: task, attempt: attempt)
    }
}
