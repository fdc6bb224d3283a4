internal import CohortFaults
internal import CohortProcess
internal import Glibc

/// One batch, from its start over the kill to the end of its last process.
final class SurvivorsLane {
    private enum Phase {
        case running(killAt: ContinuousClock.Instant)
        case killed(at: ContinuousClock.Instant)
        case over
    }

    private static let limit = Duration.seconds(2)

    let mark: String
    private let workplace: Workplace
    private let isPrivate: Bool
    private let processes: [Started]
    private var phase: Phase
    private let client: Started
    private var killed: Set<MarkedProcess.Role> = []
    /// Those that there were then.
    private var workers: Set<Int32> = []
    private(set) var hadTasks = false
    /// How many processes there were when some were killed.
    private(set) var reached = 0
    private(set) var timeToLastExit: Duration?
    private(set) var survivors: [String] = []

    init(
        _ number: Int,
        in workplace: Workplace,
        batch: String,
        usesControlGroups: Bool,
        isPrivate: Bool,
        killAfter: Duration
    ) throws {
        mark = "lane-\(getpid())-\(number)"
        self.isPrivate = isPrivate
        self.workplace = workplace
        var environment = [(MarkedProcess.variable, mark)]
        if !usesControlGroups { environment.append((ControlGroup.variable, "off")) }
        var words = [Workplace.cohort, "run", batch, "--no-progress"]
        var processes: [Started] = []
        if isPrivate {
            words += ["-j", "3"]
        } else {
            let endpoint = "ipc://\(workplace.path("socket-\(number)"))"
            words += ["--connect", endpoint]
            processes = [
                try workplace.start(
                    "coordinator-\(number)",
                    [Workplace.cohort, "coordinator", "--bind", endpoint],
                    environment: environment
                ),
                try workplace.start(
                    "worker-\(number)",
                    [Workplace.cohort, "worker", "--connect", endpoint, "--slots", "3"],
                    environment: environment
                ),
            ]
        }
        client = try workplace.start("client-\(number)", words, environment: environment)
        self.processes = processes + [client]
        phase = .running(killAt: .now + killAfter)
    }

    var isOver: Bool {
        if case .over = phase { return true }
        return false
    }

    /// `client+worker`.
    var killedRoles: String {
        killed.isEmpty
            ? "nothing" : MarkedProcess.Role.allCases.filter(killed.contains).map(\.rawValue).joined(separator: "+")
    }

    /// Looks at the processes of this lane, and does what is due.
    func turn(_ processes: [MarkedProcess], _ random: inout SeededGenerator) {
        switch phase {
        case .running(let killAt):
            guard ContinuousClock.now >= killAt else { return }
            kill(processes, &random)
            phase = .killed(at: .now)
        case .killed(let at):
            let allowed = startedSince(processes)
            let left = processes.filter { mustGo($0) && !allowed.contains($0.pid) }
            if left.isEmpty {
                timeToLastExit = .now - at
                phase = .over
            } else if ContinuousClock.now - at >= Self.limit {
                survivors = left.map { "\(mark): \($0.role) \($0.pid) after \(killedRoles) was killed" }
                phase = .over
            }
        case .over: break
        }
    }

    private func role(of process: MarkedProcess) -> MarkedProcess.Role {
        process.pid == client.pid ? .client : process.role
    }

    private func kill(_ processes: [MarkedProcess], _ random: inout SeededGenerator) {
        let roles: [MarkedProcess.Role] = [.client, .coordinator, .supervisor, .worker, .task]
        let present = roles.filter { role in processes.contains { self.role(of: $0) == role } }
        if Bool.random(using: &random) {
            killed = Set([present.randomElement(using: &random) ?? .client])
        } else {
            killed = Set(present.filter { _ in Bool.random(using: &random) })
            if killed.isEmpty { killed = Set(present) }
        }
        hadTasks = processes.contains { $0.role == .task }
        reached = processes.count
        workers = Set(processes.filter { $0.role == .worker }.map(\.pid))
        let victims = processes.filter { process in
            guard killed.contains(role(of: process)) else { return false }
            // Of a task, its own process.
            return process.role != .task || workers.contains(process.parent)
        }
        for victim in victims.shuffled(using: &random) { Glibc.kill(victim.pid, SIGKILL) }
    }

    /// What runs under a worker that was started after the kill: tasks that had not begun run there, as they should.
    private func startedSince(_ processes: [MarkedProcess]) -> Set<Int32> {
        if killed.contains(.client) { return [] }
        var found = Set(processes.filter { $0.role == .worker && !workers.contains($0.pid) }.map(\.pid))
        var count = -1
        while count < found.count {
            count = found.count
            for process in processes where found.contains(process.parent) { found.insert(process.pid) }
        }
        return found
    }

    /// Whether a process may not outlive the kill: what belongs to the group, and with its client a whole pool.
    private func mustGo(_ process: MarkedProcess) -> Bool {
        switch role(of: process) {
        case .task: true
        case .client: false
        case .coordinator, .supervisor, .guardian, .worker, .other: isPrivate && killed.contains(.client)
        }
    }

    /// Ends what is left on purpose.
    func clear() {
        for process in processes { workplace.end(process) }
        for process in MarkedProcess.all() where process.mark == mark { Glibc.kill(process.pid, SIGKILL) }
    }
}
