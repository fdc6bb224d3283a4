internal import CohortCore

/// The programs of a simulated worker: commands, which run as soon as they are asked for, and calls, which wait for a host.
extension SimulatedWorker {
    /// A program on its way.
    struct Program {
        enum Step {
            /// In a host behind others.
            case queued
            case running
            /// It waits to be told whether what it adds to its group is accepted.
            case asking
            /// It waits for the groups that it has opened.
            case waiting
            /// It has waited, and wants a slot.
            case wanting
            /// It has been asked to end, and cleans up.
            case cleaning
        }

        var order: WorkOrder
        /// Its number in `Truth`.
        var task: Int
        var isCall: Bool
        var step: Step
        /// In `Truth`; `nil` before it has begun.
        var execution: Int?
        var plan: ProgramPlan?
        /// What is due for it counts only with this number.
        var version = 0
        var killAt: Instant?
        var output = ProgramOutput()
        /// The node of the client through which it opens groups.
        var client: Int?
        /// How often it will wait for something else when its groups are closed, each time but the last for no time.
        var furtherWaits = 0
        /// It gave up its slot, as far as it has been told.
        var isSuspended: Bool { step == .waiting || step == .wanting }
    }

    private func add(_ order: WorkOrder, isCall: Bool) -> Int {
        let program = Program(order: order, task: Self.task(of: order.payload), isCall: isCall, step: .queued)
        let place = freePlaces.popLast() ?? programs.count
        if place == programs.count { programs.append(program) } else { programs[place] = program }
        places[order.task] = place
        return place
    }

    func runCommand(_ order: WorkOrder, _ simulation: Simulation) {
        begin(add(order, isCall: false), simulation)
    }

    func runCall(_ order: WorkOrder, _ simulation: Simulation) {
        queue.append(add(order, isCall: true))
        runQueue(simulation)
    }

    private func runQueue(_ simulation: Simulation) {
        while let place = queue.first {
            let busy = programs.count { program in
                guard let program else { return false }
                return program.isCall && program.step != .queued && !program.isSuspended
            }
            guard busy < slots else { return }
            queue.removeFirst()
            begin(place, simulation)
            if isDead { return }
        }
    }

    private func begin(_ place: Int, _ simulation: Simulation) {
        guard var program = programs[place] else { return }
        let truth = simulation.truth
        let execution = truth.executions.count
        let ref = AttemptRef(task: program.order.task, attempt: program.order.attempt)
        let number = truth.tasks[program.task].executions.count + 1
        truth.executions.append(
            Truth.Execution(task: program.task, number: number, worker: life, ref: ref, began: simulation.now)
        )
        truth.tasks[program.task].executions.append(execution)
        truth.running.append(execution)
        let plan = ProgramPlan(
            simulation,
            task: program.task,
            execution: number,
            nests: program.order.template.function == "nest",
            adds: program.order.template.function == "f" && mayAdd(program.task, truth)
        )
        program.execution = execution
        program.plan = plan
        program.step = .running
        programs[place] = program
        noteBegun(ref)
        deliver(.attemptStarted(program.order.task), simulation)
        beginWriting(place, simulation)
        schedule(
            place,
            after: plan.isOwner ? TimeSpan(nanoseconds: plan.duration.nanoseconds / 2) : plan.duration,
            simulation
        )
        simulation.observe(.programBegan(execution: execution))
    }

    private func schedule(_ place: Int, after span: TimeSpan, _ simulation: Simulation) {
        guard var program = programs[place] else { return }
        // Never the same number twice, for places are used again.
        versions += 1
        program.version = versions
        programs[place] = program
        simulation.schedule(
            .programStep(node: number, program: place, version: program.version),
            at: simulation.now.advanced(by: span)
        )
    }

