internal import CohortCore

@testable internal import CohortWire

extension VectorTopic {
    /// What clients send.
    static let client = VectorTopic(name: "client", vectors: groups + submissions + seals + requests)

    private static let groups = [
        Vector(
            "open-group",
            "A root group with every default: the first failure cancels it, no limit, no deadline, the default grace.",
            .at(1),
            .openGroup(GroupSpec(key: GroupKey(1), name: "nightly"))
        ),
        Vector(
            "open-group-nested",
            "A shielded group inside group 1, at most eight of its tasks at a time, ten minutes, five seconds of grace.",
            .at(2),
            .openGroup(
                GroupSpec(
                    key: GroupKey(2),
                    parent: GroupKey(1),
                    name: "thumbnails",
                    policy: .continue,
                    limit: 8,
                    timeout: .seconds(600),
                    grace: .seconds(5),
                    shield: true
                )
            )
        ),
        Vector(
            "open-group-zeros",
            "Zeros that are present: the key 0 as parent, a deadline that has come, no grace at all.",
            .at(3),
            .openGroup(
                GroupSpec(
                    key: GroupKey(0),
                    parent: GroupKey(0),
                    name: "",
                    policy: .first,
                    limit: 0,
                    timeout: .zero,
                    grace: .zero
                )
            )
        ),
        Vector(
            "open-group-extremes",
            "The greatest numbers, detached.",
            .at(.max, acknowledging: .max),
            .openGroup(
                GroupSpec(
                    key: GroupKey(.max),
                    parent: GroupKey(.max),
                    name: "nächtlich \u{1F319}",
                    policy: .first,
                    limit: .max,
                    timeout: TimeSpan(nanoseconds: .max),
                    grace: TimeSpan(nanoseconds: .max),
                    detached: true
                )
            )
        ),
    ]

    private static let submissions = [
        Vector(
            "submit-command",
            "One command, `true`, and its payload frame.",
            .at(2),
            .submit(
                TaskSubmission(
                    group: GroupKey(1),
                    first: 0,
                    templates: [TaskTemplate(name: "check")],
                    runs: [TaskRun(template: 0, lengths: [6])],
                    payload: CommandPayload(program: .arguments([Array("true".utf8)])).bytes
                )
            )
        ),
        Vector(
            "submit-two-runs",
            "Three calls of one template and two of another; one payload is empty.",
            .at(3, acknowledging: 1),
            .submit(
                TaskSubmission(
                    group: GroupKey(1),
                    first: 0,
                    templates: [
                        TaskTemplate(name: "echo", function: "demo.echo"),
                        TaskTemplate(
                            name: "score",
                            function: "scoring.score",
                            timeout: .seconds(30),
                            retries: 3,
                            backoff: .seconds(1),
                            shield: true,
                            output: .stream
                        ),
                    ],
                    runs: [TaskRun(template: 0, lengths: [3, 0, 3]), TaskRun(template: 1, lengths: [2, 2])],
                    payload: Array("[1][2]{}[]".utf8)
                )
            )
        ),
        Vector(
            "submit-further-tasks",
            "Tasks that name a template of an earlier submission; no template, no payload, hence no payload frame.",
            .at(4),
            .submit(
                TaskSubmission(
                    group: GroupKey(1),
                    first: 5,
                    firstTemplate: 2,
                    runs: [TaskRun(template: 0, lengths: [0])]
                )
            )
        ),
        Vector(
            "submit-extremes",
            "The greatest numbers, a timeout of 0 that is present, and a template's opaque bytes that are no text.",
            .at(5),
            .submit(
                TaskSubmission(
                    group: GroupKey(.max),
                    first: .max,
                    firstTemplate: .max,
                    templates: [
                        TaskTemplate(
                            name: "",
                            timeout: .zero,
                            retries: .max,
                            backoff: TimeSpan(nanoseconds: .max),
                            spec: [0xff, 0x00, 0xfe]
                        )
                    ],
                    runs: [TaskRun(template: .max, lengths: []), TaskRun(template: 0, lengths: [300])],
                    payload: (0..<300).map { UInt8(truncatingIfNeeded: $0) }
                )
            )
        ),
        Vector(
            "submit-nothing",
            "No template and no task: allowed, and without effect.",
            .at(6),
            .submit(TaskSubmission(group: GroupKey(1), first: 0, runs: []))
        ),
    ]

    private static let seals = [
        Vector("seal-returned", "The body of group 1 has returned.", .at(7), .seal(GroupKey(1), .returned)),
        Vector("seal-cancelled", "The body of group 0 was cancelled.", .at(8), .seal(GroupKey(0), .cancelled)),
        Vector(
            "seal-failed",
            "The body of group 1 threw.",
            .at(9),
            .seal(
                GroupKey(1),
                .failed(detail(type: "ValueError", message: "no rows", trace: "main.py:12\nmain.py:3"))
            )
        ),
    ]

    private static func detail(type: String, message: String, trace: String) -> AttemptDetail {
        var detail = AttemptDetail()
        detail.type = type
        detail.message = message
        detail.trace = trace
        return detail
    }

    private static let requests = [
        Vector(
            "cancel-group-by-key",
            "The client cancels its own group, with the group's own grace.",
            .at(10),
            .cancelGroup(.key(GroupKey(1)), grace: nil, reason: "interrupted")
        ),
        Vector(
            "cancel-group-by-number",
            "Cancelled without any grace, by the coordinator's number.",
            .at(11),
            .cancelGroup(.id(GroupID(.max)), grace: .zero, reason: "")
        ),
        Vector(
            "cancel-group-by-name",
            "Cancelled by name.",
            .at(12),
            .cancelGroup(.name("nightly"), grace: .milliseconds(1_500), reason: "superseded")
        ),
        Vector(
            "cancel-task",
            "Task 4 of group 1.",
            .at(13),
            .cancelTask(GroupKey(1), index: 4, reason: "not needed any more")
        ),
        Vector(
            "cancel-task-extremes",
            "The greatest numbers.",
            .at(14),
            .cancelTask(GroupKey(.max), index: .max, reason: "")
        ),
        Vector(
            "set-deadline",
            "The deadline is now a minute away.",
            .at(15),
            .setDeadline(.key(GroupKey(1)), .seconds(60))
        ),
        Vector("set-deadline-none", "No deadline any more.", .at(16), .setDeadline(.name("nightly"), nil)),
        Vector("set-deadline-now", "The deadline has come.", .at(17), .setDeadline(.id(GroupID(3)), .zero)),
        Vector(
            "consumed",
            "The client has dealt with 4,224 bytes' worth, output of two running tasks among it, one at its second try.",
            .at(18, acknowledging: 40),
            .consumed(
                weight: 4_224,
                [
                    ConsumedOutput(group: GroupID(3), index: 0, attempt: 1, position: 4_000),
                    ConsumedOutput(group: GroupID(4), index: 17, attempt: 2, position: 66_160),
                ]
            )
        ),
        Vector(
            "consumed-extremes",
            "The greatest numbers.",
            .at(19),
            .consumed(
                weight: .max,
                [ConsumedOutput(group: GroupID(.max), index: .max, attempt: .max, position: .max)]
            )
        ),
        Vector("consumed-nothing", "Allowed, and without effect.", .at(20), .consumed(weight: 0, [])),
        Vector("watch-by-name", "Follow a detached group.", .at(21), .watch(.name("nightly"))),
        Vector("watch-by-number", "The number 0 is present, and no group has it.", .at(22), .watch(.id(GroupID(0)))),
        Vector("query", "What is there?", .at(23), .query),
    ]
}
