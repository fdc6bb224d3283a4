internal import ArgumentParser
internal import Cohort
internal import CohortCore
@preconcurrency internal import Glibc

/// `cohort status [GROUP]`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the groups of a coordinator, or what one of them has come to so far."
    )

    @Argument(help: ArgumentHelp("A group's number or name; all groups if left out.", valueName: "group"))
    var group: GroupArgument?

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(help: "A table, or JSON: with a group its outcome document.")
    var output = OutputFormat.text

    @Flag(help: "Show it again whenever something has changed: for ever, or until the group has ended.")
    var watch = false

    @Option(help: ArgumentHelp("With --watch: how often to look.", valueName: "time"))
    var interval = DurationArgument(duration: .seconds(1))

    func validate() throws {
        if interval.duration < .milliseconds(10) { throw ValidationError("--interval must be at least 10ms") }
    }

    func run() throws {
        let policy = ReturnPolicy.patient(WaitCommand.defaultPatience.span)
        let session = try Session(coordinator, name: "cohort status", policy: policy)
        defer { session.close() }
        let client = session.client
        session.isAboutGroup = group != nil
        session.askAgain = { _ in client.query() }
        if watch { return try follow(session) }
        guard let group else {
            session.client.query()
            let snapshot = try session.untilAnswered()
            print(output == .text ? SnapshotText.groups(snapshot) : SnapshotText.json(snapshot), terminator: "")
            return
        }
        let collector = OutcomeCollector(keepsTasks: true) { _, _ in nil }
        try session.collect(group.target, into: collector)
        guard let document = collector.document() else { throw Failure(.usage, "there is no group \(group.text)") }
        print(output == .text ? DocumentText.render(document) : document.jsonText(.indented) + "\n", terminator: "")
    }

    /// Looks again and again. A terminal shows the latest state alone, anything else each one that differs from the last.
    private func follow(_ session: Session) throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var shown = SnapshotText.Signature()
        while true {
            session.client.query()
            var snapshot = try session.untilAnswered()
            if let group {
                guard let found = snapshot.group(group.target) else {
                    throw Failure(.usage, "there is no group \(group.text)")
                }
                snapshot.groups = [found]
            }
            let signature = SnapshotText.Signature(snapshot)
            if signature != shown || isTerminal {
                if isTerminal { print("\u{1b}[H\u{1b}[2J", terminator: "") }
                switch output {
                case .text: print(SnapshotText.groups(snapshot), terminator: isTerminal ? "" : "\n")
                case .json: print(SnapshotText.json(snapshot), terminator: "")
                case .jsonl: print(SnapshotText.json(snapshot, .line), terminator: "")
                }
                fflush(stdout)
                shown = signature
            }
            if group != nil, snapshot.groups.allSatisfy({ $0.outcome != nil }) { return }
            try session.pause(for: interval.duration)
        }
    }
}

extension Snapshot {
    /// The root group that a request means: by number, or the newest of that name.
    fileprivate func group(_ target: GroupTarget) -> GroupSummary? {
        switch target {
        case .id(let id): groups.first { $0.group == id }
        case .name(let name):
            groups.last { $0.name == name && $0.outcome == nil } ?? groups.last { $0.name == name }
        case .key: nil
        }
    }
}

extension Session {
    /// Takes in what a group has come to so far.
    func collect(_ target: GroupTarget, into collector: OutcomeCollector) throws {
        let client = client
        askAgain = { _ in
            client.watch(target)
            client.query()
        }
        client.watch(target)
        var isCaughtUp = false
        while !isCaughtUp {
            client.query()
            try untilAnswered { update in
                if let refusal = update.refusals.first { throw Failure(.usage, refusal.message) }
                collector.take(update) { _, _ in
                } ended: { _ in
                }
                client.consumed(weight: update.weight, [])
                if !update.caughtUp.isEmpty { isCaughtUp = true }
            }
        }
    }
}