    /// The step that a program is in has come to its end.
    func step(_ place: Int, version: Int, _ simulation: Simulation) {
        guard !isDead, let program = programs[place], program.version == version, let plan = program.plan else {
            return
        }
        if let killAt = program.killAt, killAt <= simulation.now {
            return finish(place, .cancelled, isForced: true, simulation)
        }
        switch program.step {
        case .queued, .asking, .wanting: break
        case .running:
            if plan.groups > 0, program.client == nil {
                openGroups(place, simulation)
            } else if plan.siblings > 0, program.client == nil {
                addSiblings(place, simulation)
            } else if program.furtherWaits > 0 {
                waitAgain(place, program, plan.duration, simulation)
            } else if let crash = plan.crash {
                crashed(place, crash, simulation)
            } else if waitsToWrite(place) {
                // It goes on with a grant.
                programs[place]?.output.isAtEnd = true
            } else {
                finish(place, plan.fails ? .failed : .returned, isForced: false, simulation)
            }
        case .waiting: groupsEnded(place, areLost: false, simulation)
        case .cleaning: endCleanup(place, plan.reaction, simulation)
        }
    }

    private func endCleanup(_ place: Int, _ reaction: ProgramPlan.Reaction, _ simulation: Simulation) {
        guard let program = programs[place] else { return }
        switch reaction {
        case .ends, .ignores: finish(place, .cancelled, isForced: false, simulation)
        case .returns: finish(place, .returned, isForced: false, simulation)
        // A command that was sent a signal has no way to say that it failed.
        case .fails: finish(place, program.isCall ? .failed : .cancelled, isForced: false, simulation)
        }
    }

    private func crashed(_ place: Int, _ crash: (signal: Int32, takesWorker: Bool), _ simulation: Simulation) {
        simulation.count("crash of a program")
        if crash.takesWorker {
            simulation.kill(self, signal: crash.signal, tells: .exactly)
            simulation.schedule(.workerReplaced, after: 100_000_000)
        } else {
            // A command that dies by itself has failed; a call is lost with its host (R15).
            let isCall = programs[place]?.isCall == true
            finish(place, isCall ? .died(signal: crash.signal) : .failed, isForced: false, simulation)
        }
    }

    // MARK: Requests

    func cancel(_ task: TaskKey, grace: TimeSpan, _ simulation: Simulation) {
        guard let place = places[task], var program = programs[place] else { return }
        guard let plan = program.plan else {
            // In a host, unbegun.
            queue.removeAll { $0 == place }
            remove(place)
            return deliver(.callEnded(task, .cancelled(started: false), elapsed: .zero), simulation)
        }
        // One that came before the program had begun has not been noted yet.
        if let execution = program.execution {
            simulation.truth.noteCancel(of: execution, grace: grace, at: simulation.now)
        }
        let due = simulation.now.advanced(by: grace)
        let isFirst = program.killAt == nil
        program.killAt = min(due, program.killAt ?? due)
        programs[place] = program
        let isBusy = program.step == .running || program.step == .asking
        if isFirst, plan.reaction != .ignores, isBusy || program.client != nil && plan.leavesGroups {
            programs[place]?.step = .cleaning
            let isKilled = plan.cleanup >= grace
            schedule(place, after: isKilled ? grace : plan.cleanup, simulation)
        } else if let killAt = program.killAt {
            // It goes on as before, until its own end or the end of the grace, whichever comes first.
            simulation.schedule(
                .programStep(node: number, program: place, version: program.version),
                at: killAt
            )
        }
    }

    func retract(_ tasks: [TaskKey], _ simulation: Simulation) {
        var returned: [TaskKey] = []
        for task in tasks {
            guard let place = places[task], let program = programs[place], program.step == .queued else { continue }
            queue.removeAll { $0 == place }
            remove(place)
            returned.append(task)
        }
        if !returned.isEmpty { deliver(.callsReturned(returned), simulation) }
    }

