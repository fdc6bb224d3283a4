package import CohortCore
internal import FoundationEssentials
internal import GRDB
internal import Glibc

/// A coordinator's journal in a file: SQLite in WAL mode, every commit on disk before `write` returns.
///
/// One process has the file, from opening it until its end, however that comes. What is in it are the rows of `JournalBatch`,
/// each a record of bytes under the key that the batch names.
package final class JournalStore: Sendable {
    package let path: String
    private let database: DatabaseQueue

    /// Opens a state file, or makes one.
    ///
    /// - Parameter pages: how large it may become, in pages of 4 KiB; `nil` for as large as the disk is.
    package init(path: String, pages: Int? = nil) throws(JournalError) {
        self.path = path
        try JournalError.check(path: path)
        // Commands and their environments are in it: for this user alone. SQLite makes the files beside it alike.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 { Glibc.close(descriptor) }
        do {
            var configuration = Configuration()
            configuration.label = "journal"
            configuration.foreignKeysEnabled = false
            // A coordinator that was killed a moment ago may still be about to let go of it.
            configuration.busyMode = .timeout(1)
            configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
            database = try DatabaseQueue(path: path, configuration: configuration)
            try database.writeWithoutTransaction { db in try Self.prepare(db, path, pages) }
        } catch {
            throw JournalError(error, path: path)
        }
    }

    /// Nothing is changed before the file has turned out to be a state file.
    private static func prepare(_ db: Database, _ path: String, _ pages: Int?) throws {
        let version: Int?
        switch try JournalSchema.content(of: db) {
        case .nothing: version = nil
        case .journal(let found): version = found
        case .newer(let found):
            throw JournalError(
                .newer,
                path: path,
                """
                the state file \(path) was written by a later version of Cohort (format \(found), and this one knows \
                \(JournalSchema.version)); start that version, or name another file
                """
            )
        case .draft(let found):
            throw JournalError(
                .older,
                path: path,
                """
                the state file \(path) was written by an early version of Cohort whose format (\(found)) is not read any \
                more; let that version finish its batches, or name another file
                """
            )
        case .foreign:
            throw JournalError.corrupt(path: path, "it is a database of another program")
        }
        // Has to come before the first table and the change to WAL.
        if version == nil { try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        // The log shrinks again after a burst.
        try db.execute(sql: "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY")
        try JournalSchema.migrate(db, from: version)
        if let pages { try limit(db, to: pages) }
    }

    private static func limit(_ db: Database, to pages: Int) throws {
        try db.execute(sql: "PRAGMA max_page_count = \(pages)")
    }

    /// All that is in the file, to go on from.
    ///
    /// - Parameter limits: those of the coordinator that goes on.
    package func load(limits: Limits = Limits()) throws(JournalError) -> JournalState {
        let state = try rows()
        if let contradiction = state.contradiction(limits: limits) {
            throw explained(.corrupt(path: path, contradiction))
        }
        return state
    }

    /// The rows in the file as they are, whether or not they fit together.
    func rows() throws(JournalError) -> JournalState {
        do {
            return try database.writeWithoutTransaction { db in try Self.load(db) }
        } catch is RecordReader.Fault {
            throw explained(.corrupt(path: path, "a record in it cannot be read"))
        } catch {
            throw explained(JournalError(error, path: path))
        }
    }

    /// Lets SQLite say what is wrong with a damaged file. Not before something is: it reads all of it for that.
    private func explained(_ error: JournalError) -> JournalError {
        let check = "PRAGMA quick_check(1)"
        guard error.code == .corrupt,
            let problem = try? database.writeWithoutTransaction({ db in try String.fetchOne(db, sql: check) }),
            problem != "ok"
        else { return error }
        return .corrupt(path: path, problem)
    }

    /// Writes batches in one transaction. They are on disk when it returns, and none of them is if it throws.
    package func write(_ batches: [JournalBatch]) throws(JournalError) {
        do {
            try database.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    for batch in batches { try Self.apply(batch, to: db) }
                    if let counters = batches.last?.counters { try Self.put(counters, in: db) }
                    return .commit
                }
            }
        } catch {
            throw JournalError(error, path: path)
        }
    }

    /// Gives back some of the room of what has been deleted.
    ///
    /// - Returns: whether there is more of it.
    package func tidy() throws(JournalError) -> Bool {
        do {
            return try database.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA incremental_vacuum(256)")
                return try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0 > 0
            }
        } catch {
            throw JournalError(error, path: path)
        }
    }

    /// Changes how large it may become, in pages.
    package func grow(to pages: Int) throws(JournalError) {
        do {
            try database.writeWithoutTransaction { db in try Self.limit(db, to: pages) }
        } catch {
            throw JournalError(error, path: path)
        }
    }

    /// Lets go of the file, for another store of this process.
    package func close() throws(JournalError) {
        do {
            try database.close()
        } catch {
            throw JournalError(error, path: path)
        }
    }
}
