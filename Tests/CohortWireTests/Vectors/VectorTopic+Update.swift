internal import CohortCore

@testable internal import CohortWire

extension VectorTopic {
    /// What the coordinator sends to clients.
    static let update = VectorTopic(name: "update", vectors: updates + extremes + snapshots)

    private static let updates = [
        Vector("update-nothing", "No row in any table: allowed, and without effect.", .at(1), .update(ClientUpdate())),
        Vector(
            "update-opened",
            "Two groups have got their numbers.",
            .at(2, acknowledging: 4),
            .update(
                with {
                    $0.opened = [
                        OpenedGroup(key: GroupKey(1), group: GroupID(3)),
                        OpenedGroup(key: GroupKey(0), group: GroupID(4)),
                    ]
                }
            )
        ),
        Vector(
            "update-first-results",
            "A worker, two starts, output on both streams and two ended tasks, one with a value and one that failed.",
            .at(3),
            .update(firstResults)
        ),
        Vector(
            "update-stop-and-close",
            "A group stops because a task of it failed, and closes; the task that had not started is cancelled.",
            .at(4),
            .update(stopAndClose)
        ),
        Vector(
            "update-refusals",
            "One refusal of each code; only some concern a group of this session.",
            .at(5),
            .update(
                with { update in
                    update.refusals = Refusal.Code.allCases.map { code in
                        Refusal(
                            code: code,
                            key: code.rawValue.isMultiple(of: 2) ? GroupKey(UInt32(code.rawValue)) : nil,
                            from: code == .limit ? 1_000 : 0,
                            message: "refused: \(code)"
                        )
                    }
                }
            )
        ),
        Vector(
            "update-watch",
            "What a watcher of a detached group is told first: the open groups, names, an ended task, and that it is up to date.",
            .at(6),
            .update(watched)
        ),
    ]

    private static var firstResults: ClientUpdate {
        with {
            $0.workers = [
                WorkerSummary(number: 1, name: "alpha-1", host: "alpha", processID: 4712, slots: 4, running: 2)
            ]
            $0.started = [
                TaskStart(group: GroupID(3), index: 0, worker: 1), TaskStart(group: GroupID(3), index: 1, worker: 1),
            ]
            $0.outputs = [
                ClientOutput(group: GroupID(3), index: 0, attempt: 1, stream: .standardOutput, length: 6),
                ClientOutput(
                    group: GroupID(3),
                    index: 1,
                    attempt: 2,
                    stream: .standardError,
                    offset: 70_000,
                    length: 5
                ),
            ]
            $0.reports = [
                TaskReport(
                    group: GroupID(3),
                    index: 0,
                    outcome: .ok,
                    started: true,
                    attempts: 1,
                    elapsed: .milliseconds(12),
                    worker: 1,
                    valueLength: 2
                ),
                TaskReport(
                    group: GroupID(3),
                    index: 1,
                    outcome: .error,
                    started: true,
                    attempts: 2,
                    elapsed: .milliseconds(410),
                    worker: 1,
                    detail: 0
                ),
            ]
            $0.details = [commandFailed]
            $0.payload = Array("hello\noops\n42".utf8)
        }
    }

    private static var stopAndClose: ClientUpdate {
        with {
            $0.stopping = [GroupStop(group: GroupID(3), cause: .siblingFailed, reason: "a task of the group failed")]
            $0.reports = [
                TaskReport(
                    group: GroupID(3),
                    index: 2,
                    outcome: .cancelled,
                    started: false,
                    cause: .siblingFailed,
                    attempts: 0,
                    elapsed: .zero,
                    worker: 0
                )
            ]
            $0.closed = [
                GroupReport(
                    group: GroupID(3),
                    parent: nil,
                    name: "nightly",
                    outcome: .errors,
                    timedOut: false,
                    cancelled: false,
                    cause: .siblingFailed,
                    reason: "a task of the group failed",
                    deadlineOf: "",
                    counts: counts(ok: 1, error: 1, cancelled: 1),
                    elapsed: .milliseconds(1_020),
                    openedAgo: .milliseconds(1_020),
                    omitted: 0
                )
            ]
        }
    }

