internal import CohortCore

/// Flags of a report's column.
private enum ReportFlags {
    static let started: UInt32 = 1
    static let afterCancel: UInt32 = 2
}

extension ClientUpdate {
    var wire: PBUpdate {
        var message = PBUpdate()
        message.opened = opened.map {
            var item = PBUpdate.Opened()
            item.key = $0.key.value
            item.group = $0.group.value
            return item
        }
        message.workers = workers.map(\.wire)
        message.groups = groups.map(\.wire)
        message.stopping = stopping.map {
            var item = PBUpdate.Stop()
            item.group = $0.group.value
            item.cause = PBCause(rawValue: Int($0.cause.rawValue)) ?? .none
            item.reason = $0.reason
            return item
        }
        message.refusals = refusals.map {
            var item = PBUpdate.Refusal()
            item.code = PBRefusalCode(rawValue: Int($0.code.rawValue)) ?? .invalid
            if let key = $0.key { item.key = key.value }
            item.from = $0.from
            item.message = $0.message
            return item
        }
        message.closed = closed.map(\.wire)
        message.caughtUp = caughtUp.map(\.value)
        message.details = details.map(\.wire)
        writeNested(to: &message)
        writeColumns(to: &message)
        return message
    }

    private func writeNested(to message: inout PBUpdate) {
        message.accepted = accepted.map {
            var item = PBUpdate.Accepted()
            item.key = $0.key.value
            item.first = $0.first
            item.index = $0.index
            item.count = $0.count
            return item
        }
        message.answers = answers.map {
            var item = PBUpdate.Answer()
            item.token = $0.token
            item.accepted = $0.isAccepted
            if let code = $0.code { item.code = PBRefusalCode(rawValue: Int(code.rawValue)) ?? .invalid }
            item.message = $0.message
            return item
        }
        message.progress = progress.map {
            var item = PBUpdate.Progress()
            item.group = $0.group.value
            item.index = $0.index
            if let fraction = $0.fraction { item.fraction = Millionths.count(fraction) }
            item.note = $0.note
            return item
        }
    }

    private func writeColumns(to message: inout PBUpdate) {
        message.nameGroup = names.map(\.group.value)
        message.nameIndex = names.map(\.index)
        message.name = names.map(\.name)
        message.startGroup = started.map(\.group.value)
        message.startIndex = started.map(\.index)
        message.startWorker = started.map(\.worker)
        message.outputGroup = outputs.map(\.group.value)
        message.outputIndex = outputs.map(\.index)
        message.outputAttempt = outputs.map(\.attempt)
        message.outputStream = outputs.map { UInt32($0.stream.rawValue) }
        message.outputLength = outputs.map(\.length)
        message.outputOffset = outputs.map(\.offset)
        message.reportGroup = reports.map(\.group.value)
        message.reportIndex = reports.map(\.index)
        message.reportOutcome = reports.map { UInt32($0.outcome.rawValue) }
        message.reportFlags = reports.map {
            ($0.started ? ReportFlags.started : 0) | ($0.afterCancel ? ReportFlags.afterCancel : 0)
        }
        message.reportCause = reports.map { UInt32($0.cause.rawValue) }
        message.reportAttempts = reports.map(\.attempts)
        message.reportElapsed = reports.map(\.elapsed.nanoseconds)
        message.reportWorker = reports.map(\.worker)
        message.reportValueLength = reports.map(\.valueLength)
        message.reportDetail = reports.map { UInt32($0.detail + 1) }
    }

    init(wire message: PBUpdate, payload: [UInt8]) throws(FrameError) {
        self.init()
        try checkColumns("opened groups", message.opened.count)
        try checkColumns("workers", message.workers.count)
        try checkColumns("groups", message.groups.count)
        try checkColumns("stopping groups", message.stopping.count)
        try checkColumns("refusals", message.refusals.count)
        try checkColumns("closed groups", message.closed.count)
        try checkColumns("watched groups", message.caughtUp.count)
        try checkColumns("details", message.details.count)
        opened = message.opened.map { OpenedGroup(key: GroupKey($0.key), group: GroupID($0.group)) }
        workers = message.workers.map(WorkerSummary.init(wire:))
        for group in message.groups { groups.append(try GroupSummary(wire: group)) }
        for stop in message.stopping {
            stopping.append(
                GroupStop(
                    group: GroupID(stop.group),
                    cause: try decodeCase("cause", stop.cause.rawValue),
                    reason: stop.reason
                )
            )
        }
        for refusal in message.refusals {
            refusals.append(
                Refusal(
                    code: try decodeCase("refusal", refusal.code.rawValue),
                    key: refusal.hasKey ? GroupKey(refusal.key) : nil,
                    from: refusal.from,
                    message: refusal.message
                )
            )
        }
        for group in message.closed { closed.append(try GroupReport(wire: group)) }
        caughtUp = message.caughtUp.map(GroupID.init)
        details = try AttemptDetail.list(wire: message.details)
        try readNested(message)
        try readNamesAndStarts(message)
        try readOutputs(message)
        try readReports(message)
        try checkPayload("an update", payload, message.outputLength, message.reportValueLength)
        self.payload = payload
    }

