internal import Cohort
internal import CohortFaults
internal import CohortProcess
internal import Glibc

/// One run of `cohort-harness blame`.
final class BlameTrial {
    /// What it came to.
    struct Result {
        /// Of the batch with the one that kills its worker.
        var blamed = 0
        var falselyBlamed = 0
        /// Innocents that did not end well, or began more or less than once.
        var harmed = 0

        var tasks = 0
        var kills = 0
        var ok = 0
        var lost = 0
        /// Lost tasks of the storm that never began. A kill can come between a task's start and its first word, and a worker
        /// has one slot: a kill explains one.
        var lostUnbegun = 0
        /// Tasks with no outcome, or more than one.
        var withoutOneOutcome = 0
        var runTwice = 0
        /// Ended well and never began, or neither ended well nor lost.
        var wrong = 0
        var elapsed = 0.0

        var isClean: Bool {
            blamed == 1 && falselyBlamed == 0 && harmed == 0 && withoutOneOutcome == 0 && runTwice == 0 && wrong == 0
                && ok + lost == tasks && kills > 0 && lostUnbegun <= kills
        }

        var text: String {
            """
            a task that kills its worker: blamed \(blamed), falsely blamed \(falselyBlamed), harmed \(harmed)
            workers killed \(kills) times during \(tasks) tasks in \(Int(elapsed)) s: ok \(ok), lost \(lost)
            lost and never begun: \(lostUnbegun), at most one a kill
            without exactly one outcome: \(withoutOneOutcome)
            run twice: \(runTwice)
            wrong outcomes: \(wrong)
            """
        }
    }

    private let options: BlameCommand
    private let workplace: Workplace
    private let endpoint: String
    private let mark: String
    private var random: SeededGenerator

    init(_ options: BlameCommand, in workplace: Workplace) {
        self.options = options
        self.workplace = workplace
        endpoint = "ipc://\(workplace.path("socket"))"
        mark = "blame-\(getpid())"
        random = SeededGenerator(seed: options.seed)
    }

    func run() throws -> Result {
        var result = Result()
        _ = try start("coordinator", [Workplace.cohort, "coordinator", "--bind", endpoint])
        for number in 1...4 { try startWorker(number, isForCalls: number > 2) }
        defer {
            for process in MarkedProcess.all() where process.mark == mark { Glibc.kill(process.pid, SIGKILL) }
        }
        try killer(into: &result)
        try storm(into: &result)
        return result
    }

    private func start(_ name: String, _ words: [String]) throws -> Started {
        try workplace.start(name, words, environment: [(MarkedProcess.variable, mark)])
    }

    private func startWorker(_ number: Int, isForCalls: Bool) throws {
        let program =
            isForCalls ? [Workplace.programs + "/cohort-harness", "evidence-worker"] : [Workplace.cohort, "worker"]
        // As often as they are killed: the budget is not what is looked at here.
        _ = try start(
            "worker-\(number)",
            program + ["--connect", endpoint, "--slots", "1", "--name", "worker-\(number)", "--restarts", "1000000/1s"]
        )
    }

    // MARK: The one that kills its worker

    private func killer(into result: inout Result) throws {
        let evidence = try file("evidence-killer")
        var lines = ["group: killer", "on_error: continue", "tasks:"]
        for number in 0...options.innocents {
            if number == options.innocents / 2 {
                // The parent of a task's process is its worker.
                lines += ["  - {name: killer, run: 'kill -9 $PPID; sleep 60'}"]
            } else {
                lines.append(task(number, evidence, milliseconds: 2))
            }
        }
        let document = try finish(try submit("killer", lines))
        let begun = begun(evidence)
        for task in document.tasks {
            if task.outcome == .lost {
                result.blamed += 1
                if task.name != "killer" { result.falselyBlamed += 1 }
            } else if task.name != "killer", task.outcome != .ok || begun[task.name] != 1 {
                result.harmed += 1
            }
        }
    }

    // MARK: Random kills

    private func storm(into result: inout Result) throws {
        let evidence = try file("evidence-storm")
        let begin = ContinuousClock.now
        let lines = ["group: storm", "on_error: continue", "tasks:"]
        let client = try submit("storm", lines + (0..<options.tasks).map { task($0, evidence, milliseconds: 1) })
        for kill in 0..<options.kills {
            let share = Double(options.tasks) / Double(options.kills)
            let moment = Int((Double(kill) + Double.random(in: 0..<1, using: &random)) * share)
            guard wait(seconds: options.limit, until: { size(evidence) >= moment || client.hasEnded }) else {
                throw HarnessError("only \(size(evidence)) tasks have begun in \(options.limit) s")
            }
            let workers = MarkedProcess.all().filter { $0.mark == mark && $0.role == .worker }
            guard let victim = workers.randomElement(using: &random) else { continue }
            usleep(UInt32.random(in: 0..<3_000, using: &random))
            Glibc.kill(victim.pid, SIGKILL)
            result.kills += 1
        }
        let document = try finish(client)
        result.elapsed = begin.duration(to: .now) / .seconds(1)
        result.tasks = options.tasks
        let begun = begun(evidence)
        result.runTwice = begun.values.count { $0 > 1 }
        let outcomes = Dictionary(grouping: document.tasks, by: \.name)
        result.withoutOneOutcome = (0..<options.tasks).count { outcomes[String($0)]?.count != 1 }
        for task in document.tasks {
            switch task.outcome {
            case .ok:
                result.ok += 1
                if begun[task.name] == nil { result.wrong += 1 }
            case .lost:
                result.lost += 1
                if begun[task.name] == nil { result.lostUnbegun += 1 }
            default: result.wrong += 1
            }
        }
    }

    // MARK: Batches

    /// Half of the tasks are commands, half calls; each writes its number when it begins, then takes so long.
    private func task(_ number: Int, _ evidence: String, milliseconds: Int) -> String {
        if number.isMultiple(of: 2) {
            return "  - {name: '\(number)', run: 'echo \(number) >> \(evidence); sleep 0.00\(milliseconds)'}"
        }
        return "  - {name: '\(number)', call: \(Evidence.function), "
            + "args: {file: \(evidence), number: \(number), milliseconds: \(milliseconds)}}"
    }

    private func file(_ name: String) throws -> String {
        try Files.write(workplace.path(name), "")
        return workplace.path(name)
    }

    private func submit(_ name: String, _ lines: [String]) throws -> Started {
        let path = workplace.path("\(name).yaml")
        try Files.write(path, lines.joined(separator: "\n") + "\n")
        return try start(name, [Workplace.cohort, "run", path, "--connect", endpoint, "--output", "json"])
    }

    private func finish(_ client: Started) throws -> OutcomeDocument {
        guard client.wait(seconds: options.limit) != nil else {
            throw HarnessError("the batch has not ended in \(options.limit) s")
        }
        do {
            return try OutcomeDocument(jsonText: client.output)
        } catch {
            throw HarnessError("no document: \(error)\n\(client.errorText)")
        }
    }

    /// How often each task has begun.
    private func begun(_ evidence: String) -> [String: Int] {
        Dictionary(grouping: Files.read(evidence).split(separator: "\n").map(String.init), by: \.self)
            .mapValues(\.count)
    }

    private func size(_ evidence: String) -> Int {
        Files.read(evidence).utf8.count { $0 == UInt8(ascii: "\n") }
    }
}
