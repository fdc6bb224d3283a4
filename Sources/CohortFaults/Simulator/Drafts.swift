internal import CohortCore

/// What a group that is about to be opened is to be like.
struct GroupDraft {
    var policy = FailurePolicy.cancel
    var limit: UInt32?
    var timeout: TimeSpan?
    var grace: TimeSpan?
    var shield = false
    var detached = false
    var isScope = false

    static func draw(
        _ options: SwarmOptions,
        isRoot: Bool,
        isNested: Bool,
        _ generator: inout SeededGenerator
    ) -> GroupDraft {
        var draft = GroupDraft()
        draft.policy = generator.pick([.cancel, .cancel, .continue, .first]) ?? .cancel
        if generator.chance(25) { draft.limit = UInt32.random(in: 1...3, using: &generator) }
        if generator.chance(options.deadlines) {
            draft.timeout = .milliseconds(generator.pick(options.groupTimeouts) ?? 0)
        }
        if generator.chance(30) { draft.grace = .milliseconds(generator.pick([0, 100, 1_000, 8_000]) ?? 0) }
        draft.shield = !isRoot && generator.chance(15)
        draft.detached = isRoot && !isNested && generator.chance(35)
        draft.isScope = !isRoot && generator.chance(25)
        return draft
    }
}

extension TaskTemplate {
    static func draw(_ options: SwarmOptions, mayNest: Bool, _ generator: inout SeededGenerator) -> TaskTemplate {
        var template = TaskTemplate(name: "t", function: generator.chance(50) ? "" : "f")
        if mayNest, generator.chance(options.nesting) { template.function = "nest" }
        if generator.chance(options.timing) {
            template.timeout = .milliseconds(generator.pick([0, 20, 300, 2_000]) ?? 0)
        }
        if generator.chance(options.retrying) {
            template.retries = UInt32.random(in: 1...options.mostRetries, using: &generator)
            template.backoff = .milliseconds(generator.pick([0, 1, 200]) ?? 0)
        }
        template.shield = generator.chance(options.shielding)
        return template
    }
}

/// What a program is going to do, decided by the seed, its task, and the number of its execution alone.
struct ProgramPlan {
    enum Reaction {
        case ends
        case returns
        case fails
        case ignores
    }

    var duration: TimeSpan
    var fails: Bool
    /// It dies of this signal before its end, and takes its call host or its worker with it.
    var crash: (signal: Int32, takesWorker: Bool)?
    var reaction: Reaction
    /// How long its cleanup takes.
    var cleanup: TimeSpan
    /// Of a call: how many groups it opens, after how long.
    var groups: Int
    /// Does not wait for its groups once it is asked to end.
    var leavesGroups: Bool
    /// Of a call: how many tasks it adds to its own group.
    var siblings: Int

    /// - Parameter adds: whether it may add tasks to its group.
    init(_ simulation: Simulation, task: Int, execution: Int, nests: Bool, adds: Bool) {
        let options = simulation.options
        var generator = SeededGenerator(
            seed: simulation.seed,
            stream: 0x4_0000_0000 + UInt64(task) * 64 + UInt64(min(execution, 63))
        )
        let longest = simulation.isHealed ? min(options.longestTask, SwarmOptions.second) : options.longestTask
        duration = TimeSpan(nanoseconds: UInt64.random(in: 10_000...longest, using: &generator))
        fails = generator.chance(options.failing)
        var poison = SeededGenerator(seed: simulation.seed, stream: 0xa_0000_0000 + UInt64(task))
        let isPoison = poison.chance(options.poisoning)
        let crashes = generator.chance(options.crashing) || isPoison
        let takesWorker = generator.chance(options.takingWorkers) || isPoison
        let signal: Int32 = generator.pick([6, 9, 11]) ?? 9
        crash = crashes && !simulation.isHealed ? (signal, takesWorker) : nil
        reaction =
            generator.chance(options.ignoringCancel)
            ? .ignores : generator.pick([.ends, .ends, .returns, .fails]) ?? .ends
        cleanup = .milliseconds(generator.pick([0, 1, 50, 900, 3_000]) ?? 0)
        groups = nests ? Int.random(in: 1...2, using: &generator) : 0
        leavesGroups = generator.chance(40)
        siblings = adds && generator.chance(options.adding) ? Int.random(in: 1...3, using: &generator) : 0
    }

    /// It has a client of its own.
    var isOwner: Bool { groups > 0 || siblings > 0 }
}