    private static var watched: ClientUpdate {
        with {
            $0.groups = [
                summary(GroupID(8), parent: nil, name: "nightly", deadlineIn: .seconds(540)),
                summary(GroupID(9), parent: GroupID(8), name: "thumbnails", deadlineIn: nil),
            ]
            $0.groups[1].running = [RunningTask(index: 4, name: "convert", worker: 3, elapsed: .milliseconds(1_500))]
            $0.names = [TaskName(group: GroupID(9), index: 0, name: "convert")]
            $0.reports = [
                TaskReport(
                    group: GroupID(9),
                    index: 0,
                    outcome: .ok,
                    started: true,
                    afterCancel: true,
                    cause: .requested,
                    attempts: 1,
                    elapsed: .seconds(1),
                    worker: 0
                )
            ]
            $0.caughtUp = [GroupID(8)]
        }
    }

    private static let extremes = [
        Vector(
            "update-every-outcome",
            "One row for each outcome and cause, with the flags in every combination.",
            .at(7),
            .update(
                with { update in
                    update.reports = CancelCause.allCases.enumerated().map { number, cause in
                        TaskReport(
                            group: GroupID(1),
                            index: UInt32(number),
                            outcome: TaskOutcome.allCases[number % TaskOutcome.allCases.count],
                            started: number & 1 != 0,
                            afterCancel: number & 2 != 0,
                            cause: cause,
                            attempts: UInt32(number),
                            elapsed: .zero,
                            worker: 0
                        )
                    }
                }
            )
        ),
        Vector("update-extremes", "The greatest number in every column.", .at(.max), .update(greatest)),
    ]

    private static var greatest: ClientUpdate {
        with {
            $0.opened = [OpenedGroup(key: GroupKey(.max), group: GroupID(.max))]
            $0.names = [TaskName(group: GroupID(.max), index: .max, name: "größte \u{1F40B}")]
            $0.started = [TaskStart(group: GroupID(.max), index: .max, worker: .max)]
            $0.outputs = [
                ClientOutput(
                    group: GroupID(.max),
                    index: .max,
                    attempt: .max,
                    stream: .standardError,
                    offset: .max,
                    length: 0
                )
            ]
            $0.reports = [
                TaskReport(
                    group: GroupID(.max),
                    index: .max,
                    outcome: .lost,
                    started: true,
                    afterCancel: true,
                    cause: .shutdown,
                    attempts: .max,
                    elapsed: TimeSpan(nanoseconds: .max),
                    worker: .max,
                    valueLength: 0,
                    detail: 1
                )
            ]
            $0.details = [AttemptDetail(), greatestDetail]
            $0.caughtUp = [GroupID(.max), GroupID(0)]
            $0.closed = [
                GroupReport(
                    group: GroupID(.max),
                    parent: GroupID(0),
                    name: "",
                    outcome: .timeout,
                    timedOut: true,
                    cancelled: true,
                    cause: .deadline,
                    reason: "the deadline of group nightly",
                    deadlineOf: "nightly",
                    counts: counts(
                        queued: .max,
                        running: .max,
                        ok: .max,
                        error: .max,
                        timeout: .max,
                        cancelled: .max,
                        lost: .max
                    ),
                    elapsed: TimeSpan(nanoseconds: .max),
                    openedAgo: TimeSpan(nanoseconds: .max),
                    omitted: .max
                )
            ]
        }
    }

    private static let snapshots = [
        Vector("snapshot-empty", "An idle coordinator.", .at(8), .snapshot(Snapshot())),
        Vector(
            "snapshot",
            "A closed group, one that stops and one that waits; a worker that drains.",
            .at(9),
            .snapshot(snapshot)
        ),
    ]

