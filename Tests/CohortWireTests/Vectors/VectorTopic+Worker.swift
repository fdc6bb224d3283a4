internal import CohortCore

@testable internal import CohortWire

extension VectorTopic {
    /// What the coordinator and its workers send to each other.
    static let worker = VectorTopic(name: "worker", vectors: assignments + orders + reports)

    private static let first = AttemptRef(task: TaskKey(index: 0, generation: 1), attempt: 1)
    private static let second = AttemptRef(task: TaskKey(index: 1, generation: 3), attempt: 2)
    private static let last = AttemptRef(task: TaskKey(raw: .max), attempt: .max)

    private static let assignments = [
        Vector(
            "assign",
            "Two calls of a template that the worker has not seen, with their payload frame.",
            .at(1),
            .assign(
                batch(
                    templates: [template(HoldRule.afterFailure, TaskTemplate(name: "echo", function: "demo.echo"))],
                    tasks: [
                        Assignment(ref: first, template: TemplateID(5), index: 0, payloadLength: 3),
                        Assignment(ref: second, template: TemplateID(5), index: 1, payloadLength: 4),
                    ],
                    payload: Array("[1][22]".utf8)
                )
            )
        ),
        Vector(
            "assign-known-template",
            "A further task of the same template, without payload and hence without payload frame.",
            .at(2, acknowledging: 1),
            .assign(batch(tasks: [Assignment(ref: first, template: TemplateID(5), index: 2, payloadLength: 0)]))
        ),
        Vector(
            "assign-extremes",
            "The greatest numbers; the other hold rules.",
            .at(3),
            .assign(
                batch(
                    templates: [
                        template(.never, TaskTemplate(name: "")),
                        template(
                            .afterSuccess,
                            TaskTemplate(
                                name: "stream",
                                timeout: TimeSpan(nanoseconds: .max),
                                retries: .max,
                                backoff: TimeSpan(nanoseconds: .max),
                                shield: true,
                                output: .stream,
                                spec: CommandSettings(variables: [("A", "1")], workingDirectory: "/tmp").bytes
                            )
                        ),
                    ],
                    tasks: [Assignment(ref: last, template: TemplateID(.max), index: .max, payloadLength: 1)],
                    payload: [0]
                )
            )
        ),
    ]

    private static func template(_ hold: HoldRule, _ template: TaskTemplate) -> AssignedTemplate {
        AssignedTemplate(id: TemplateID(5), group: GroupID(3), groupName: "nightly", hold: hold, template: template)
    }

    private static func batch(
        templates: [AssignedTemplate] = [],
        tasks: [Assignment],
        payload: [UInt8] = []
    ) -> AssignBatch {
        var batch = AssignBatch()
        batch.templates = templates
        batch.tasks = tasks
        batch.payload = payload
        return batch
    }

    private static let orders = [
        Vector(
            "cancel",
            "Two attempts are to end: one with five seconds to clean up, one at once.",
            .at(4),
            .cancel([
                CancelOrder(
                    ref: first,
                    grace: .seconds(5),
                    cause: .siblingFailed,
                    reason: "a task of the group failed"
                ),
                CancelOrder(ref: second, grace: .zero, cause: .taskTimeout, reason: "its timeout"),
            ])
        ),
        Vector(
            "cancel-every-cause",
            "One order for each cause.",
            .at(5),
            .cancel(
                CancelCause.allCases.map {
                    CancelOrder(ref: last, grace: TimeSpan(nanoseconds: .max), cause: $0, reason: "")
                }
            )
        ),
        Vector(
            "grant",
            "How far the output of two attempts has been dealt with.",
            .at(6),
            .grant([OutputGrant(ref: first, position: 65_536), OutputGrant(ref: last, position: .max)])
        ),
        Vector("grant-nothing", "Allowed, and without effect.", .at(7), .grant([])),
        Vector(
            "forget",
            "Templates that will not be used again.",
            .at(8),
            .forget([TemplateID(5), TemplateID(0), TemplateID(.max)])
        ),
    ]

    private static let reports = [
        Vector("report-started", "Two attempts have begun.", .at(1), .report(with { $0.started = [first, second] })),
        Vector(
            "report",
            "Output of both streams, then the ends of two attempts: one with a value, one with a detail.",
            .at(2, acknowledging: 3),
            .report(
                with {
                    $0.outputs = [
                        OutputChunk(ref: first, stream: .standardOutput, length: 6),
                        OutputChunk(ref: second, stream: .standardError, offset: 300, length: 5),
                        OutputChunk(ref: second, stream: .standardOutput, offset: 305, length: 0),
                    ]
                    $0.finished = [
                        FinishedAttempt(ref: first, status: .ok, elapsed: .milliseconds(12), valueLength: 2),
                        FinishedAttempt(ref: second, status: .failed, elapsed: .milliseconds(410), detail: 0),
                    ]
                    $0.details = [commandFailed]
                    $0.payload = Array("hello\noops\n42".utf8)
                }
            )
        ),
        Vector(
            "report-cancelled",
            "Cancels that were taken note of, a task that ended unstarted because of one, and tasks handed back.",
            .at(3),
            .report(
                with {
                    $0.cancelsSeen = [first, last]
                    $0.finished = [FinishedAttempt(ref: first, status: .cancelled, started: false)]
                    $0.returned = [second]
                }
            )
        ),
        Vector(
            "report-extremes",
            "The greatest number in every column, and a detail that no row names.",
            .at(.max, acknowledging: .max),
            .report(
                with {
                    $0.outputs = [OutputChunk(ref: last, stream: .standardError, offset: .max, length: 0)]
                    $0.started = [last]
                    $0.finished = [
                        FinishedAttempt(ref: last, status: .lost, elapsed: TimeSpan(nanoseconds: .max), detail: 1)
                    ]
                    $0.details = [AttemptDetail(), greatestDetail]
                    $0.returned = [last]
                    $0.cancelsSeen = [last]
                }
            )
        ),
        Vector("report-nothing", "No row in any table: allowed, and without effect.", .at(4), .report(WorkerReport())),
        Vector("draining", "The worker takes no new tasks.", .at(5), .draining),
    ]

    private static func with(_ fill: (inout WorkerReport) -> Void) -> WorkerReport {
        var report = WorkerReport()
        fill(&report)
        return report
    }
}