    /// It is killed at once, and not because it was asked to end.
    func kill(_ task: TaskKey, _ simulation: Simulation) {
        guard let place = places[task], let program = programs[place] else { return }
        if program.execution == nil {
            queue.removeAll { $0 == place }
            remove(place)
            deliver(.callEnded(task, .cancelled(started: false), elapsed: .zero), simulation)
        } else {
            finish(place, .killed, isForced: true, simulation)
        }
    }

    // MARK: Groups of calls

    private func openGroups(_ place: Int, _ simulation: Simulation) {
        guard let program = programs[place], let execution = program.execution, let plan = program.plan else { return }
        let ref = simulation.truth.executions[execution].ref
        let client = simulation.addHost(of: self, program: place, execution: execution)
        programs[place]?.client = client.number
        programs[place]?.step = .waiting
        var generator = SeededGenerator(seed: simulation.seed, stream: 0x5_0000_0000 + UInt64(execution))
        let depth = simulation.truth.path(from: simulation.truth.tasks[program.task].group).count
        for _ in 0..<plan.groups {
            let draft = GroupDraft.draw(simulation.options, isRoot: false, isNested: true, &generator)
            let group = client.open(draft, parent: nil, owner: ref, simulation)
            let template = TaskTemplate.draw(simulation.options, mayNest: depth < 4, &generator)
            client.add(Int.random(in: 1...3, using: &generator), template, to: group, simulation)
            client.seal(group, .returned, simulation)
        }
        programs[place]?.furtherWaits = Int.random(in: 0...2, using: &generator)
        deliver(.callWaiting(program.order.task), simulation)
        runQueue(simulation)
    }

    private func waitAgain(_ place: Int, _ program: Program, _ span: TimeSpan, _ simulation: Simulation) {
        programs[place]?.furtherWaits -= 1
        programs[place]?.step = .waiting
        schedule(place, after: program.furtherWaits > 1 ? .zero : span, simulation)
        deliver(.callWaiting(program.order.task), simulation)
        runQueue(simulation)
    }

    /// All groups that it has opened are closed, or will never be.
    func groupsEnded(_ place: Int, areLost: Bool, _ simulation: Simulation) {
        guard let program = programs[place], program.step == .waiting || program.step == .asking else { return }
        if areLost { return finish(place, .failed, isForced: false, simulation) }
        guard program.step == .waiting else { return }
        programs[place]?.step = .wanting
        deliver(.callWanting(program.order.task), simulation)
    }

    // MARK: Tasks that calls add to their groups

    private func mayAdd(_ task: Int, _ truth: Truth) -> Bool {
        truth.tasks[task].generation < 2 && truth.groups[truth.tasks[task].group].spec.acceptsSiblings
    }

    private func addSiblings(_ place: Int, _ simulation: Simulation) {
        guard let program = programs[place], let execution = program.execution, let plan = program.plan else { return }
        let client = simulation.addHost(of: self, program: place, execution: execution)
        programs[place]?.client = client.number
        programs[place]?.step = .asking
        var generator = SeededGenerator(seed: simulation.seed, stream: 0x9_0000_0000 + UInt64(execution))
        let template = TaskTemplate.draw(simulation.options, mayNest: false, &generator)
        client.addSiblings(plan.siblings, template, of: execution, simulation)
    }

    /// It knows of all that it has added whether that was accepted.
    func siblingsAnswered(_ place: Int, _ simulation: Simulation) {
        if let program = programs[place], program.step == .asking { goOn(place, simulation) }
    }

    // MARK: Slots of calls

    func proceed(_ task: TaskKey, _ simulation: Simulation) {
        guard let place = places[task], let program = programs[place], program.isSuspended else { return }
        // To clean up it is given a slot while its groups are still open: it waits for them all the same.
        if program.step == .wanting { goOn(place, simulation) }
    }

    /// It has what it waited for, and does the other half of its work, if it is still to do that.
    private func goOn(_ place: Int, _ simulation: Simulation) {
        guard let program = programs[place], let plan = program.plan else { return }
        programs[place]?.step = program.killAt == nil ? .running : .cleaning
        let span = program.killAt == nil ? TimeSpan(nanoseconds: plan.duration.nanoseconds / 2) : .zero
        schedule(place, after: span, simulation)
        if let killAt = program.killAt, let version = programs[place]?.version {
            simulation.schedule(.programStep(node: number, program: place, version: version), at: killAt)
        }
    }

