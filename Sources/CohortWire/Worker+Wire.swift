internal import CohortCore

extension AssignBatch {
    var wire: PBAssign {
        var message = PBAssign()
        message.templates = templates.map {
            var item = PBAssignedTemplate()
            item.id = $0.id.value
            item.group = $0.group.value
            item.groupName = $0.groupName
            item.hold = PBHoldRule(rawValue: Int($0.hold.rawValue)) ?? .never
            item.detached = $0.detached
            item.template = $0.template.wire
            return item
        }
        message.task = tasks.map(\.ref.task.raw)
        message.attempt = tasks.map(\.ref.attempt)
        message.template = tasks.map(\.template.value)
        message.index = tasks.map(\.index)
        message.length = tasks.map(\.payloadLength)
        // Most tasks run for the first time and have no deadline: then the columns need not travel.
        if tasks.contains(where: { $0.execution != 1 }) { message.execution = tasks.map(\.execution) }
        if tasks.contains(where: { $0.deadlineIn != nil }) {
            message.deadlineIn = tasks.map { $0.deadlineIn.map { max($0.nanoseconds, 1) } ?? 0 }
        }
        return message
    }

    init(wire message: PBAssign, payload: [UInt8]) throws(FrameError) {
        self.init()
        let count = message.task.count
        try checkColumns(
            "assigned tasks",
            count,
            message.attempt.count,
            message.template.count,
            message.index.count,
            message.length.count
        )
        if !message.execution.isEmpty { try checkColumns("executions", count, message.execution.count) }
        if !message.deadlineIn.isEmpty { try checkColumns("deadlines", count, message.deadlineIn.count) }
        try checkColumns("assigned templates", message.templates.count)
        try checkPayload("an assignment", payload, message.length)
        for item in message.templates {
            templates.append(
                AssignedTemplate(
                    id: TemplateID(item.id),
                    group: GroupID(item.group),
                    groupName: item.groupName,
                    hold: try decodeCase("hold rule", item.hold.rawValue),
                    template: try TaskTemplate(wire: item.template),
                    detached: item.detached
                )
            )
        }
        tasks.reserveCapacity(count)
        for row in 0..<count {
            tasks.append(
                Assignment(
                    ref: AttemptRef(task: TaskKey(raw: message.task[row]), attempt: message.attempt[row]),
                    template: TemplateID(message.template[row]),
                    index: message.index[row],
                    execution: message.execution.isEmpty ? 1 : message.execution[row],
                    deadlineIn: message.deadlineIn.isEmpty || message.deadlineIn[row] == 0
                        ? nil : span(message.deadlineIn[row]),
                    payloadLength: message.length[row]
                )
            )
        }
        self.payload = payload
    }
}

extension WorkerDeath {
    var wire: PBObituary {
        var message = PBObituary()
        if let exitCode { message.exitCode = exitCode }
        if let signal { message.signal = signal }
        message.coreDumped = coreDumped
        message.outOfMemory = outOfMemory
        message.isExact = begun != nil
        message.begunTask = begun?.map(\.task.raw) ?? []
        message.begunAttempt = begun?.map(\.attempt) ?? []
        return message
    }

    init(wire message: PBObituary) throws(FrameError) {
        let begun = try attemptRefs("attempts that had begun", message.begunTask, message.begunAttempt)
        self.init(
            exitCode: message.hasExitCode ? message.exitCode : nil,
            signal: message.hasSignal ? message.signal : nil,
            begun: message.isExact ? begun : nil
        )
        coreDumped = message.coreDumped
        outOfMemory = message.outOfMemory
    }
}

extension CancelOrder {
    var wire: PBCancel.Order {
        var message = PBCancel.Order()
        message.task = ref.task.raw
        message.attempt = ref.attempt
        message.grace = grace.nanoseconds
        message.cause = PBCause(rawValue: Int(cause.rawValue)) ?? .none
        message.reason = reason
        return message
    }

    init(wire message: PBCancel.Order) throws(FrameError) {
        self.init(
            ref: AttemptRef(task: TaskKey(raw: message.task), attempt: message.attempt),
            grace: span(message.grace),
            cause: try decodeCase("cause", message.cause.rawValue),
            reason: message.reason
        )
    }
}

/// Attempts that stand in two columns.
func attemptRefs(_ name: String, _ tasks: [UInt64], _ attempts: [UInt32]) throws(FrameError) -> [AttemptRef] {
    try checkColumns(name, tasks.count, attempts.count)
    return tasks.indices.map { AttemptRef(task: TaskKey(raw: tasks[$0]), attempt: attempts[$0]) }
}

extension AttemptProgress {
    fileprivate var wire: PBAttemptProgress {
        var message = PBAttemptProgress()
        message.task = ref.task.raw
        message.attempt = ref.attempt
        if let fraction { message.fraction = Millionths.count(fraction) }
        message.note = note
        return message
    }

