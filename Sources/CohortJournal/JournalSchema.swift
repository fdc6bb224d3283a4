internal import GRDB

/// The tables of a state file, and how to tell one from other databases.
enum JournalSchema {
    /// "Cohr": what `file` and SQLite call an application id.
    static let applicationID = 0x436f_6872

    /// What the tables and the records in them look like, as the file's `user_version`.
    static var version: Int { firstVersion - 1 + migrations.count }

    /// What the first of the migrations makes. Those before it were drafts, whose records are not read any more.
    private static let firstVersion = 3

    /// Each brings a file to the next version, from an empty one on. They never change once they have been released.
    private static let migrations: [@Sendable (Database) throws -> Void] = [
        { db in
            try db.execute(
                sql: """
                    CREATE TABLE counters (id INTEGER PRIMARY KEY CHECK (id = 0), record BLOB NOT NULL);
                    CREATE TABLE clients (token INTEGER PRIMARY KEY, record BLOB NOT NULL);
                    CREATE TABLE joins (
                        token INTEGER NOT NULL, key INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (token, key)
                    ) WITHOUT ROWID;
                    CREATE TABLE workers (number INTEGER PRIMARY KEY, record BLOB NOT NULL);
                    CREATE TABLE groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL, record BLOB NOT NULL);
                    CREATE TABLE submissions (
                        group_id INTEGER NOT NULL, first INTEGER NOT NULL, record BLOB NOT NULL, payload BLOB NOT NULL,
                        PRIMARY KEY (group_id, first)
                    );
                    CREATE TABLE tasks (
                        group_id INTEGER NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL,
                        PRIMARY KEY (group_id, number)
                    ) WITHOUT ROWID;
                    CREATE TABLE failures (
                        group_id INTEGER NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL,
                        PRIMARY KEY (group_id, number)
                    );
                    CREATE TABLE ends (
                        sequence INTEGER PRIMARY KEY, head INTEGER NOT NULL, record BLOB NOT NULL, value BLOB NOT NULL
                    );
                    CREATE INDEX ends_by_head ON ends (head);
                    CREATE TABLE closings (
                        sequence INTEGER PRIMARY KEY, head INTEGER NOT NULL, record BLOB NOT NULL
                    );
                    CREATE INDEX closings_by_head ON closings (head);
                    """
            )
        }
    ]

    /// What stands in a file.
    enum Content: Equatable {
        case nothing
        /// A state file of this version, or of an earlier one that can be brought to it.
        case journal(version: Int)
        /// A state file of a version that is not read any more.
        case draft(version: Int)
        /// A state file that a later Cohort has written.
        case newer(version: Int)
        /// A database of something else.
        case foreign
    }

    static func content(of db: Database) throws -> Content {
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard application == applicationID else {
            let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            return application == 0 && version == 0 && tables == 0 ? .nothing : .foreign
        }
        if version < firstVersion { return .draft(version: version) }
        return version > self.version ? .newer(version: version) : .journal(version: version)
    }

    /// Brings the tables to this version, all or nothing.
    ///
    /// - Parameter version: that of the file; `nil` if there is nothing in it.
    static func migrate(_ db: Database, from version: Int?) throws {
        let done = version.map { $0 - firstVersion + 1 } ?? 0
        guard done < migrations.count else { return }
        try db.inTransaction(.exclusive) {
            for migration in migrations[done...] { try migration(db) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(self.version)")
            return .commit
        }
    }
}
