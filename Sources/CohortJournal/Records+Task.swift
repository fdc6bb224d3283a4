internal import CohortCore

extension TaskTemplate: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(name)
        writer.put(function)
        writer.put(timeout) { $0.put($1) }
        writer.put(retries)
        writer.put(backoff)
        writer.put(shield)
        writer.put(output)
        writer.put(spec)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            name: try reader.text(),
            function: try reader.text(),
            timeout: try reader.optional { reader throws(RecordReader.Fault) in try reader.span() },
            retries: try reader.number(),
            backoff: try reader.span(),
            shield: try reader.flag(),
            output: try reader.choice(),
            spec: try reader.data()
        )
    }
}

extension AttemptRef: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(task.raw)
        writer.put(attempt)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(task: TaskKey(raw: try reader.unsigned()), attempt: try reader.number())
    }
}

extension AttemptDetail: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(type)
        writer.put(message)
        writer.put(trace)
        writer.put(tree)
        writer.put(command)
        writer.put(exitCode) { $0.put($1) }
        writer.put(signal) { $0.put($1) }
        writer.put(coreDumped)
        writer.put(forced)
        writer.put(standardOutput)
        writer.put(standardError)
        writer.put(standardOutputBytes)
        writer.put(standardErrorBytes)
        writer.put(userTime)
        writer.put(systemTime)
        writer.put(maxResidentBytes)
        writer.put(rest) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init()
        type = try reader.text()
        message = try reader.text()
        trace = try reader.text()
        tree = try reader.data()
        command = try reader.text()
        exitCode = try reader.optional { reader throws(RecordReader.Fault) in try reader.signed() }
        signal = try reader.optional { reader throws(RecordReader.Fault) in try reader.signed() }
        coreDumped = try reader.flag()
        forced = try reader.flag()
        standardOutput = try reader.data()
        standardError = try reader.data()
        standardOutputBytes = try reader.unsigned()
        standardErrorBytes = try reader.unsigned()
        userTime = try reader.span()
        systemTime = try reader.span()
        maxResidentBytes = try reader.unsigned()
        rest = try reader.optional { reader throws(RecordReader.Fault) in try reader.record() }
    }
}

extension OutputStretch: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(offset)
        writer.put(runs) { writer, run in
            writer.put(run.stream)
            writer.put(run.length)
        }
        writer.put(bytes)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        let offset = try reader.unsigned()
        let runs = try reader.list { reader throws(RecordReader.Fault) in
            Run(stream: try reader.choice(), length: try reader.number())
        }
        let bytes = try reader.data()
        guard runs.reduce(0, { $0 + Int($1.length) }) == bytes.count else { throw RecordReader.Fault() }
        self.init(offset: offset, runs: runs, bytes: bytes)
    }
}

extension TaskReport: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(group.value)
        writer.put(index)
        writer.put(outcome)
        writer.put(started)
        writer.put(afterCancel)
        writer.put(cause)
        writer.put(attempts)
        writer.put(elapsed)
        writer.put(worker)
        writer.put(valueLength)
        writer.put(detail)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            group: GroupID(try reader.unsigned()),
            index: try reader.number(),
            outcome: try reader.choice(),
            started: try reader.flag(),
            afterCancel: try reader.flag(),
            cause: try reader.choice(),
            attempts: try reader.number(),
            elapsed: try reader.span(),
            worker: try reader.number(),
            valueLength: try reader.number(),
            detail: try reader.signed()
        )
    }
}

extension PendingFailure: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(outcome)
        writer.put(detail)
        writer.put(retryAt) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            outcome: try reader.choice(),
            detail: try reader.record(),
            retryAt: try reader.optional { reader throws(RecordReader.Fault) in try reader.instant() }
        )
    }
}

extension PendingEnd: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(attempt.ref)
        writer.put(attempt.status)
        writer.put(attempt.started)
        writer.put(attempt.elapsed)
        writer.put(attempt.valueLength)
        writer.put(attempt.detail)
        writer.put(detail) { $0.put($1) }
        writer.put(value)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        let attempt = FinishedAttempt(
            ref: try reader.record(),
            status: try reader.choice(),
            started: try reader.flag(),
            elapsed: try reader.span(),
            valueLength: try reader.number(),
            detail: try reader.signed()
        )
        self.init(
            attempt: attempt,
            detail: try reader.optional { reader throws(RecordReader.Fault) in try reader.record() },
            value: try reader.data()
        )
    }
}

extension JournalTask: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(group.value)
        writer.put(index)
        writer.put(key.raw)
        writer.put(state)
        writer.put(attempt)
        writer.put(executions)
        writer.put(worker)
        writer.put(flags.rawValue)
        writer.put(cause)
        writer.put(startedAt)
        writer.put(crashes)
        writer.put(end) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            group: GroupID(try reader.unsigned()),
            index: try reader.number(),
            key: TaskKey(raw: try reader.unsigned()),
            state: try reader.choice(),
            attempt: try reader.number(),
            executions: try reader.number(),
            worker: try reader.number(),
            flags: TaskRecord.Flags(rawValue: try reader.number()),
            cause: try reader.choice(),
            startedAt: try reader.instant(),
            crashes: try reader.number(),
            end: try reader.optional { reader throws(RecordReader.Fault) in try reader.record() }
        )
    }
}

extension JournalFailure: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(group.value)
        writer.put(index)
        writer.put(failure)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            group: GroupID(try reader.unsigned()),
            index: try reader.number(),
            failure: try reader.record()
        )
    }
}

extension JournalTemplate: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(id.value)
        writer.put(template)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(id: TemplateID(try reader.unsigned()), template: try reader.record())
    }
}

extension JournalRun: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(template.value)
        writer.put(lengths) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            template: TemplateID(try reader.unsigned()),
            lengths: try reader.list { reader throws(RecordReader.Fault) in try reader.number() }
        )
    }
}

extension JournalJoinedSubmission: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(client.value)
        writer.put(key.value)
        writer.put(first)
        writer.put(templates) { $0.put($1.value) }
        writer.put(task) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            client: PeerToken(try reader.unsigned()),
            key: GroupKey(try reader.number()),
            first: try reader.number(),
            templates: try reader.list { reader throws(RecordReader.Fault) in TemplateID(try reader.unsigned()) },
            task: try reader.optional { reader throws(RecordReader.Fault) in try reader.record() }
        )
    }
}

/// Without its payload, which has a column of its own.
extension JournalSubmission: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(group.value)
        writer.put(first)
        writer.put(order)
        writer.put(templates) { $0.put($1) }
        writer.put(runs) { $0.put($1) }
        writer.put(joined) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            group: GroupID(try reader.unsigned()),
            first: try reader.number(),
            order: try reader.unsigned(),
            templates: try reader.list { reader throws(RecordReader.Fault) in try reader.record() },
            runs: try reader.list { reader throws(RecordReader.Fault) in try reader.record() },
            payload: [],
            joined: try reader.optional { reader throws(RecordReader.Fault) in try reader.record() }
        )
    }
}

/// Without its value, which has a column of its own.
extension JournalEnd: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(sequence)
        writer.put(head.value)
        writer.put(report)
        writer.put(detail) { $0.put($1) }
        writer.put(name)
        writer.put(sibling.value)
        writer.put(isOmitted)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            sequence: try reader.unsigned(),
            head: GroupID(try reader.unsigned()),
            report: try reader.record(),
            detail: try reader.optional { reader throws(RecordReader.Fault) in try reader.record() },
            value: [],
            name: try reader.text(),
            sibling: PeerToken(try reader.unsigned()),
            isOmitted: try reader.flag()
        )
    }
}
