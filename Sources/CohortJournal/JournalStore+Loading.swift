internal import CohortCore
internal import FoundationEssentials
internal import GRDB

/// Rows to the state.
extension JournalStore {
    /// Every row as it is, as far as each can be read and stands under its own key: what is written later must replace it.
    static func load(_ db: Database) throws -> JournalState {
        var state = JournalState()
        try each("SELECT record FROM counters", db) { row in state.counters = try row.record(0) }
        try each("SELECT record, token FROM clients", db) { row in
            let client: JournalClient = try row.record(0)
            try row.require(client.token.value, at: 1)
            state.clients[client.token] = client
        }
        try each("SELECT record, token, key FROM joins", db) { row in
            let join: JournalJoin = try row.record(0)
            try row.require(join.key.client.value, at: 1)
            try row.require(UInt64(join.key.key.value), at: 2)
            state.joins[join.key] = join
        }
        try each("SELECT record, number FROM workers", db) { row in
            let worker: JournalWorker = try row.record(0)
            try row.require(UInt64(worker.number), at: 1)
            state.workers[worker.number] = worker
        }
        try each("SELECT record, id FROM groups", db) { row in
            let group: JournalGroup = try row.record(0)
            try row.require(group.id.value, at: 1)
            state.groups[group.id] = group
        }
        try each("SELECT record, payload, group_id, first FROM submissions ORDER BY group_id, first", db) { row in
            var submission: JournalSubmission = try row.record(0)
            submission.payload = try row.bytes(1)
            try row.require(submission.group.value, at: 2)
            try row.require(UInt64(submission.first), at: 3)
            state.submissions[submission.group, default: []].append(submission)
        }
        try each("SELECT record, group_id, number FROM tasks", db) { row in
            let task: JournalTask = try row.record(0)
            try row.require(task.group.value, at: 1)
            try row.require(UInt64(task.index), at: 2)
            state.tasks[task.group, default: [:]][task.index] = task
        }
        try each("SELECT record, group_id, number FROM failures", db) { row in
            let failure: JournalFailure = try row.record(0)
            try row.require(failure.group.value, at: 1)
            try row.require(UInt64(failure.index), at: 2)
            state.failures[failure.group, default: [:]][failure.index] = failure.failure
        }
        try each("SELECT record, value, sequence, head FROM ends ORDER BY sequence", db) { row in
            var end: JournalEnd = try row.record(0)
            // What is told no more can stay where it is.
            if end.sequence >= state.groups[end.head]?.receivedUpTo ?? 0 { end.value = try row.bytes(1) }
            try row.require(end.sequence, at: 2)
            try row.require(end.head.value, at: 3)
            state.ends[end.head, default: []].append(end)
        }
        try each("SELECT record, sequence, head FROM closings ORDER BY sequence", db) { row in
            let closing: JournalClosing = try row.record(0)
            try row.require(closing.sequence, at: 1)
            try row.require(closing.head.value, at: 2)
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

    /// A column that says the same as its record.
    fileprivate func require(_ value: UInt64, at column: Int) throws {
        let found = Int64.fromDatabaseValue(self[column])
        guard found == Int64(bitPattern: value) else { throw RecordReader.Fault() }
    }

    fileprivate func record<Value: Recorded>(_ column: Int) throws -> Value {
        var reader = RecordReader(try bytes(column))
        let value: Value = try reader.record()
        guard reader.isAtEnd else { throw RecordReader.Fault() }
        return value
    }
}
