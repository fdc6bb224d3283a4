internal import CohortCore

/// What a program has left to write, and what holds it up.
struct ProgramOutput {
    /// Sizes of the pieces that it is going to write, the next one last.
    var pieces: [Int] = []
    /// When there is a little time between them.
    var pause = TimeSpan.zero
    /// Bytes that it may write before it has to wait.
    var credit = 64 << 10
    /// It waits for credit.
    var isBlocked = false
    /// It has done everything else.
    var isAtEnd = false
}

/// What programs write, decided by the seed and the number of the execution alone.
enum OutputPlan {
    /// Some of the templates stream their output. Not drawn from the seed's other choices, which stay as they are.
    static func draw(_ template: TaskTemplate, group: Int, _ simulation: Simulation) -> TaskTemplate {
        var generator = SeededGenerator(
            seed: simulation.seed,
            stream: 0x6_0000_0000 + UInt64(group) * 64 + UInt64(simulation.truth.groups[group].templates)
        )
        var template = template
        if generator.chance(simulation.options.streaming) { template.output = .stream }
        return template
    }

    static func output(of execution: Int, within duration: TimeSpan, _ simulation: Simulation) -> ProgramOutput {
        var generator = SeededGenerator(seed: simulation.seed, stream: 0x7_0000_0000 + UInt64(execution))
        var output = ProgramOutput()
        let writesMuch = generator.chance(simulation.options.writingMuch)
        // Some write all the time: their credit lasts longer than it takes to miss their reader.
        let isSteady = writesMuch && generator.chance(50)
        let much = isSteady ? [1_000, 3_000] : [30_000, 60_000]
        let sizes = writesMuch ? much : generator.pick([[1, 5], [300], [1, 900, 20_000]]) ?? []
        let count = Int.random(in: isSteady ? 30...120 : 0...12, using: &generator)
        output.pieces = (0..<count).map { _ in generator.pick(sizes) ?? 1 }
        // With some all come in the breath in which the program ends.
        let share = generator.pick(writesMuch ? [4, 12, 40] : [0, 1, 4, 12]) ?? 0
        output.pause = TimeSpan(
            nanoseconds: share == 0 ? duration.nanoseconds * 2 : duration.nanoseconds / UInt64(share)
        )
        if isSteady { output.pause = .milliseconds(100) }
        return output
    }

    /// The stream on which a byte is written: they take turns, in runs of many bytes.
    static func stream(at offset: Int, of execution: Int) -> OutputStream {
        (offset / 700 + execution).isMultiple(of: 2) ? .standardOutput : .standardError
    }

    static func byte(at offset: Int, of execution: Int) -> UInt8 {
        let mixed = (UInt64(offset) &+ UInt64(execution) &* 1_000_003) &* 0x9e37_79b9_7f4a_7c15
        return UInt8(truncatingIfNeeded: mixed >> 56)
    }
}

extension SimulatedWorker {
    func beginWriting(_ place: Int, _ simulation: Simulation) {
        guard let program = programs[place], let execution = program.execution, let plan = program.plan,
            program.order.template.output == .stream
        else { return }
        programs[place]?.output = OutputPlan.output(of: execution, within: plan.duration, simulation)
        scheduleWriting(place, simulation)
    }

    private func scheduleWriting(_ place: Int, _ simulation: Simulation) {
        guard let program = programs[place], let execution = program.execution, !program.output.pieces.isEmpty else {
            return
        }
        simulation.schedule(
            .programWrites(node: number, task: program.order.task, execution: execution),
            at: simulation.now.advanced(by: program.output.pause)
        )
    }

    func write(_ task: TaskKey, execution: Int, _ simulation: Simulation) {
        guard !isDead, let place = places[task], programs[place]?.execution == execution,
            programs[place]?.output.isBlocked == false
        else { return }
        writeOne(place, simulation)
        scheduleWriting(place, simulation)
    }

    /// Writes the next piece, as far as there is credit.
    private func writeOne(_ place: Int, _ simulation: Simulation) {
        guard var output = programs[place]?.output, let size = output.pieces.last else { return }
        let count = min(size, output.credit)
        output.credit -= count
        output.isBlocked = count < size
        if output.isBlocked { output.pieces[output.pieces.count - 1] -= count } else { output.pieces.removeLast() }
        programs[place]?.output = output
        tell(count, place, simulation)
    }

    private func tell(_ count: Int, _ place: Int, _ simulation: Simulation) {
        guard let program = programs[place], let execution = program.execution else { return }
        var offset = simulation.truth.executions[execution].written
        let end = offset + count
        while offset < end {
            let stream = OutputPlan.stream(at: offset, of: execution)
            var bytes: [UInt8] = []
            while offset < end, OutputPlan.stream(at: offset, of: execution) == stream {
                bytes.append(OutputPlan.byte(at: offset, of: execution))
                offset += 1
            }
            deliver(.outputArrived(program.order.task, stream, bytes), simulation)
        }
        simulation.truth.executions[execution].written = end
    }

    /// Whether it cannot end by itself because somebody has to take first what it writes.
    func waitsToWrite(_ place: Int) -> Bool { programs[place]?.output.isBlocked == true }

    func granted(_ task: TaskKey, _ bytes: UInt64, _ simulation: Simulation) {
        guard let place = places[task], programs[place]?.execution != nil else { return }
        programs[place]?.output.credit += Int(clamping: bytes)
        guard programs[place]?.output.isBlocked == true else { return }
        programs[place]?.output.isBlocked = false
        writeOne(place, simulation)
        guard programs[place]?.output.isBlocked == false else { return }
        if programs[place]?.output.isAtEnd == true, let version = programs[place]?.version {
            step(place, version: version, simulation)
        } else {
            scheduleWriting(place, simulation)
        }
    }

    /// What it writes in the breath in which it ends, within its credit or as much as a pipe holds.
    func writeLast(_ place: Int, _ simulation: Simulation) {
        guard let program = programs[place], program.order.template.output == .stream else { return }
        let left = program.output.pieces.reduce(0, +)
        tell(min(left, max(program.output.credit, 64 << 10)), place, simulation)
    }
}
