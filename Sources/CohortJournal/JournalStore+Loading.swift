internal import CohortCore
internal import FoundationEssentials
internal import GRDB

/// Rows to the state.
extension JournalStore {
    static func load(_ db: Database) throws -> JournalState {
        var state = JournalState()
        try each("SELECT record FROM counters", db) { row in state.counters = try row.record(0) }
        try each("SELECT record FROM clients", db) { row in
            let client: JournalClient = try row.record(0)
            state.clients[client.token] = client
        }
        try each("SELECT record FROM workers", db) { row in
            let worker: JournalWorker = try row.record(0)
            state.workers[worker.number] = worker
        }
        try each("SELECT record FROM groups", db) { row in
            let group: JournalGroup = try row.record(0)
            state.groups[group.id] = group
        }
        try each("SELECT record, payload FROM submissions ORDER BY group_id, first", db) { row in
            var submission: JournalSubmission = try row.record(0)
            submission.payload = try row.bytes(1)
            state.submissions[submission.group, default: []].append(submission)
        }
        try each("SELECT record FROM tasks", db) { row in
            let task: JournalTask = try row.record(0)
            state.tasks[task.group, default: [:]][task.index] = task
        }
        try each("SELECT record, value FROM ends ORDER BY sequence", db) { row in
            var end: JournalEnd = try row.record(0)
            end.value = try row.bytes(1)
            state.ends[end.head, default: []].append(end)
        }
        try each("SELECT record FROM closings ORDER BY sequence", db) { row in
            let closing: JournalClosing = try row.record(0)
            state.closings[closing.head, default: []].append(closing)
        }
        return state
    }

    private static func each(_ sql: String, _ db: Database, _ take: (Row) throws -> Void) throws {
        let rows = try Row.fetchCursor(db, sql: sql)
        while let row = try rows.next() { try take(row) }
    }
}

extension Row {
    fileprivate func bytes(_ column: Int) throws -> [UInt8] {
        try withUnsafeData(atIndex: column) { data in data.map { Array($0) } ?? [] }
    }

    fileprivate func record<Value: Recorded>(_ column: Int) throws -> Value {
        var reader = RecordReader(try bytes(column))
        let value: Value = try reader.record()
        guard reader.isAtEnd else { throw RecordReader.Fault() }
        return value
    }
}
