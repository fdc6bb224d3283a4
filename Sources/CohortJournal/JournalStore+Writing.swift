internal import CohortCore
internal import FoundationEssentials
internal import GRDB

/// Batches to rows.
extension JournalStore {
    /// The order is that of the members: what is deleted by a later one may have been put by an earlier one.
    static func apply(_ batch: JournalBatch, to db: Database) throws {
        // A client that has gone may have come back since, with nothing.
        for token in batch.departedClients {
            try run("DELETE FROM clients WHERE token = ?", [token.value.row], db)
            try run("DELETE FROM joins WHERE token = ?", [token.value.row], db)
        }
        for client in batch.clients {
            try run("INSERT OR REPLACE INTO clients VALUES (?, ?)", [client.token.value.row, client.row], db)
        }
        for join in batch.joins {
            let values: Values = join.key.row + [join.row]
            try run("INSERT OR REPLACE INTO joins VALUES (?, ?, ?)", values, db)
        }
        for key in batch.departedJoins { try run("DELETE FROM joins WHERE token = ? AND key = ?", key.row, db) }
        for worker in batch.workers {
            try run("INSERT OR REPLACE INTO workers VALUES (?, ?)", [Int64(worker.number), worker.row], db)
        }
        for number in batch.forgottenWorkers {
            try run("DELETE FROM workers WHERE number = ?", [Int64(number)], db)
        }
        for group in batch.groups {
            let values: Values = [group.id.value.row, group.name, group.row]
            try run("INSERT OR REPLACE INTO groups VALUES (?, ?, ?)", values, db)
        }
        for submission in batch.submissions {
            let key: Values = [submission.group.value.row, Int64(submission.first)]
            let values = key + [submission.row, Data(submission.payload)]
            try run("INSERT OR REPLACE INTO submissions VALUES (?, ?, ?, ?)", values, db)
        }
        for task in batch.tasks {
            let values: Values = [task.group.value.row, Int64(task.index), task.row]
            try run("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?)", values, db)
        }
        for failure in batch.failures {
            let values: Values = [failure.group.value.row, Int64(failure.index), failure.row]
            try run("INSERT OR REPLACE INTO failures VALUES (?, ?, ?)", values, db)
        }
        for place in batch.settledFailures {
            let values: Values = [place.group.value.row, Int64(place.index)]
            try run("DELETE FROM failures WHERE group_id = ? AND number = ?", values, db)
        }
        for end in batch.ends {
            let task: Values = [end.report.group.value.row, Int64(end.report.index)]
            try run("DELETE FROM tasks WHERE group_id = ? AND number = ?", task, db)
            let values: Values = [end.sequence.row, end.head.value.row, end.row, Data(end.value)]
            try run("INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?)", values, db)
        }
        for closing in batch.closings { try apply(closing, to: db) }
        for head in batch.forgotten {
            for sql in [
                "DELETE FROM groups WHERE id = ?", "DELETE FROM ends WHERE head = ?",
                "DELETE FROM closings WHERE head = ?",
            ] { try run(sql, [head.value.row], db) }
        }
    }

    private static func apply(_ closing: JournalClosing, to db: Database) throws {
        let group = closing.report.group
        try run("DELETE FROM submissions WHERE group_id = ?", [group.value.row], db)
        try run("DELETE FROM tasks WHERE group_id = ?", [group.value.row], db)
        try run("DELETE FROM failures WHERE group_id = ?", [group.value.row], db)
        if group != closing.head { try run("DELETE FROM groups WHERE id = ?", [group.value.row], db) }
        let values: Values = [closing.sequence.row, closing.head.value.row, closing.row]
        try run("INSERT OR REPLACE INTO closings VALUES (?, ?, ?)", values, db)
    }

    static func put(_ counters: JournalCounters, in db: Database) throws {
        try run("INSERT OR REPLACE INTO counters VALUES (0, ?)", [counters.row], db)
    }

    private typealias Values = [any DatabaseValueConvertible]

    private static func run(_ sql: String, _ values: Values, _ db: Database) throws {
        try db.cachedStatement(sql: sql).execute(arguments: StatementArguments(values))
    }
}

extension Recorded {
    /// As a column's value.
    fileprivate var row: Data { Data(recordBytes) }
}

extension ClientKey {
    /// As the values of the columns that it is.
    fileprivate var row: [any DatabaseValueConvertible] { [client.value.row, Int64(key.value)] }
}

extension UInt64 {
    /// SQLite's integers are signed: the same bits.
    fileprivate var row: Int64 { Int64(bitPattern: self) }
}