    private mutating func readNested(_ message: PBUpdate) throws(FrameError) {
        try checkColumns("accepted tasks", message.accepted.count)
        try checkColumns("answers", message.answers.count)
        try checkColumns("progress", message.progress.count)
        accepted = message.accepted.map {
            AcceptedTasks(key: GroupKey($0.key), first: $0.first, index: $0.index, count: $0.count)
        }
        for answer in message.answers {
            answers.append(
                RequestAnswer(
                    token: answer.token,
                    isAccepted: answer.accepted,
                    code: answer.hasCode ? try decodeCase("refusal", answer.code.rawValue) : nil,
                    message: answer.message
                )
            )
        }
        progress = message.progress.map {
            TaskProgress(
                group: GroupID($0.group),
                index: $0.index,
                fraction: $0.hasFraction ? Millionths.fraction($0.fraction) : nil,
                note: $0.note
            )
        }
    }

    private mutating func readNamesAndStarts(_ message: PBUpdate) throws(FrameError) {
        try checkColumns("names", message.nameGroup.count, message.nameIndex.count, message.name.count)
        names = message.nameGroup.indices.map {
            TaskName(group: GroupID(message.nameGroup[$0]), index: message.nameIndex[$0], name: message.name[$0])
        }
        try checkColumns("starts", message.startGroup.count, message.startIndex.count, message.startWorker.count)
        started = message.startGroup.indices.map {
            TaskStart(
                group: GroupID(message.startGroup[$0]),
                index: message.startIndex[$0],
                worker: message.startWorker[$0]
            )
        }
    }

    private mutating func readOutputs(_ message: PBUpdate) throws(FrameError) {
        let count = message.outputGroup.count
        try checkColumns(
            "outputs",
            count,
            message.outputIndex.count,
            message.outputAttempt.count,
            message.outputStream.count,
            message.outputLength.count,
            message.outputOffset.count
        )
        outputs.reserveCapacity(count)
        for row in 0..<count {
            outputs.append(
                ClientOutput(
                    group: GroupID(message.outputGroup[row]),
                    index: message.outputIndex[row],
                    attempt: message.outputAttempt[row],
                    stream: try decodeCase("output stream", Int(message.outputStream[row])),
                    offset: message.outputOffset[row],
                    length: message.outputLength[row]
                )
            )
        }
    }

    private mutating func readReports(_ message: PBUpdate) throws(FrameError) {
        let count = message.reportGroup.count
        try checkColumns(
            "reports",
            count,
            message.reportIndex.count,
            message.reportOutcome.count,
            message.reportFlags.count,
            message.reportCause.count,
            message.reportAttempts.count,
            message.reportElapsed.count,
            message.reportWorker.count,
            message.reportValueLength.count,
            message.reportDetail.count
        )
        reports.reserveCapacity(count)
        for row in 0..<count {
            let flags = message.reportFlags[row]
            guard Int(message.reportDetail[row]) <= message.details.count else {
                throw FrameError(.malformed, "a report names detail \(message.reportDetail[row]), which is not there")
            }
            reports.append(
                TaskReport(
                    group: GroupID(message.reportGroup[row]),
                    index: message.reportIndex[row],
                    outcome: try decodeCase("task outcome", Int(message.reportOutcome[row])),
                    started: flags & ReportFlags.started != 0,
                    afterCancel: flags & ReportFlags.afterCancel != 0,
                    cause: try decodeCase("cause", Int(message.reportCause[row])),
                    attempts: message.reportAttempts[row],
                    elapsed: span(message.reportElapsed[row]),
                    worker: message.reportWorker[row],
                    valueLength: message.reportValueLength[row],
                    detail: Int32(message.reportDetail[row]) - 1
                )
            )
        }
    }
}