    private static var snapshot: Snapshot {
        var snapshot = Snapshot()
        var closed = summary(GroupID(1), parent: nil, name: "yesterday", deadlineIn: nil)
        closed.outcome = .ok
        closed.counts = counts(ok: 3)
        var stopping = summary(GroupID(2), parent: nil, name: "stopping", deadlineIn: nil)
        stopping.stopping = true
        stopping.detached = false
        var waiting = summary(GroupID(3), parent: nil, name: "nightly", deadlineIn: .zero)
        waiting.counts = counts(queued: 7)
        waiting.waiting = "no worker offers scoring.score"
        snapshot.groups = [closed, stopping, waiting]
        snapshot.workers = [
            WorkerSummary(
                number: 2,
                name: "alpha-2",
                host: "alpha",
                processID: 4713,
                slots: 4,
                running: 4,
                prefetched: 12,
                draining: true,
                functions: ["demo.echo", "demo.sleep"]
            )
        ]
        snapshot.clients = 2
        snapshot.staleMessages = .max
        snapshot.badFrames = 1
        snapshot.refusedPeers = 3
        snapshot.draining = true
        return snapshot
    }
}

extension VectorTopic {
    static func with(_ fill: (inout ClientUpdate) -> Void) -> ClientUpdate {
        var update = ClientUpdate()
        fill(&update)
        return update
    }

    static func counts(
        queued: Int = 0,
        running: Int = 0,
        ok: Int = 0,
        error: Int = 0,
        timeout: Int = 0,
        cancelled: Int = 0,
        lost: Int = 0
    ) -> TaskCounts {
        var counts = TaskCounts()
        counts.queued = queued
        counts.running = running
        counts.ok = ok
        counts.error = error
        counts.timeout = timeout
        counts.cancelled = cancelled
        counts.lost = lost
        return counts
    }

    private static func summary(_ group: GroupID, parent: GroupID?, name: String, deadlineIn: TimeSpan?) -> GroupSummary
    {
        GroupSummary(
            group: group,
            parent: parent,
            name: name,
            detached: true,
            stopping: false,
            outcome: nil,
            counts: counts(running: 2, ok: 1),
            openedAgo: .seconds(60),
            elapsed: .seconds(60),
            deadlineIn: deadlineIn,
            waiting: ""
        )
    }

    /// A command that exited with a code of its own.
    static var commandFailed: AttemptDetail {
        var detail = AttemptDetail()
        detail.type = "CommandFailed"
        detail.message = "exit status 22"
        detail.command = "curl -fsS -o data.json https://example.org/data.json"
        detail.exitCode = 22
        detail.standardError = Array("curl: (22) The requested URL returned error: 404\n".utf8)
        detail.standardErrorBytes = 49
        detail.userTime = .milliseconds(8)
        detail.systemTime = .milliseconds(4)
        detail.maxResidentBytes = 9 << 20
        detail.rest = OutputStretch(
            offset: 70_000,
            runs: [
                OutputStretch.Run(stream: .standardError, length: 5),
                OutputStretch.Run(stream: .standardOutput, length: 3),
            ],
            bytes: Array("oops\n1 2".utf8)
        )
        return detail
    }

    /// Every field at its greatest, and output that is no text.
    static var greatestDetail: AttemptDetail {
        var detail = AttemptDetail()
        detail.type = "CommandKilled"
        detail.message = "killed by signal 11"
        detail.trace = "a\n\tb"
        detail.command = "\u{1F41A}"
        detail.exitCode = .min
        detail.signal = .max
        detail.coreDumped = true
        detail.forced = true
        detail.standardOutput = [0xff, 0x00]
        detail.standardError = [0xc3, 0x28]
        detail.standardOutputBytes = .max
        detail.standardErrorBytes = .max
        detail.userTime = TimeSpan(nanoseconds: .max)
        detail.systemTime = TimeSpan(nanoseconds: .max)
        detail.maxResidentBytes = .max
        detail.rest = OutputStretch(offset: .max)
        return detail
    }
}
