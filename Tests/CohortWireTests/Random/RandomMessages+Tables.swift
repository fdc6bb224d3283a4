internal import CohortCore

@testable internal import CohortWire

/// Messages that consist of tables and a payload.
extension RandomMessages {
    /// A place among `count` details, or none.
    private mutating func place(among count: Int) -> Int32 {
        Int32.random(in: -1..<Int32(count), using: &generator)
    }

    mutating func update() -> ClientUpdate {
        var update = ClientUpdate()
        update.opened = list { OpenedGroup(key: GroupKey($0.number()), group: GroupID($0.number())) }
        update.workers = list { $0.workerSummary() }
        update.groups = list { $0.groupSummary() }
        update.names = list { TaskName(group: GroupID($0.number()), index: $0.number(), name: $0.text()) }
        update.stopping = list {
            GroupStop(group: GroupID($0.number()), cause: $0.pick(CancelCause.allCases), reason: $0.text())
        }
        update.started = list { TaskStart(group: GroupID($0.number()), index: $0.number(), worker: $0.number()) }
        update.details = list { $0.detail() }
        let details = update.details.count
        var payload: [UInt8] = []
        update.outputs = list { random in
            let piece = random.bytes()
            payload += piece
            return ClientOutput(
                group: GroupID(random.number()),
                index: random.number(),
                attempt: random.number(),
                stream: random.pick(OutputStream.allCases),
                offset: random.number(),
                length: UInt32(piece.count)
            )
        }
        update.reports = list { random in
            let value = random.bytes()
            payload += value
            return TaskReport(
                group: GroupID(random.number()),
                index: random.number(),
                outcome: random.pick(TaskOutcome.allCases),
                started: random.flag(),
                afterCancel: random.flag(),
                cause: random.pick(CancelCause.allCases),
                attempts: random.number(),
                elapsed: random.span(),
                worker: random.number(),
                valueLength: UInt32(value.count),
                detail: random.place(among: details)
            )
        }
        update.payload = payload
        update.closed = list { $0.groupReport() }
        update.refusals = list { random in
            Refusal(
                code: random.pick(Refusal.Code.allCases),
                key: random.maybe { GroupKey($0.number()) },
                from: random.number(),
                message: random.text()
            )
        }
        update.caughtUp = list { GroupID($0.number()) }
        update.accepted = list {
            AcceptedTasks(key: GroupKey($0.number()), first: $0.number(), index: $0.number(), count: $0.number())
        }
        update.answers = list { random in
            RequestAnswer(
                token: random.number(),
                isAccepted: random.flag(),
                code: random.maybe { $0.pick(Refusal.Code.allCases) },
                message: random.text()
            )
        }
        update.progress = list { random in
            TaskProgress(
                group: GroupID(random.number()),
                index: random.number(),
                fraction: random.maybe { $0.fraction() },
                note: random.text()
            )
        }
        return update
    }

    private mutating func workerSummary() -> WorkerSummary {
        WorkerSummary(
            number: number(),
            name: text(),
            host: text(),
            processID: number(),
            slots: number(),
            running: number(),
            prefetched: number(),
            draining: flag(),
            functions: list { $0.text() }
        )
    }

    private mutating func counts() -> TaskCounts {
        var counts = TaskCounts()
        for field in [
            \TaskCounts.queued, \.running, \.ok, \.error, \.timeout, \.cancelled, \.lost,
        ] {
            counts[keyPath: field] = Int(clamping: number() as UInt64)
        }
        return counts
    }

    private mutating func groupSummary() -> GroupSummary {
        var summary = GroupSummary(
            group: GroupID(number()),
            parent: maybe { GroupID($0.number()) },
            name: text(),
            detached: flag(),
            stopping: flag(),
            outcome: maybe { $0.pick(GroupOutcome.allCases) },
            counts: counts(),
            openedAgo: span(),
            elapsed: span(),
            deadlineIn: maybe { $0.span() },
            waiting: text()
        )
        summary.running = list {
            RunningTask(index: $0.number(), name: $0.text(), worker: $0.number(), elapsed: $0.span())
        }
        return summary
    }

    private mutating func groupReport() -> GroupReport {
        GroupReport(
            group: GroupID(number()),
            parent: maybe { GroupID($0.number()) },
            name: text(),
            outcome: pick(GroupOutcome.allCases),
            timedOut: flag(),
            cancelled: flag(),
            cause: pick(CancelCause.allCases),
            reason: text(),
            deadlineOf: text(),
            counts: counts(),
            elapsed: span(),
            openedAgo: span(),
            omitted: number(),
            below: flag() ? counts() : TaskCounts()
        )
    }

    mutating func snapshot() -> Snapshot {
        var snapshot = Snapshot()
        snapshot.groups = list { $0.groupSummary() }
        snapshot.workers = list { $0.workerSummary() }
        snapshot.clients = number()
        snapshot.staleMessages = number()
        snapshot.badFrames = number()
        snapshot.refusedPeers = number()
        snapshot.draining = flag()
        return snapshot
    }

    mutating func assignBatch() -> AssignBatch {
        var batch = AssignBatch()
        batch.templates = list { random in
            AssignedTemplate(
                id: TemplateID(random.number()),
                group: GroupID(random.number()),
                groupName: random.text(),
                hold: random.pick(HoldRule.allCases),
                template: random.template()
            )
        }
        var payload: [UInt8] = []
        batch.tasks = list { random in
            let piece = random.bytes()
            payload += piece
            return Assignment(
                ref: random.ref(),
                template: TemplateID(random.number()),
                index: random.number(),
                execution: random.number(),
                // None and zero are one on the wire: a deadline that has come is 1 ns away.
                deadlineIn: random.maybe { TimeSpan(nanoseconds: max(1, $0.number())) },
                payloadLength: UInt32(piece.count)
            )
        }
        batch.payload = payload
        return batch
    }

    mutating func report() -> WorkerReport {
        var report = WorkerReport()
        report.details = list { $0.detail() }
        let details = report.details.count
        var payload: [UInt8] = []
        report.outputs = list { random in
            let piece = random.bytes()
            payload += piece
            return OutputChunk(
                ref: random.ref(),
                stream: random.pick(OutputStream.allCases),
                offset: random.number(),
                length: UInt32(piece.count)
            )
        }
        report.started = list { $0.ref() }
        report.finished = list { random in
            let value = random.bytes()
            payload += value
            return FinishedAttempt(
                ref: random.ref(),
                status: random.pick(AttemptStatus.allCases),
                started: random.flag(),
                elapsed: random.span(),
                valueLength: UInt32(value.count),
                detail: random.place(among: details)
            )
        }
        report.returned = list { $0.ref() }
        report.cancelsSeen = list { $0.ref() }
        report.waiting = list { $0.ref() }
        report.wanting = list { $0.ref() }
        report.progress = list { random in
            AttemptProgress(ref: random.ref(), fraction: random.maybe { $0.fraction() }, note: random.text())
        }
        report.payload = payload
        return report
    }
}
