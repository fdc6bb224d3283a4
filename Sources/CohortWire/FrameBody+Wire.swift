internal import CohortCore

/// Which message of the core is which on the wire.
extension FrameBody {
    /// Fills in the body of `frame`.
    ///
    /// - Returns: the payload frame, if the message has one.
    func write(to frame: inout PBFrame) -> [UInt8]? {
        switch self {
        case .hello(let greeting): frame.hello = greeting.wire
        case .welcome(let acceptance):
            frame.welcome.heartbeatInterval = acceptance.heartbeat.nanoseconds
            frame.welcome.lease = acceptance.lease.nanoseconds
            frame.welcome.coordinator = acceptance.coordinator
            frame.welcome.resumed = acceptance.resumed
            frame.welcome.unwantedTask = acceptance.unwanted.map(\.task.raw)
            frame.welcome.unwantedAttempt = acceptance.unwanted.map(\.attempt)
            frame.welcome.durable = acceptance.durable
            frame.welcome.lineage = acceptance.lineage
        case .refused(let reason): frame.refused.reason = reason
        case .heartbeat(let last): frame.heartbeat.last = last
        case .resend(let from): frame.resend.from = from
        case .goodbye(let reason): frame.goodbye.reason = reason
        case .obituary(let worker, let token, let death):
            frame.obituary = death.wire
            frame.obituary.workerSession = worker
            frame.obituary.token = token.value
        case .openGroup(let spec): frame.openGroup = spec.wire
        case .submit(let submission):
            frame.submit = submission.wire
            return submission.payload
        case .seal(let group, let end): frame.seal = sealMessage(group, end)
        case .joinGroup(let key, let owner):
            frame.joinGroup.key = key.value
            frame.joinGroup.owner = owner.wire
        case .cancelGroup(let target, let grace, let reason, let token):
            frame.cancelGroup.target = target.wire
            if let grace { frame.cancelGroup.grace = grace.nanoseconds }
            frame.cancelGroup.reason = reason
            frame.cancelGroup.token = token
        case .cancelTask(let group, let index, let reason, let token):
            frame.cancelTask.group = group.value
            frame.cancelTask.index = index
            frame.cancelTask.reason = reason
            frame.cancelTask.token = token
        case .setDeadline(let target, let timeout, let token):
            frame.setDeadline.target = target.wire
            if let timeout { frame.setDeadline.timeout = timeout.nanoseconds }
            frame.setDeadline.token = token
        case .extendDeadline(let target, let span, let token):
            frame.setDeadline.target = target.wire
            frame.setDeadline.later = span.nanoseconds
            frame.setDeadline.token = token
        case .consumed(let weight, let outputs):
            frame.consumed.weight = weight
            frame.consumed.group = outputs.map(\.group.value)
            frame.consumed.index = outputs.map(\.index)
            frame.consumed.attempt = outputs.map(\.attempt)
            frame.consumed.position = outputs.map(\.position)
        case .watch(let target): frame.watch.target = target.wire
        case .query: frame.query = PBQuery()
        case .update(let update):
            frame.update = update.wire
            return update.payload
        case .snapshot(let snapshot): frame.snapshot = snapshot.wire
        case .assign(let batch):
            frame.assign = batch.wire
            return batch.payload
        case .cancel(let orders): frame.cancel.orders = orders.map(\.wire)
        case .grant(let grants):
            frame.grant.task = grants.map(\.ref.task.raw)
            frame.grant.attempt = grants.map(\.ref.attempt)
            frame.grant.position = grants.map(\.position)
        case .forget(let templates): frame.forget.template = templates.map(\.value)
        case .proceed(let refs):
            frame.proceed.task = refs.map(\.task.raw)
            frame.proceed.attempt = refs.map(\.attempt)
        case .report(let report):
            frame.report = report.wire
            return report.payload
        case .draining: frame.draining = PBDraining()
        }
        return nil
    }

    private func sealMessage(_ group: GroupKey, _ end: BodyEnd) -> PBSeal {
        var message = PBSeal()
        message.group = group.value
        switch end {
        case .returned: message.body = .returned
        case .cancelled: message.body = .cancelled
        case .failed(let detail):
            message.body = .failed
            message.error = detail.wire
        }
        return message
    }

