internal import CohortFaults
internal import CohortProcess
internal import Glibc

/// One run of `cohort-harness survivors`.
final class SurvivorsTrial {
    /// What it came to.
    struct Result {
        var kills = 0
        /// Kills by what was killed, such as `client+worker`.
        var sets: [String: Int] = [:]
        /// Batches that had run tasks when they were killed.
        var withTasks = 0
        /// Most processes that one kill had to reach.
        var largest = 0
        var survivors: [String] = []
        /// How it came to them, one a kill.
        var stories: [String] = []
        /// Directories that pools have left behind, after one more pool has started.
        var directories = 0
        /// Milliseconds from the kill to the end of the last process.
        var times: [Double] = []

        /// Without a kill, and without a task that it had to reach, nothing was shown.
        var isClean: Bool {
            survivors.isEmpty && directories == 0 && kills > 0 && withTasks > 0
                && sets[SurvivorsLane.nothing] == nil
        }

        var text: String {
            let sorted = times.sorted()
            func quantile(_ share: Double) -> Int {
                sorted.isEmpty ? 0 : Int(sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))])
            }
            let singles = sets.filter { !$0.key.contains("+") }.sorted { $0.key < $1.key }
            return """
                killed: \(kills) times (\(singles.map { "\($0.key) \($0.value)" }.joined(separator: ", ")), \
                sets \(sets.filter { $0.key.contains("+") }.values.reduce(0, +)))
                with tasks running: \(withTasks), up to \(largest) processes
                survivors after 2 s: \(survivors.count)
                time to the last exit: p50 \(quantile(0.5)) ms, p99 \(quantile(0.99)) ms, longest \(quantile(1)) ms
                directories left: \(directories)
                \((stories + survivors).joined(separator: "\n"))
                """
        }
    }

    private let options: SurvivorsCommand
    private let workplace: Workplace
    private var random: SeededGenerator
    private var result = Result()
    private var number = 0

    init(_ options: SurvivorsCommand, in workplace: Workplace) {
        self.options = options
        self.workplace = workplace
        random = SeededGenerator(seed: options.seed)
    }

    func run() throws -> Result {
        let batch = workplace.path("trees.yaml")
        try Files.write(batch, Self.batch)
        var lanes: [SurvivorsLane] = []
        while result.kills < options.kills {
            while lanes.count < min(options.lanes, options.kills - result.kills) {
                number += 1
                lanes.append(
                    try SurvivorsLane(
                        number,
                        in: workplace,
                        batch: batch,
                        usesControlGroups: options.controlGroups,
                        isPrivate: Bool.random(using: &random),
                        killAfter: .milliseconds(Int.random(in: 1...options.latest, using: &random))
                    )
                )
            }
            let all = MarkedProcess.all()
            for lane in lanes {
                lane.turn(all.filter { $0.mark == lane.mark }, &random)
            }
            for lane in lanes where lane.isOver { take(lane) }
            lanes.removeAll(where: \.isOver)
            usleep(3_000)
        }
        for lane in lanes { lane.clear() }
        try countDirectories()
        return result
    }

    private func take(_ lane: SurvivorsLane) {
        result.kills += 1
        result.sets[lane.killedRoles, default: 0] += 1
        if lane.hadTasks { result.withTasks += 1 }
        result.largest = max(result.largest, lane.reached)
        if let time = lane.timeToLastExit { result.times.append(time / .milliseconds(1)) }
        result.survivors += lane.survivors
        if !lane.survivors.isEmpty { result.stories.append(lane.story) }
        lane.clear()
    }

    /// A pool that starts clears what those before it have left.
    private func countDirectories() throws {
        let last = try workplace.start("last", [Workplace.cohort, "map", "true", ":::", "1"])
        guard last.wait(seconds: 60) == .exited(code: 0) else { throw HarnessError("the last pool has failed") }
        result.directories = Directory.names(in: workplace.directory).count { $0.hasPrefix("cohort-pool-") }
    }

    /// Trees that are hard to kill. All of them end by themselves after a minute.
    private static let batch = """
        group: trees
        grace: 100ms
        tasks:
          - name: deep
            run: |
              trap '' TERM HUP INT
              setsid sh -c 'trap "" TERM; (sh -c "trap \\"\\" TERM; sleep 60 & sleep 60") & sleep 60' &
              (setsid sleep 60 &)
              sleep 60 & wait; sleep 60
          - name: orphans
            run: |
              (setsid sh -c '(setsid sleep 60 &) ; exec env -u COHORT_ATTEMPT_TAG sleep 60' &)
              (sleep 60 &)
              exec sleep 60
          - name: many
            run: |
              i=0
              while [ $i -lt 60 ]; do (setsid sleep 60 &); i=$((i+1)); sleep 0.02; done
              sleep 60
        """
}
