internal import CohortFaults
internal import CohortProcess
internal import Glibc

/// One batch, from its start over the kill to the end of its last process.
final class SurvivorsLane {
    /// What was killed where nobody was there.
    static let nothing = "nothing"

    private enum Phase {
        case running(killAt: ContinuousClock.Instant)
        case killed(at: ContinuousClock.Instant, lastSeen: ContinuousClock.Instant)
        case over
    }

    /// How long what must go may stay.
    private static let limit = Duration.seconds(2)
    /// How long it is looked for beyond that: a process in the midst of `execve` has no mark, and one look may miss it.
    private static let margin = Duration.milliseconds(100)

    /// Between one and the next of a set that is killed, in microseconds.
    private static let longestPause: UInt32 = 2_000

    let mark: String
    private let workplace: Workplace
    private let isPrivate: Bool
    private let processes: [Started]
    private var phase: Phase
    private let client: Started
    private var killed: Set<MarkedProcess.Role> = []
    /// Those that there were then.
    private var workers: Set<Int32> = []
    private var scene: SurvivorsScene?
    private(set) var hadTasks = false
    /// How many processes there were when some were killed.
    private(set) var reached = 0
    /// From the kill until something that had to go was seen for the last time; `nil` if it survived.
    private(set) var timeToLastExit: Duration?
    private var survived: [Int32: String] = [:]

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

    /// Each in words.
    var survivors: [String] { survived.sorted { $0.key < $1.key }.map { "\(mark): \($0.value)" } }

    /// How it came to survivors.
    var story: String {
        "\(mark): \(isPrivate ? "own pool" : "connected"), \(killedRoles); \(scene.map(\.description) ?? "")"
    }

    /// `client+worker`.
    var killedRoles: String {
        killed.isEmpty
            ? Self.nothing : MarkedProcess.Role.allCases.filter(killed.contains).map(\.rawValue).joined(separator: "+")
    }

    /// Looks at the processes of this lane, and does what is due.
    func turn(_ found: [MarkedProcess], _ random: inout SeededGenerator) {
        var processes = found
        for index in processes.indices where processes[index].pid == client.pid { processes[index].role = .client }
        switch phase {
        case .running(let killAt):
            guard ContinuousClock.now >= killAt else { return }
            // Where nobody could be killed yet, the next look finds somebody, unless there will never be anybody.
            guard kill(processes, &random) || processes.isEmpty && client.hasEnded else { return }
            let now = ContinuousClock.now
            phase = .killed(at: now, lastSeen: now)
        case .killed(let at, let lastSeen):
            // What is gone for a moment may come again: nothing is known before the whole time has passed.
            scene?.look(at: processes)
            let allowed = startedSince(processes)
            let left = processes.filter { mustGo($0) && !allowed.contains($0.pid) }
            let now = ContinuousClock.now
            phase = .killed(at: at, lastSeen: left.isEmpty ? lastSeen : now)
            guard now - at >= Self.limit else { return }
            for process in left {
                survived[process.pid] = scene?.description(of: process, among: processes)
            }
            guard now - at >= Self.limit + Self.margin else { return }
            if survived.isEmpty { timeToLastExit = lastSeen - at }
            phase = .over
        case .over: break
        }
    }

    /// - Returns: whether there was anybody to be killed.
    private func kill(_ processes: [MarkedProcess], _ random: inout SeededGenerator) -> Bool {
        killed = []
        let roles: [MarkedProcess.Role] = [.client, .coordinator, .supervisor, .worker, .task]
        let present = roles.filter { role in processes.contains { $0.role == role } }
        guard let single = present.randomElement(using: &random) else { return false }
        if Bool.random(using: &random) {
            killed = [single]
        } else {
            killed = Set(present.filter { _ in Bool.random(using: &random) })
            if killed.isEmpty { killed = Set(present) }
        }
        hadTasks = processes.contains { $0.role == .task }
        reached = processes.count
        workers = Set(processes.filter { $0.role == .worker }.map(\.pid))
        var victims = processes.filter { process in
            guard killed.contains(process.role) else { return false }
            // Of a task, its own process.
            return process.role != .task || workers.contains(process.parent)
        }
        victims.shuffle(using: &random)
        // Whoever is killed last may have seen others go, and have begun to do something about it.
        let pause = Bool.random(using: &random) ? Self.longestPause : 0
        scene = SurvivorsScene(processes, victims: victims)
        for victim in victims {
            Glibc.kill(victim.pid, SIGKILL)
            if pause > 0 { usleep(.random(in: 0...pause, using: &random)) }
        }
        return !victims.isEmpty
    }

    /// What runs under a worker that was started after the kill: tasks that had not begun run there, as they should. Without
    /// client or supervisor there must be no such worker, not even one that the supervisor had started before its own turn.
    private func startedSince(_ processes: [MarkedProcess]) -> Set<Int32> {
        if killed.contains(.client) || killed.contains(.supervisor) { return [] }
        var found = Set(processes.filter { $0.role == .worker && !workers.contains($0.pid) }.map(\.pid))
        var count = -1
        while count < found.count {
            count = found.count
            for process in processes where found.contains(process.parent) { found.insert(process.pid) }
        }
        return found
    }

    /// Whether a process may not outlive the kill: what belongs to the group, a worker without its supervisor, and with its
    /// client a whole pool.
    private func mustGo(_ process: MarkedProcess) -> Bool {
        switch process.role {
        case .task: true
        case .client: false
        case .worker: killed.contains(.supervisor) || isPrivate && killed.contains(.client)
        case .coordinator, .supervisor, .guardian, .other: isPrivate && killed.contains(.client)
        }
    }

    /// Ends what is left on purpose.
    func clear() {
        for process in processes { workplace.end(process) }
        for process in MarkedProcess.all() where process.mark == mark { Glibc.kill(process.pid, SIGKILL) }
    }
}
