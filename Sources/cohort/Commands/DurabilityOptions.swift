internal import ArgumentParser
internal import CohortBatch
internal import CohortCoordinator
internal import CohortCore
internal import CohortJournal
internal import Glibc
internal import Logging

/// What a coordinator keeps, and for how long it waits for whom.
struct DurabilityOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Keep a journal in this file, and go on from what is in it.", valueName: "file"))
    var state: String?

    private static let defaults = (
        retain: Retention(bound: .count(Limits().retainedGroups)),
        lease: DurationArgument(duration: Limits().lease.duration),
        heartbeat: DurationArgument(duration: Limits().heartbeat.duration)
    )

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            How many finished groups are remembered, or for how long: a number, or a span of time such as 7d, and then \
            the newest \(Retention.mostGroups) at most (default: \(defaults.retain.text)).
            """,
            valueName: "n|time"
        ),
        transform: Retention.parse
    )
    var retain = defaults.retain

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Silence after which a worker or client counts as lost (default: \(defaults.lease.text)).",
            valueName: "time"
        ),
        transform: ValueForm.time
    )
    var lease = defaults.lease

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How often everybody says that he is there (default: \(defaults.heartbeat.text)).",
            valueName: "time"
        ),
        transform: ValueForm.time
    )
    var heartbeat = defaults.heartbeat

    func validate() throws {
        guard heartbeat.duration >= .milliseconds(10), heartbeat.duration <= .seconds(60) else {
            throw ValidationError("--heartbeat \(heartbeat.text): it must be from 10ms to 1m")
        }
        guard lease.duration <= .seconds(86_400) else {
            throw ValidationError("--lease \(lease.text): it must be at most 1d")
        }
        guard lease.duration >= heartbeat.duration * 3 else {
            throw ValidationError(
                """
                --lease \(lease.text): it must be at least three heartbeats (\(heartbeat.text) each), or one that is late \
                ends a session
                """
            )
        }
        if state?.isEmpty == true { throw ValidationError("--state wants the path of a file") }
    }

    func apply(to limits: inout Limits) {
        limits.lease = lease.span
        limits.heartbeat = heartbeat.span
        limits.unreachable = min(limits.unreachable, lease.span)
        switch retain.bound {
        case .count(let count): limits.retainedGroups = count
        case .time(let span):
            limits.retainedFor = span
            limits.retainedGroups = Retention.mostGroups
        }
    }

    /// Opens the state file and reads it, if one was named.
    func openJournal(_ configuration: inout CoordinatorConfiguration, _ log: Logger) throws -> JournalWriter? {
        guard let state else { return nil }
        // A small limit shows what a full disk does.
        let pages = getenv("COHORT_STATE_PAGES").flatMap { Int(String(cString: $0)) }
        let begin = ContinuousClock.now
        do {
            let store = try JournalStore(path: state, pages: pages)
            configuration.state = try store.load(limits: configuration.limits)
            let journal = JournalWriter(store, patience: lease.duration)
            configuration.journal = journal
            let tasks = configuration.state.submissions.values.joined().reduce(0) { sum, submission in
                sum + submission.runs.reduce(0) { $0 + $1.lengths.count }
            }
            log.info(
                "state read",
                metadata: [
                    "file": "\(state)", "groups": "\(configuration.state.groups.count)",
                    "tasks of open groups": "\(tasks)",
                    "took": "\(CohortDuration.format(begin.duration(to: .now)))",
                ]
            )
            return journal
        } catch {
            throw Failure(.usage, error.description)
        }
    }
}

/// For how many finished groups, or for how long, `status` still knows them.
struct Retention {
    enum Bound {
        case count(Int)
        case time(TimeSpan)
    }
    var bound: Bound

    /// What is remembered for a time has a bound too, for what is remembered takes memory.
    static let mostGroups = 100_000

    static func parse(_ text: String) throws -> Retention {
        let retention: Retention
        if let count = Int(text), count >= 0 {
            retention = Retention(bound: .count(count))
        } else if let span = try? CohortDuration.parse(text) {
            retention = Retention(bound: .time(TimeSpan(span)))
        } else {
            throw ValueForm.Invalid(
                description: "give a number of groups, such as 100, or a span of time in ms, s, m, h or d, such as 7d"
            )
        }
        if retention.isNothing {
            throw ValueForm.Invalid(
                description:
                    "a group must be remembered for somebody to learn how it ended; give a number from 1, or a span "
                    + "of time such as 7d"
            )
        }
        return retention
    }

    private var isNothing: Bool {
        switch bound {
        case .count(let count): count == 0
        case .time(let span): span == .zero
        }
    }

    var text: String {
        switch bound {
        case .count(let count): String(count)
        case .time(let span): CohortDuration.format(span.duration)
        }
    }
}