    static func read(_ content: PBFrame.OneOf_Body, payload: [UInt8]) throws(FrameError) -> FrameBody {
        switch content {
        case .submit(let message): return .submit(try TaskSubmission(wire: message, payload: payload))
        case .update(let message): return .update(try ClientUpdate(wire: message, payload: payload))
        case .assign(let message): return .assign(try AssignBatch(wire: message, payload: payload))
        case .report(let message): return .report(try WorkerReport(wire: message, payload: payload))
        default:
            guard payload.isEmpty else {
                throw FrameError(.malformed, "a payload frame behind a message that has none")
            }
            return try readControl(content)
        }
    }

    private static func readControl(_ content: PBFrame.OneOf_Body) throws(FrameError) -> FrameBody {
        switch content {
        case .hello(let message): return .hello(try Greeting(wire: message))
        case .welcome(let message):
            return .welcome(
                Acceptance(
                    heartbeat: span(message.heartbeatInterval),
                    lease: span(message.lease),
                    coordinator: message.coordinator,
                    resumed: message.resumed,
                    unwanted: try attemptRefs("unwanted attempts", message.unwantedTask, message.unwantedAttempt),
                    durable: message.durable,
                    lineage: message.lineage
                )
            )
        case .refused(let message): return .refused(message.reason)
        case .heartbeat(let message): return .heartbeat(last: message.last)
        case .resend(let message): return .resend(from: message.from)
        case .goodbye(let message): return .goodbye(message.reason)
        case .obituary(let message):
            return .obituary(
                worker: message.workerSession,
                PeerToken(message.token),
                try WorkerDeath(wire: message)
            )
        case .openGroup(let message): return .openGroup(try GroupSpec(wire: message))
        case .seal(let message): return .seal(GroupKey(message.group), try bodyEnd(message))
        case .cancelGroup(let message):
            return .cancelGroup(
                try GroupTarget(wire: message.target),
                grace: message.hasGrace ? span(message.grace) : nil,
                reason: message.reason,
                token: message.token
            )
        case .joinGroup(let message): return .joinGroup(GroupKey(message.key), AttemptRef(wire: message.owner))
        case .cancelTask(let message):
            return .cancelTask(
                GroupKey(message.group),
                index: message.index,
                reason: message.reason,
                token: message.token
            )
        case .setDeadline(let message):
            if message.hasLater {
                let target = try GroupTarget(wire: message.target)
                return .extendDeadline(target, by: span(message.later), token: message.token)
            }
            return .setDeadline(
                try GroupTarget(wire: message.target),
                message.hasTimeout ? span(message.timeout) : nil,
                token: message.token
            )
        case .consumed(let message):
            try checkColumns(
                "consumed output",
                message.group.count,
                message.index.count,
                message.attempt.count,
                message.position.count
            )
            let outputs = message.group.indices.map {
                ConsumedOutput(
                    group: GroupID(message.group[$0]),
                    index: message.index[$0],
                    attempt: message.attempt[$0],
                    position: message.position[$0]
                )
            }
            return .consumed(weight: message.weight, outputs)
        case .watch(let message): return .watch(try GroupTarget(wire: message.target))
        case .query: return .query
        case .snapshot(let message): return .snapshot(try Snapshot(wire: message))
        case .cancel(let message):
            try checkColumns("cancel orders", message.orders.count)
            var orders: [CancelOrder] = []
            for order in message.orders { orders.append(try CancelOrder(wire: order)) }
            return .cancel(orders)
        case .grant(let message):
            try checkColumns("grants", message.task.count, message.attempt.count, message.position.count)
            return .grant(
                message.task.indices.map {
                    OutputGrant(
                        ref: AttemptRef(task: TaskKey(raw: message.task[$0]), attempt: message.attempt[$0]),
                        position: message.position[$0]
                    )
                }
            )
        case .forget(let message):
            try checkColumns("templates to forget", message.template.count)
            return .forget(message.template.map(TemplateID.init))
        case .proceed(let message):
            return .proceed(try attemptRefs("attempts that proceed", message.task, message.attempt))
        case .draining: return .draining
        case .submit, .update, .assign, .report:
            throw FrameError(.malformed, "a message that carries a payload was read without it")
        }
    }

    private static func bodyEnd(_ message: PBSeal) throws(FrameError) -> BodyEnd {
        switch message.body {
        case .returned: return .returned
        case .cancelled: return .cancelled
        case .failed: return .failed(try AttemptDetail(wire: message.error))
        case .UNRECOGNIZED(let number): throw FrameError(.malformed, "\(number) is no end of a body")
        }
    }
}
