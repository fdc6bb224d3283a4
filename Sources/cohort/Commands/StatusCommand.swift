internal import ArgumentParser
internal import Cohort
internal import CohortCore
internal import Glibc

/// `cohort status [GROUP]`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the groups of a coordinator, or what one of them has come to so far."
    )

    @Argument(
        help: ArgumentHelp("A group's number or name; all groups if left out.", valueName: "group"),
        transform: ValueForm.group
    )
    var group: GroupArgument?

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(help: "A table, or JSON: with a group its outcome document.")
    var output = OutputFormat.text

    @Flag(help: "Show it again whenever something has changed: for ever, or until the group has ended.")
    var watch = false

    private static let usualInterval = DurationArgument(duration: .seconds(1))

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("With --watch: how often to look (default: \(usualInterval.text)).", valueName: "time"),
        transform: ValueForm.time
    )
    var interval = usualInterval

    func validate() throws {
        if interval.duration < .milliseconds(10) {
            throw ValidationError("--interval \(interval.text): it must be at least 10ms, such as 1s")
        }
    }

    func run() throws {
        let policy = ReturnPolicy.patient(WaitCommand.defaultPatience.span, asksAfterGroups: group != nil)
        let session = try Session(coordinator, name: "cohort status", policy: policy)
        defer { session.close() }
        let client = session.client
        session.isAboutGroup = group != nil
        session.askAgain = { _ in client.query() }
        if let group { return try show(group, session) }
        var latest = LatestText<SnapshotText.Signature>(session, isWatching: watch)
        while true {
            session.client.query()
            let snapshot = try session.untilAnswered()
            if latest.isNews(SnapshotText.Signature(snapshot)) {
                switch output {
                case .text: try latest.show(SnapshotText.groups(snapshot))
                case .json: try latest.show(SnapshotText.json(snapshot), isDocument: true)
                case .jsonl: try latest.show(SnapshotText.json(snapshot, .line), isDocument: true)
                }
            }
            if !watch { return }
            try session.pause(for: interval.duration)
        }
    }

    /// What one group has come to so far.
    private func show(_ group: GroupArgument, _ session: Session) throws {
        let collector = OutcomeCollector(keepsTasks: output != .text) { _, _ in nil }
        var latest = LatestText<OutcomeDocument>(session, isWatching: watch)
        while true {
            if !collector.isClosed { try session.collect(group.target, into: collector) }
            guard let document = collector.document() else { throw Failure(.usage, "there is no group \(group.text)") }
            if latest.isNews(document.withoutTimes) {
                switch output {
                case .text: try latest.show(DocumentText.render(document))
                case .json: try latest.show(document.jsonText(.indented) + "\n", isDocument: true)
                case .jsonl: try latest.show(document.jsonText(.line) + "\n", isDocument: true)
                }
            }
            if !watch || collector.isClosed { return }
            try session.pause(for: interval.duration, unless: { collector.isClosed }) { update in
                try session.take(update, into: collector)
            }
        }
    }
}

/// What is shown again and again: a terminal has the latest state alone, anything else each one that differs from the last.
private struct LatestText<State: Equatable> {
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private let session: Session
    private let isWatching: Bool
    private var shown: State?

    init(_ session: Session, isWatching: Bool) {
        self.session = session
        self.isWatching = isWatching
    }

    /// Whether there is something to show, if that is how things stand now.
    mutating func isNews(_ state: State) -> Bool {
        // On a terminal the times go on.
        defer { shown = state }
        return isTerminal || shown != state
    }

    /// - Parameter isDocument: it is for programs, which need no empty line between two of them.
    func show(_ text: String, isDocument: Bool = false) throws {
        let start = isTerminal && isWatching ? "\u{1b}[H\u{1b}[2J" : ""
        try session.print(start + text + (isTerminal || isDocument || !isWatching ? "" : "\n"))
    }
}

extension OutcomeDocument {
    /// What of it is worth showing again when it changes; times pass anyway.
    fileprivate var withoutTimes: OutcomeDocument {
        var document = self
        document.elapsed = .zero
        document.groups = groups.map(\.withoutTimes)
        if let tasks = unfinished?.tasks {
            document.unfinished?.tasks = tasks.map { task in
                var task = task
                task.elapsed = .zero
                return task
            }
        }
        return document
    }
}

extension Session {
    /// Takes in what a group has come to so far; once it is known, only what is new.
    fileprivate func collect(_ target: GroupTarget, into collector: OutcomeCollector) throws {
        let client = client
        func watch() {
            // By its number: another one may have its name by now.
            client.watch(collector.rootID.map(GroupTarget.id) ?? target)
            client.query()
        }
        askAgain = { _ in watch() }
        var isCaughtUp = collector.rootID != nil
        watch()
        while true {
            try untilAnswered { update in
                try take(update, into: collector)
                if !update.caughtUp.isEmpty { isCaughtUp = true }
            }
            if isCaughtUp { return }
            client.query()
        }
    }

    fileprivate func take(_ update: ClientUpdate, into collector: OutcomeCollector) throws {
        collector.take(update) { _, _ in
        } ended: { _ in
        }
        client.consumed(weight: update.weight, [])
        if let refusal = update.refusals.first, !collector.isClosed { throw Failure(.usage, refusal.message) }
    }
}
