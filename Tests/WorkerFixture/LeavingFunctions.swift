internal import Cohort
internal import CohortWorker
@preconcurrency internal import Glibc

/// Functions that start programs and do not wait for them.
enum LeavingFunctions {
    /// What to start, and what becomes of the function then.
    struct Departure: Codable, Sendable {
        /// Takes the number of the program's process.
        var file: String
        /// The program has no parent any more when the function goes on; else it is the function's own child.
        var isOrphan: Bool
        /// The function's process dies; else it takes no notice of a cancel.
        var dies: Bool
    }

    static func register(in worker: inout Worker) throws {
        // The program is in a session of its own either way.
        try worker.register(RemoteFunction<Departure, Bool>("fixture.leave")) { departure, _ in
            let file = departure.file
            let note = "> '\(file).new' && mv '\(file).new' '\(file)'"
            let line =
                departure.isOrphan
                ? "setsid sleep 1000 & echo $! \(note)" : "echo $$ \(note); exec setsid sleep 1000"
            let stream = popen("exec > /dev/null; \(line)", "r")
            while access(file, F_OK) != 0 { usleep(1_000) }
            if departure.dies { kill(getpid(), SIGKILL) }
            while true { usleep(1_000) }
            return stream != nil
        }
    }
}