    fileprivate init(wire message: PBAttemptProgress) {
        self.init(
            ref: AttemptRef(task: TaskKey(raw: message.task), attempt: message.attempt),
            fraction: message.hasFraction ? Millionths.fraction(message.fraction) : nil,
            note: message.note.utf8.count <= Self.noteBytes
                ? message.note : String(message.note.prefix(Self.noteBytes / 4))
        )
    }

    /// Bytes of a note, of which many may be kept for a client that is behind.
    private static let noteBytes = 1_024
}

/// A fraction as it travels, in millionths.
enum Millionths {
    static func count(_ fraction: Double) -> UInt32 {
        fraction.isNaN ? 0 : UInt32((min(max(fraction, 0), 1) * 1e6).rounded())
    }

    static func fraction(_ count: UInt32) -> Double { min(Double(count) / 1e6, 1) }
}

/// Flags of a finished attempt's column.
private let startedFlag: UInt32 = 1

extension WorkerReport {
    var wire: PBReport {
        var message = PBReport()
        message.outputTask = outputs.map(\.ref.task.raw)
        message.outputAttempt = outputs.map(\.ref.attempt)
        message.outputStream = outputs.map { UInt32($0.stream.rawValue) }
        message.outputLength = outputs.map(\.length)
        message.outputOffset = outputs.map(\.offset)
        message.startedTask = started.map(\.task.raw)
        message.startedAttempt = started.map(\.attempt)
        message.finishedTask = finished.map(\.ref.task.raw)
        message.finishedAttempt = finished.map(\.ref.attempt)
        message.finishedStatus = finished.map { UInt32($0.status.rawValue) }
        message.finishedFlags = finished.map { $0.started ? startedFlag : 0 }
        message.finishedElapsed = finished.map(\.elapsed.nanoseconds)
        message.finishedValueLength = finished.map(\.valueLength)
        message.finishedDetail = finished.map { UInt32($0.detail + 1) }
        message.details = details.map(\.wire)
        message.returnedTask = returned.map(\.task.raw)
        message.returnedAttempt = returned.map(\.attempt)
        message.cancelledTask = cancelsSeen.map(\.task.raw)
        message.cancelledAttempt = cancelsSeen.map(\.attempt)
        message.waitingTask = waiting.map(\.task.raw)
        message.waitingAttempt = waiting.map(\.attempt)
        message.wantingTask = wanting.map(\.task.raw)
        message.wantingAttempt = wanting.map(\.attempt)
        message.progress = progress.map(\.wire)
        return message
    }

    init(wire message: PBReport, payload: [UInt8]) throws(FrameError) {
        self.init()
        started = try attemptRefs("started attempts", message.startedTask, message.startedAttempt)
        returned = try attemptRefs("returned attempts", message.returnedTask, message.returnedAttempt)
        cancelsSeen = try attemptRefs("cancelled attempts", message.cancelledTask, message.cancelledAttempt)
        waiting = try attemptRefs("waiting attempts", message.waitingTask, message.waitingAttempt)
        wanting = try attemptRefs("wanting attempts", message.wantingTask, message.wantingAttempt)
        try checkColumns("progress", message.progress.count)
        progress = message.progress.map(AttemptProgress.init(wire:))
        try checkColumns("details", message.details.count)
        details = try AttemptDetail.list(wire: message.details)
        try readOutputs(message)
        try readFinished(message)
        try checkPayload("a report", payload, message.outputLength, message.finishedValueLength)
        self.payload = payload
    }

    private mutating func readOutputs(_ message: PBReport) throws(FrameError) {
        let count = message.outputTask.count
        try checkColumns(
            "outputs",
            count,
            message.outputAttempt.count,
            message.outputStream.count,
            message.outputLength.count,
            message.outputOffset.count
        )
        for row in 0..<count {
            outputs.append(
                OutputChunk(
                    ref: AttemptRef(task: TaskKey(raw: message.outputTask[row]), attempt: message.outputAttempt[row]),
                    stream: try decodeCase("output stream", Int(message.outputStream[row])),
                    offset: message.outputOffset[row],
                    length: message.outputLength[row]
                )
            )
        }
    }

    private mutating func readFinished(_ message: PBReport) throws(FrameError) {
        let count = message.finishedTask.count
        try checkColumns(
            "finished attempts",
            count,
            message.finishedAttempt.count,
            message.finishedStatus.count,
            message.finishedFlags.count,
            message.finishedElapsed.count,
            message.finishedValueLength.count,
            message.finishedDetail.count
        )
        finished.reserveCapacity(count)
        for row in 0..<count {
            let detail = message.finishedDetail[row]
            guard Int(detail) <= message.details.count else {
                throw FrameError(.malformed, "an attempt names detail \(detail), which is not there")
            }
            finished.append(
                FinishedAttempt(
                    ref: AttemptRef(
                        task: TaskKey(raw: message.finishedTask[row]),
                        attempt: message.finishedAttempt[row]
                    ),
                    status: try decodeCase("status", Int(message.finishedStatus[row])),
                    started: message.finishedFlags[row] & startedFlag != 0,
                    elapsed: span(message.finishedElapsed[row]),
                    valueLength: message.finishedValueLength[row],
                    detail: Int32(detail) - 1
                )
            )
        }
    }
}
