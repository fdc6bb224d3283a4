internal import CohortCore
internal import Testing

/// Drives a `WorkerCore` event by event, and renders its actions as lines: `run 0 slot 1`, `call 3 ahead`, `ended 0 ok`.
///
/// Tasks are called by number. After each burst of events the core is flushed; `expect` takes all lines there are.
struct WorkerScript {
    private(set) var core: WorkerCore
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var lines: [String] = []
    private(set) var actions: [WorkerAction] = []

    /// Template 1 is a command of group 1; `template` adds others.
    static let command = TemplateID(1)

    init(slots: UInt32 = 1) { core = WorkerCore(slots: slots) }

    static func ref(_ number: UInt32, attempt: UInt32 = 1) -> AttemptRef {
        AttemptRef(task: key(number), attempt: attempt)
    }

    static func key(_ number: UInt32) -> TaskKey { TaskKey(index: number, generation: 1) }

    static func template(
        _ id: UInt64,
        group: UInt64 = 1,
        hold: HoldRule = .never,
        _ template: TaskTemplate
    ) -> AssignedTemplate {
        AssignedTemplate(
            id: TemplateID(id),
            group: GroupID(group),
            groupName: "group-\(group)",
            hold: hold,
            template: template
        )
    }

    // MARK: Sending

    mutating func send(_ events: WorkerEvent...) {
        var out: [WorkerAction] = []
        for event in events { core.handle(event, at: now, into: &out) }
        core.flush(into: &out)
        actions += out
        for action in out { render(action) }
    }

    /// Assigns tasks of one template, which goes along the first time.
    mutating func assign(
        _ numbers: ClosedRange<UInt32>,
        _ template: AssignedTemplate = template(1, TaskTemplate(name: "task")),
        isNew: Bool = true,
        attempt: UInt32 = 1,
        payload: String = ""
    ) {
        var batch = AssignBatch()
        if isNew { batch.templates = [template] }
        for number in numbers {
            batch.tasks.append(
                Assignment(
                    ref: Self.ref(number, attempt: attempt),
                    template: template.id,
                    index: number,
                    payloadLength: UInt32(payload.utf8.count)
                )
            )
            batch.payload += Array(payload.utf8)
        }
        send(.assigned(batch))
    }

    mutating func cancel(_ number: UInt32, attempt: UInt32 = 1, grace: TimeSpan = .seconds(5)) {
        let ref = Self.ref(number, attempt: attempt)
        send(.cancelled([CancelOrder(ref: ref, grace: grace, cause: .requested, reason: "enough")]))
    }

    /// The coordinator has acknowledged all reports but the last so many.
    mutating func acknowledge(allBut outstanding: Int) { core.acknowledged(allBut: outstanding) }

    mutating func start(_ number: UInt32) { send(.attemptStarted(Self.key(number))) }

    mutating func exit(_ number: UInt32, code: Int32? = 0, signal: Int32? = nil, wasSignalled: Bool = false) {
        var end = CommandEnd()
        end.exitCode = code
        end.signal = signal
        end.wasSignalled = wasSignalled
        end.command = "true"
        send(.commandEnded(Self.key(number), end))
    }

    mutating func end(_ number: UInt32, _ end: CallEnd) {
        send(.callEnded(Self.key(number), end, elapsed: .seconds(1)))
    }

    /// Moves the clock and tells the core if its deadline has come.
    mutating func advance(by span: TimeSpan) {
        now = now.advanced(by: span)
        if let due = core.nextDeadline, due <= now { send(.timeReached) }
    }

    // MARK: Taking

    mutating func expect(_ expected: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(lines == expected, sourceLocation: sourceLocation)
        settle()
    }

    mutating func expectNothing(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(lines == [], sourceLocation: sourceLocation)
        settle()
    }

    mutating func settle() {
        lines.removeAll()
        actions.removeAll()
    }

    /// The details of the reports that have not been taken.
    var details: [AttemptDetail] {
        actions.flatMap { action -> [AttemptDetail] in
            if case .report(let report) = action { report.details } else { [] }
        }
    }

    // MARK: Rendering

    private mutating func render(_ action: WorkerAction) {
        switch action {
        case .runCommand(let order):
            lines.append("run \(order.index) slot \(order.slot)\(Self.quoted(order.payload))")
        case .runCall(let order, let ahead):
            lines.append("call \(order.index)\(ahead ? " ahead" : "")\(Self.quoted(order.payload))")
        case .cancel(let task, let isCall, let grace, _, _):
            lines.append("cancel \(isCall ? "call" : "command") \(task.index) grace \(grace.seconds)")
        case .grant(let task, _, let bytes): lines.append("grant \(task.index) \(bytes)")
        case .kill(let task, let isCall): lines.append("kill \(isCall ? "call" : "command") \(task.index)")
        case .proceed(let task): lines.append("proceed \(task.index)")
        case .retract(let tasks): lines.append("retract \(tasks.map(\.index))")
        case .report(let report): render(report)
        case .announceDraining: lines.append("draining")
        case .drained: lines.append("drained")
        }
    }

    private mutating func render(_ report: WorkerReport) {
        var offset = 0
        func take(_ length: UInt32) -> [UInt8] {
            defer { offset += Int(length) }
            return Array(report.payload[offset..<offset + Int(length)])
        }
        for output in report.outputs {
            lines.append("output \(output.ref.task.index)\(Self.quoted(take(output.length)))")
        }
        lines += report.started.map { "started \($0.task.index)" }
        for attempt in report.finished {
            let error = attempt.detail < 0 ? "" : report.details[Int(attempt.detail)].type
            lines.append(
                "ended \(attempt.ref.task.index) \(attempt.status)\(error.isEmpty ? "" : " \(error)")"
                    + "\(attempt.started ? "" : " unstarted")\(Self.quoted(take(attempt.valueLength)))"
            )
        }
        lines += report.returned.map { "returned \($0.task.index)" }
        lines += report.waiting.map { "waiting \($0.task.index)" }
        lines += report.wanting.map { "wanting \($0.task.index)" }
        lines += report.progress.map { "progress \($0.ref.task.index) \($0.note)" }
        lines += report.cancelsSeen.map { "cancel seen \($0.task.index)" }
        #expect(offset == report.payload.count, "the payload of a report does not add up")
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        bytes.isEmpty ? "" : " '\(String(decoding: bytes, as: UTF8.self))'"
    }
}
