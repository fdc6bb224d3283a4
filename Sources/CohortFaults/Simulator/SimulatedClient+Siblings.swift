internal import CohortCore
internal import CohortWire

/// What a client has added to a group to which others add tasks as well: the group's owner, and calls in it.
struct SharedGroup {
    var group: Int
    /// In the order of adding; which numbers they have in the group, it is told.
    var tasks: [Int] = []

    /// Whether the tasks of a group may add tasks to it. Not drawn from the seed's other choices, which stay as they are.
    static func draw(_ group: Int, _ simulation: Simulation) -> Bool {
        var generator = SeededGenerator(seed: simulation.seed, stream: 0x8_0000_0000 + UInt64(group))
        return generator.chance(simulation.options.adding)
    }

    /// Those from number `from` on were refused. What was accepted before stays so.
    func refuse(from: UInt32, _ truth: Truth) {
        for task in tasks.dropFirst(Int(from)) where !truth.tasks[task].isAccepted {
            truth.tasks[task].isRefused = true
        }
    }
}

extension SimulatedClient {
    /// Adds tasks to the group of the call that it belongs to.
    func addSiblings(_ count: Int, _ template: TaskTemplate, of execution: Int, _ simulation: Simulation) {
        let run = simulation.truth.executions[execution]
        let task = simulation.truth.tasks[run.task]
        let key = GroupKey(nextKey)
        nextKey += 1
        joinedKey = key
        shared[key] = SharedGroup(group: task.group)
        peer.send(.joinGroup(key, run.ref))
        add(count, template, with: key, generation: task.generation + 1, simulation)
    }

    /// Adds tasks to a group to which others add tasks, too. Each has a template of its own, whose name tells which it is.
    func add(_ count: Int, _ template: TaskTemplate, with key: GroupKey, generation: Int, _ simulation: Simulation) {
        guard let added = shared[key] else { return }
        let truth = simulation.truth
        var submission = TaskSubmission(
            group: key,
            first: UInt32(added.tasks.count),
            firstTemplate: UInt32(added.tasks.count),
            templates: [],
            runs: [],
            payload: []
        )
        for _ in 0..<count {
            let number = truth.tasks.count
            var template = OutputPlan.draw(template, group: added.group, simulation)
            template.name = "\(number)"
            truth.groups[added.group].templates += 1
            truth.groups[added.group].tasks.append(number)
            truth.tasks.append(Truth.Task(group: added.group, template: template, generation: generation))
            submission.runs.append(
                TaskRun(template: submission.firstTemplate + UInt32(submission.templates.count), lengths: [4])
            )
            submission.templates.append(template)
            withUnsafeBytes(of: UInt32(number).littleEndian) { submission.payload.append(contentsOf: $0) }
            shared[key]?.tasks.append(number)
        }
        peer.send(.submit(submission))
    }

    /// Whether all that its call has added was accepted or refused.
    func isAnswered(_ truth: Truth) -> Bool {
        guard let joinedKey, let added = shared[joinedKey] else { return false }
        return added.tasks.allSatisfy { truth.tasks[$0].isAccepted || truth.tasks[$0].isRefused }
    }

    /// It is told which numbers tasks have: those that it has added, and by their names those of others.
    func placed(_ update: ClientUpdate, _ simulation: Simulation) {
        let truth = simulation.truth
        for opened in update.opened {
            guard groups[opened.key] == nil, let added = shared[opened.key] else { continue }
            truth.groupNumbers[name(opened.group, truth)] = added.group
        }
        for row in update.names {
            guard let group = truth.groupNumbers[name(row.group, truth)], let task = Int(row.name),
                truth.tasks.indices.contains(task)
            else { continue }
            judge(truth.place(task, at: row.index, of: group), simulation)
            simulation.note("\(name) is told what \(truth.name(task: task)) is called")
        }
        for row in update.accepted {
            simulation.note("\(name) is told that tasks \(row.first) and following, \(row.count), are accepted")
            guard let added = shared[row.key], added.tasks.count >= Int(row.first + row.count) else { continue }
            for offset in 0..<row.count {
                let task = added.tasks[Int(row.first + offset)]
                truth.tasks[task].isAccepted = true
                judge(truth.place(task, at: row.index + offset, of: added.group), simulation)
            }
        }
    }
}
