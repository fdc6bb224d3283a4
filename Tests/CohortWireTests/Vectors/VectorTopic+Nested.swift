internal import CohortCore

@testable internal import CohortWire

extension VectorTopic {
    /// What groups of tasks need: who opens and joins them, who waits, and the answers to requests.
    static let nested = VectorTopic(name: "nested", vectors: requests + updates + slots)

    private static let attempt = AttemptRef(task: TaskKey(index: 7, generation: 2), attempt: 1)
    private static let other = AttemptRef(task: TaskKey(index: .max, generation: .max), attempt: .max)

    private static var closedAroundOthers: ClientUpdate {
        var update = ClientUpdate()
        update.closed = [
            GroupReport(
                group: GroupID(3),
                parent: nil,
                name: "outer",
                outcome: .errors,
                timedOut: false,
                cancelled: false,
                cause: .none,
                reason: "",
                deadlineOf: "",
                counts: counts(ok: 1),
                elapsed: .seconds(2),
                openedAgo: .seconds(2),
                omitted: 0,
                below: counts(ok: 5, error: 1, timeout: 2, cancelled: 3, lost: 4)
            )
        ]
        return update
    }

    private static let requests = [
        Vector(
            "open-group-of-a-task",
            "A running task opens a group, which its tasks may join.",
            .at(1),
            .openGroup(GroupSpec(key: GroupKey(1), owner: attempt, name: "tiles", acceptsSiblings: true))
        ),
        Vector(
            "open-group-scope",
            "The body of group 1 opens a group whose outcome is its own affair.",
            .at(2),
            .openGroup(GroupSpec(key: GroupKey(2), parent: GroupKey(1), name: "fetch", isScope: true))
        ),
        Vector(
            "join-group",
            "Key 3 stands for the group of a running task from now on.",
            .at(3),
            .joinGroup(GroupKey(3), attempt)
        ),
        Vector(
            "cancel-group-with-token",
            "A request that is to be answered.",
            .at(4),
            .cancelGroup(.key(GroupKey(1)), grace: nil, reason: "enough", token: 9)
        ),
        Vector(
            "cancel-task-with-token",
            "The same for one task.",
            .at(5),
            .cancelTask(GroupKey(1), index: 4, reason: "", token: 10)
        ),
        Vector(
            "set-deadline-with-token",
            "No deadline any more, to be answered.",
            .at(6),
            .setDeadline(.id(GroupID(3)), nil, token: .max)
        ),
        Vector(
            "extend-deadline",
            "Thirty seconds more than there were.",
            .at(7),
            .extendDeadline(.name("nightly"), by: .seconds(30))
        ),
    ]

    private static let updates = [
        Vector(
            "update-accepted",
            "Two tasks of a task have got their numbers in its group.",
            .at(2),
            .update(
                update { $0.accepted = [AcceptedTasks(key: GroupKey(3), first: 0, index: 41, count: 2)] }
            )
        ),
        Vector(
            "update-answers",
            "A request took effect, one came too late, one was turned down.",
            .at(3),
            .update(
                update {
                    $0.answers = [
                        RequestAnswer(token: 9, isAccepted: true),
                        RequestAnswer(token: 10, isAccepted: false),
                        RequestAnswer(
                            token: .max,
                            isAccepted: false,
                            code: .shuttingDown,
                            message: "group nightly has timed out already"
                        ),
                    ]
                }
            )
        ),
        Vector(
            "update-progress",
            "Two running tasks say how far they are; one cannot tell.",
            .at(4),
            .update(
                update {
                    $0.progress = [
                        TaskProgress(group: GroupID(3), index: 0, fraction: 0.25, note: "64 of 256 tiles"),
                        TaskProgress(group: GroupID(3), index: 1, fraction: nil, note: ""),
                    ]
                }
            )
        ),
        Vector(
            "update-closed-around-others",
            "A group has closed with one task of its own, and fifteen in groups that had closed inside.",
            .at(9),
            .update(closedAroundOthers)
        ),
        Vector(
            "update-error-tree",
            "A task failed with the errors of a group of its own.",
            .at(5),
            .update(failedByGroup)
        ),
    ]

    private static let slots = [
        Vector(
            "report-slots",
            "One attempt waits and gives up its slot, another wants its slot back, and both tell how far they are.",
            .at(1),
            .report(
                report {
                    $0.waiting = [attempt]
                    $0.wanting = [other]
                    $0.progress = [
                        AttemptProgress(ref: attempt, fraction: 1, note: "waiting"),
                        AttemptProgress(ref: other, fraction: nil, note: "größe"),
                    ]
                }
            )
        ),
        Vector("proceed", "Two attempts may go on.", .at(2), .proceed([attempt, other])),
        Vector(
            "assign-again",
            "The second start of a task whose group has four seconds left, beside a first one without a deadline.",
            .at(3),
            .assign(secondStart)
        ),
    ]

    private static func update(_ fill: (inout ClientUpdate) -> Void) -> ClientUpdate {
        var update = ClientUpdate()
        fill(&update)
        return update
    }

    private static func report(_ fill: (inout WorkerReport) -> Void) -> WorkerReport {
        var report = WorkerReport()
        fill(&report)
        return report
    }

    private static let failedByGroup = update {
        var detail = AttemptDetail()
        detail.type = "ErrorGroup"
        detail.message = "1 error in group tiles"
        detail.tree = Array(#"{"type":"ErrorGroup"}"#.utf8)
        $0.details = [detail]
        $0.reports = [
            TaskReport(
                group: GroupID(3),
                index: 0,
                outcome: .error,
                started: true,
                attempts: 1,
                elapsed: .milliseconds(20),
                worker: 1,
                detail: 0
            )
        ]
    }

    private static let secondStart: AssignBatch = {
        var batch = AssignBatch()
        batch.tasks = [
            Assignment(
                ref: attempt,
                template: TemplateID(5),
                index: 0,
                execution: 2,
                deadlineIn: .seconds(4),
                payloadLength: 0
            ),
            Assignment(ref: other, template: TemplateID(5), index: 1, payloadLength: 0),
        ]
        return batch
    }()
}