    // MARK: Ends

    private func finish(_ place: Int, _ end: Truth.ProgramEnd, isForced: Bool, _ simulation: Simulation) {
        guard let program = programs[place], let execution = program.execution else { return }
        let wasAsked = program.killAt != nil
        if !isForced { writeLast(place, simulation) }
        // A command that ends badly after a signal was ended by it.
        let real: Truth.ProgramEnd = end == .failed && wasAsked && !program.isCall ? .cancelled : end
        remove(place)
        close(program, simulation)
        simulation.ended(execution, real)
        let elapsed = simulation.now.since(simulation.truth.executions[execution].began)
        if program.isCall {
            deliver(
                .callEnded(program.order.task, callEnd(real, execution, isForced, simulation), elapsed: elapsed),
                simulation
            )
        } else {
            deliver(.commandEnded(program.order.task, commandEnd(real, isForced, wasAsked, elapsed)), simulation)
        }
        handBack(program, real, simulation)
        runQueue(simulation)
    }

    private func callEnd(
        _ end: Truth.ProgramEnd,
        _ execution: Int,
        _ isForced: Bool,
        _ simulation: Simulation
    ) -> CallEnd {
        switch end {
        case .returned: .returned(OneOutcome.value(of: execution, simulation.truth))
        case .failed: .threw(type: "SimulatedError", message: "it failed, as planned", trace: "")
        case .cancelled, .killed:
            isForced ? .died(exitCode: nil, signal: 9, forced: true) : .cancelled(started: true)
        case .died(let signal): .died(exitCode: nil, signal: signal, forced: false)
        }
    }

    private func commandEnd(
        _ end: Truth.ProgramEnd,
        _ isForced: Bool,
        _ wasAsked: Bool,
        _ elapsed: TimeSpan
    ) -> CommandEnd {
        var report = CommandEnd()
        report.wasSignalled = wasAsked
        report.forced = isForced
        report.elapsed = elapsed
        switch end {
        case .returned: report.exitCode = 0
        case .failed: report.exitCode = 3
        case .cancelled, .killed: report.signal = isForced ? 9 : 15
        case .died(let signal): report.signal = signal
        }
        return report
    }

    /// What the end may stop must not begin in its slot: the host hands back what waits in it (R15).
    private func handBack(_ program: Program, _ end: Truth.ProgramEnd, _ simulation: Simulation) {
        let triggers: Bool =
            switch program.order.hold {
            case .never: false
            case .afterFailure: end.isFailure
            case .afterSuccess: end == .returned
            }
        guard program.isCall, triggers, !queue.isEmpty else { return }
        let tasks = queue.compactMap { programs[$0]?.order.task }
        for place in queue { remove(place) }
        queue.removeAll()
        deliver(.callsReturned(tasks), simulation)
    }

    private func close(_ program: Program, _ simulation: Simulation) {
        guard let number = program.client, let client = simulation.nodes[number] as? SimulatedClient else { return }
        client.end(simulation, isKilled: false)
    }

    private func remove(_ place: Int) {
        guard let program = programs[place] else { return }
        if places[program.order.task] == place { places[program.order.task] = nil }
        programs[place] = nil
        freePlaces.append(place)
    }

    /// Everything that runs here is killed.
    func killPrograms(_ end: Truth.ProgramEnd, _ simulation: Simulation) {
        for place in programs.indices {
            guard let program = programs[place] else { continue }
            remove(place)
            if let number = program.client, let client = simulation.nodes[number] as? SimulatedClient {
                client.end(simulation, isKilled: true)
            }
            if let execution = program.execution { simulation.ended(execution, end) }
        }
        queue = []
    }
}
