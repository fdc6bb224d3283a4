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
            item.template = $0.template.wire
            return item
        }
        message.task = tasks.map(\.ref.task.raw)
        message.attempt = tasks.map(\.ref.attempt)
        message.template = tasks.map(\.template.value)
        message.index = tasks.map(\.index)
        message.length = tasks.map(\.payloadLength)
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
        try checkColumns("assigned templates", message.templates.count)
        try checkPayload("an assignment", payload, message.length)
        for item in message.templates {
            templates.append(
                AssignedTemplate(
                    id: TemplateID(item.id),
                    group: GroupID(item.group),
                    groupName: item.groupName,
                    hold: try decodeCase("hold rule", item.hold.rawValue),
                    template: try TaskTemplate(wire: item.template)
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
                    payloadLength: message.length[row]
                )
            )
        }
        self.payload = payload
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

/// Flags of a finished attempt's column.
private let startedFlag: UInt32 = 1

extension WorkerReport {
    var wire: PBReport {
        var message = PBReport()
        message.outputTask = outputs.map(\.ref.task.raw)
        message.outputAttempt = outputs.map(\.ref.attempt)
        message.outputStream = outputs.map { UInt32($0.stream.rawValue) }
        message.outputLength = outputs.map(\.length)
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
        return message
    }

    init(wire message: PBReport, payload: [UInt8]) throws(FrameError) {
        self.init()
        started = try Self.refs("started attempts", message.startedTask, message.startedAttempt)
        returned = try Self.refs("returned attempts", message.returnedTask, message.returnedAttempt)
        cancelsSeen = try Self.refs("cancelled attempts", message.cancelledTask, message.cancelledAttempt)
        try checkColumns("details", message.details.count)
        details = message.details.map(AttemptDetail.init(wire:))
        try readOutputs(message)
        try readFinished(message)
        try checkPayload("a report", payload, message.outputLength, message.finishedValueLength)
        self.payload = payload
    }

    private static func refs(
        _ name: String,
        _ tasks: [UInt64],
        _ attempts: [UInt32]
    ) throws(FrameError) -> [AttemptRef] {
        try checkColumns(name, tasks.count, attempts.count)
        return tasks.indices.map { AttemptRef(task: TaskKey(raw: tasks[$0]), attempt: attempts[$0]) }
    }

    private mutating func readOutputs(_ message: PBReport) throws(FrameError) {
        let count = message.outputTask.count
        try checkColumns(
            "outputs",
            count,
            message.outputAttempt.count,
            message.outputStream.count,
            message.outputLength.count
        )
        for row in 0..<count {
            outputs.append(
                OutputChunk(
                    ref: AttemptRef(task: TaskKey(raw: message.outputTask[row]), attempt: message.outputAttempt[row]),
                    stream: try decodeCase("output stream", Int(message.outputStream[row])),
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
