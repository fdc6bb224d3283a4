internal import CohortCore

extension JournalCounters: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(nextGroup)
        writer.put(nextTemplate)
        writer.put(nextWorker)
        writer.put(nextOrder)
        writer.put(nextSequence)
        writer.put(generation)
        writer.put(lineage)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init()
        nextGroup = try reader.unsigned()
        nextTemplate = try reader.unsigned()
        nextWorker = try reader.number()
        nextOrder = try reader.unsigned()
        nextSequence = try reader.unsigned()
        generation = try reader.number()
        lineage = try reader.unsigned()
    }
}

extension KnownSessions: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(first)
        writer.put(latest)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(first: try reader.number(), latest: try reader.number())
    }
}

extension JournalJoin: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(key.client.value)
        writer.put(key.key.value)
        writer.put(group.value)
        writer.put(task) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            key: ClientKey(client: PeerToken(try reader.unsigned()), key: GroupKey(try reader.number())),
            group: GroupID(try reader.unsigned()),
            task: try reader.optional { reader throws(RecordReader.Fault) in try reader.record() }
        )
    }
}

extension JournalClient: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(token.value)
        writer.put(sessions)
        writer.put(keys) { writer, range in
            writer.put(range.lowerBound)
            writer.put(range.upperBound)
        }
        writer.put(extensions)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            token: PeerToken(try reader.unsigned()),
            sessions: try reader.record(),
            keys: try reader.list { reader throws(RecordReader.Fault) in
                let first: UInt32 = try reader.number()
                let last: UInt32 = try reader.number()
                guard first <= last else { throw RecordReader.Fault() }
                return first...last
            },
            extensions: try reader.record()
        )
    }
}

extension DecidedExtensions: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(latest)
        writer.put(refused) { writer, request in
            writer.put(request.token)
            writer.put(request.code)
            writer.put(request.message)
        }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            latest: try reader.number(),
            refused: try reader.list { reader throws(RecordReader.Fault) in
                Refused(token: try reader.number(), code: try reader.choice(), message: try reader.text())
            }
        )
    }
}

/// Without what it held when it joined.
extension WorkerOffer: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(name)
        writer.put(host)
        writer.put(processID)
        writer.put(slots)
        writer.put(credit)
        writer.put(runsCommands)
        writer.put(functions) { $0.put($1) }
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            name: try reader.text(),
            host: try reader.text(),
            processID: try reader.number(),
            slots: try reader.number(),
            credit: try reader.number(),
            runsCommands: try reader.flag(),
            functions: try reader.list { reader throws(RecordReader.Fault) in try reader.text() }
        )
    }
}

extension JournalWorker: Recorded {
    func write(to writer: inout RecordWriter) {
        writer.put(number)
        writer.put(token.value)
        writer.put(latestSession)
        writer.put(offer)
        writer.put(draining)
        writer.put(departed)
    }

    init(from reader: inout RecordReader) throws(RecordReader.Fault) {
        self.init(
            number: try reader.number(),
            token: PeerToken(try reader.unsigned()),
            latestSession: try reader.number(),
            offer: try reader.record(),
            draining: try reader.flag(),
            departed: try reader.flag()
        )
    }
}
