internal import Cohort
internal import CohortProcess
internal import FoundationEssentials
internal import Glibc

/// One run of `cohort-harness restarts`.
final class RestartTrial {
    /// What it came to.
    struct Result {
        var kills = 0
        var tasks = 0
        /// Tasks that never began, or of which the outcome document knows nothing.
        var lost = 0
        var runTwice = 0
        /// Tasks with another outcome or output than theirs.
        var wrong = 0
        /// The exit status of `cohort wait`.
        var waitStatus: Int32 = -1
        /// Seconds from the coordinator's start to the next task's beginning, one a restart, in order of length.
        var resumed: [Double] = []
        var elapsed = 0.0

        var isClean: Bool { lost == 0 && runTwice == 0 && wrong == 0 && waitStatus == 0 }

        var text: String {
            """
            coordinator killed: \(kills) times during \(tasks) tasks, in \(Self.seconds(elapsed))
            lost: \(lost)
            run twice: \(runTwice)
            wrong outcomes: \(wrong)
            cohort wait: exit status \(waitStatus)
            from restart to work going on: median \(quantile(0.5)), p90 \(quantile(0.9)), longest \(quantile(1))
            """
        }

        private func quantile(_ share: Double) -> String {
            guard !resumed.isEmpty else { return "-" }
            return Self.seconds(resumed[min(resumed.count - 1, Int(share * Double(resumed.count)))])
        }

        private static func seconds(_ value: Double) -> String {
            value < 10 ? "\(Int(value * 1_000)) ms" : "\(Int(value)) s"
        }
    }

    private let options: RestartsCommand
    private let workplace: Workplace
    private let evidence: String
    private var endpoint = "tcp://127.0.0.1:*"
    private var random: UInt64

    init(_ options: RestartsCommand, in workplace: Workplace) {
        self.options = options
        self.workplace = workplace
        evidence = workplace.path("evidence")
        random = options.seed
    }

    func run() throws -> Result {
        var result = Result()
        result.tasks = options.tasks
        let begin = ContinuousClock.now
        var coordinator = try startCoordinator()
        try learnEndpoint(of: coordinator)
        for number in 1...options.workers {
            _ = try workplace.start(
                "worker-\(number)",
                [
                    Workplace.cohort, "worker", "--connect", endpoint, "--slots", "\(options.slots)", "--name",
                    "worker-\(number)",
                ]
            )
        }
        let group = try submit()
        let waiter = try workplace.start(
            "wait",
            [Workplace.cohort, "wait", group, "--connect", endpoint, "--output", "json"]
        )
        for kill in 0..<options.kills {
            // Each kill at some moment of its own share of the batch.
            let share = Double(options.tasks) / Double(options.kills)
            let moment = Int((Double(kill) + uniform()) * share)
            try waitForProgress(moment, waiter)
            usleep(useconds_t(uniform() * Double(options.duration) * 1_000))
            coordinator.kill()
            result.kills += 1
            let before = begun
            let restart = ContinuousClock.now
            coordinator = try startCoordinator()
            guard wait(seconds: 60, until: { begun > before || waiter.hasEnded || coordinator.hasEnded }) else {
                throw HarnessError("no task has begun in 60 s after restart \(result.kills)\n\(coordinator.errorText)")
            }
            if coordinator.hasEnded { throw HarnessError("the coordinator has ended\n\(coordinator.errorText)") }
            if begun > before { result.resumed.append(restart.duration(to: .now) / .seconds(1)) }
        }
        guard let status = waiter.wait(seconds: options.limit)?.shellCode else {
            throw HarnessError("the batch has not ended within \(options.limit) s\n\(waiter.errorText)")
        }
        result.waitStatus = status
        result.elapsed = begin.duration(to: .now) / .seconds(1)
        result.resumed.sort()
        try judge(waiter.output, into: &result)
        return result
    }

    // MARK: Steps

    private func startCoordinator() throws -> Started {
        try workplace.start(
            "coordinator",
            [Workplace.cohort, "coordinator", "--bind", endpoint, "--state", workplace.path("state.db")]
        )
    }

    /// Port * means any that is free, and the log says which; later lives take the same.
    private func learnEndpoint(of coordinator: Started) throws {
        var found: String?
        let isListening = wait(seconds: 60) {
            let fields = coordinator.errorText.split(whereSeparator: \.isWhitespace)
            found = fields.first { $0.hasPrefix("endpoints=") }.map { String($0.dropFirst("endpoints=".count)) }
            return found != nil || coordinator.hasEnded
        }
        guard isListening, let found else {
            throw HarnessError("the coordinator does not listen\n\(coordinator.errorText)")
        }
        endpoint = found
    }

    private func submit() throws -> String {
        let numbers = (0..<options.tasks).map(String.init).joined(separator: ", ")
        let file = workplace.path("batch.yaml")
        // One write of a short line to a file opened for appending is whole, whoever else writes.
        try Files.write(
            file,
            """
            group: restarts
            on_error: continue
            tasks:
              - name: "{n}"
                for_each: {n: [\(numbers)]}
                run: "echo {n} >> \(evidence); sleep \(Double(options.duration) / 1_000); echo {n}"
            """
        )
        let submitter = try workplace.start("submit", [Workplace.cohort, "submit", file, "--connect", endpoint])
        guard submitter.wait(seconds: 60) == .exited(code: 0),
            let number = submitter.output.split(separator: "\n").first
        else { throw HarnessError("not submitted\n\(submitter.errorText)") }
        return String(number)
    }

    private func waitForProgress(_ count: Int, _ waiter: Started) throws {
        guard wait(seconds: options.limit, until: { begun >= count || waiter.hasEnded }) else {
            throw HarnessError("only \(begun) of \(options.tasks) tasks have begun\n\(waiter.errorText)")
        }
    }

    /// How many tasks have begun; some more than once, if there is a fault.
    private var begun: Int {
        let descriptor = open(evidence, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let length = read(descriptor, &buffer, buffer.count)
            guard length > 0 else { return count }
            for byte in buffer.prefix(length) where byte == UInt8(ascii: "\n") { count += 1 }
        }
    }

    // MARK: The judgement

    private func judge(_ text: String, into result: inout Result) throws {
        var begins = [Int](repeating: 0, count: options.tasks)
        for line in Files.read(evidence).split(separator: "\n") {
            guard let number = Int(line), begins.indices.contains(number) else {
                throw HarnessError("a line of evidence is not a task's number: '\(line)'")
            }
            begins[number] += 1
        }
        var isTold = [Bool](repeating: false, count: options.tasks)
        for task in try OutcomeDocument(jsonText: text).tasks {
            guard let number = Int(task.name), isTold.indices.contains(number), !isTold[number] else {
                result.wrong += 1
                continue
            }
            isTold[number] = true
            if task.outcome != .ok || task.stdout != "\(number)\n" { result.wrong += 1 }
        }
        for number in begins.indices {
            if begins[number] == 0 || !isTold[number] { result.lost += 1 }
            if begins[number] > 1 { result.runTwice += 1 }
        }
    }

    /// A number from 0 up to 1, the same sequence for a seed.
    private func uniform() -> Double {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(random >> 11) / Double(1 << 53)
    }
}
