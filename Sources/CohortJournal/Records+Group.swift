internal import CohortCore

extension TaskCounts: Recorded {
    func write(to writer: inout RecordWriter) {
        for count in [queued, running, ok, error, timeout, cancelled, lost] { writer.put(count) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init()
        queued = try reader.signed()
        running = try reader.signed()
        ok = try reader.signed()
        error = try reader.signed()
        timeout = try reader.signed()
        cancelled = try reader.signed()
        lost = try reader.signed()
    }
}

extension JournalGroup: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(id.value)
        writer.put(key.value)
        writer.put(owner.value)
        writer.put(name)
        writer.put(parent) { $0.put($1.value) }
        writer.put(opener) { $0.put($1) }
        writer.put(head.value)
        writer.put(policy)
        writer.put(limit)
        writer.put(grace)
        writer.put(shield)
        writer.put(detached)
        writer.put(isScope)
        writer.put(acceptsSiblings)
        writer.put(isCleanup)
        writer.put(phase)
        writer.put(sealed)
        writer.put(orphaned)
        writer.put(openedAt)
        writer.put(closedAt) { $0.put($1) }
        writer.put(deadline) { $0.put($1) }
        writer.put(timedOut)
        writer.put(cancelledFromOutside)
        writer.put(cause)
        writer.put(reason)
        writer.put(deadlineOf)
        writer.put(failures)
        writer.put(hasWinner)
        writer.put(childCancelled)
        writer.put(bodyCancelled)
        writer.put(bodyFailed)
        writer.put(outcome) { $0.put($1) }
        writer.put(counts)
        writer.put(closedBelow)
        writer.put(closedInside)
        writer.put(omitted)
        writer.put(receivedUpTo)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            id: GroupID(try reader.unsigned()),
            key: GroupKey(try reader.number()),
            owner: PeerToken(try reader.unsigned()),
            name: try reader.text(),
            parent: try reader.optional { reader throws(RecordReader.Fault) in GroupID(try reader.unsigned()) },
            opener: try reader.optional { reader throws(RecordReader.Fault) in try reader.number() },
            head: GroupID(try reader.unsigned()),
            policy: try reader.choice(),
            limit: try reader.number(),
            grace: try reader.span(),
            shield: try reader.flag(),
            detached: try reader.flag(),
            isScope: try reader.flag(),
            acceptsSiblings: try reader.flag(),
            isCleanup: try reader.flag(),
            phase: try reader.choice(),
            sealed: try reader.flag(),
            orphaned: try reader.flag(),
            openedAt: try reader.instant(),
            closedAt: try reader.optional { reader throws(RecordReader.Fault) in try reader.instant() },
            deadline: try reader.optional { reader throws(RecordReader.Fault) in try reader.instant() },
            timedOut: try reader.flag(),
            cancelledFromOutside: try reader.flag(),
            cause: try reader.choice(),
            reason: try reader.text(),
            deadlineOf: try reader.text(),
            failures: try reader.unsigned(),
            hasWinner: try reader.flag(),
            childCancelled: try reader.flag(),
            bodyCancelled: try reader.flag(),
            bodyFailed: try reader.flag(),
            outcome: try reader.optional { reader throws(RecordReader.Fault) in try reader.choice() },
            counts: try reader.record(),
            closedBelow: try reader.record(),
            closedInside: try reader.record(),
            omitted: try reader.unsigned(),
            receivedUpTo: try reader.unsigned()
        )
    }
}

extension GroupReport: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(group.value)
        writer.put(parent) { $0.put($1.value) }
        writer.put(name)
        writer.put(outcome)
        writer.put(timedOut)
        writer.put(cancelled)
        writer.put(cause)
        writer.put(reason)
        writer.put(deadlineOf)
        writer.put(counts)
        writer.put(elapsed)
        writer.put(openedAgo)
        writer.put(omitted)
        writer.put(below)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            group: GroupID(try reader.unsigned()),
            parent: try reader.optional { reader throws(RecordReader.Fault) in GroupID(try reader.unsigned()) },
            name: try reader.text(),
            outcome: try reader.choice(),
            timedOut: try reader.flag(),
            cancelled: try reader.flag(),
            cause: try reader.choice(),
            reason: try reader.text(),
            deadlineOf: try reader.text(),
            counts: try reader.record(),
            elapsed: try reader.span(),
            openedAgo: try reader.span(),
            omitted: try reader.unsigned(),
            below: try reader.record()
        )
    }
}

extension JournalClosing: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(sequence)
        writer.put(head.value)
        writer.put(key.value)
        writer.put(report)
        writer.put(accepted) { writer, tasks in
            writer.put(tasks.key.value)
            writer.put(tasks.first)
            writer.put(tasks.index)
            writer.put(tasks.count)
        }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            sequence: try reader.unsigned(),
            head: GroupID(try reader.unsigned()),
            key: GroupKey(try reader.number()),
            report: try reader.record(),
            accepted: try reader.list { reader throws(RecordReader.Fault) in
                AcceptedTasks(
                    key: GroupKey(try reader.number()),
                    first: try reader.number(),
                    index: try reader.number(),
                    count: try reader.number()
                )
            }
        )
    }
}
