internal import Glibc

/// What a lane looked like just before some of it was killed, and since: for those who ask how a process could survive.
struct SurvivorsScene {
    private let before: [Int32: MarkedProcess]
    private let killedAt: ContinuousClock.Instant
    /// Pids in the order in which they are killed.
    private let victims: [Int32]
    /// When a guardian was last seen, after the kill.
    private var guardians: [Int32: ContinuousClock.Instant]

    /// To be made just before the first is killed: times count from there.
    ///
    /// - Parameters:
    ///   - processes: all of the lane.
    ///   - victims: in the order in which they are killed.
    init(_ processes: [MarkedProcess], victims: [MarkedProcess]) {
        before = Self.byPid(processes)
        let now = ContinuousClock.now
        killedAt = now
        self.victims = victims.map(\.pid)
        let present = processes.filter { $0.role == .guardian }
        guardians = Dictionary(uniqueKeysWithValues: present.map { ($0.pid, now) })
    }

    /// Takes note of the guardians that are still there.
    mutating func look(at processes: [MarkedProcess]) {
        let now = ContinuousClock.now
        for process in processes where process.role == .guardian { guardians[process.pid] = now }
    }

    /// Who was killed, and which guardians there were.
    var description: String {
        let turns = victims.map { "\($0) \(before[$0]?.role.rawValue ?? "")" }
        let seen = guardians.sorted { $0.key < $1.key }.map { pid, last in
            "\(pid) last seen after \(Int((last - killedAt) / .milliseconds(1))) ms"
        }
        return """
            killed in turn: \(turns.joined(separator: ", ")); \
            guardians: \(seen.isEmpty ? "none seen" : seen.joined(separator: ", "))
            """
    }

    /// A survivor: what it is, where it stands now and stood before.
    func description(of process: MarkedProcess, among processes: [MarkedProcess]) -> String {
        let now = Self.byPid(processes)
        let age = (Self.ticksNow - Int(process.startedAt)) * 1_000 / Self.ticksPerSecond
        let place = before[process.pid] == nil ? "not seen" : "under \(Self.ancestors(of: process.pid, in: before))"
        return """
            \(process.role) \(process.pid) (\(process.name), state \(process.state), \(age) ms old), \
            under \(Self.ancestors(of: process.pid, in: now)); before the kill \(place)
            """
    }

    /// `12 sh task < 11 cohort-worker worker < 1`.
    private static func ancestors(of pid: Int32, in processes: [Int32: MarkedProcess]) -> String {
        var chain: [String] = []
        var next = processes[pid]?.parent
        while let parent = next, chain.count < processes.count + 1 {
            chain.append(text(processes[parent], parent))
            next = processes[parent]?.parent
        }
        return chain.joined(separator: " < ")
    }

    private static func byPid(_ processes: [MarkedProcess]) -> [Int32: MarkedProcess] {
        Dictionary(processes.map { ($0.pid, $0) }) { $1 }
    }

    private static func text(_ process: MarkedProcess?, _ pid: Int32) -> String {
        process.map { "\(pid) \($0.name) \($0.role)" } ?? "\(pid)"
    }

    private static var ticksPerSecond: Int { sysconf(Int32(_SC_CLK_TCK)) }

    private static var ticksNow: Int {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return time.tv_sec * ticksPerSecond + time.tv_nsec / (1_000_000_000 / ticksPerSecond)
    }
}
