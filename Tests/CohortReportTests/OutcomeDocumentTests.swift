internal import FoundationEssentials
internal import Testing

@testable internal import Cohort

/// A document with something in every field.
let fullDocument = OutcomeDocument(
    group: "nightly",
    id: "g1",
    outcome: .errors,
    timedOut: true,
    cancelled: true,
    cancelReason: "release",
    deadlineOf: "all",
    startedAt: Timestamp(milliseconds: 1_795_227_169_956),
    elapsed: .milliseconds(1_020),
    counts: OutcomeCounts(ok: 2, error: 1, timeout: 0, cancelled: 3, lost: 0),
    tasks: [
        TaskResult(
            name: "fetch",
            id: "g1.0",
            outcome: .error,
            attempts: 4,
            exitCode: 22,
            stdout: "",
            stderr: "curl: (22) error: 404\n",
            worker: "w1",
            host: "node-1",
            elapsed: .milliseconds(410)
        ),
        TaskResult(
            name: "score",
            id: "g1.1",
            outcome: .ok,
            afterCancel: true,
            forced: false,
            signal: "SIGKILL",
            value: ["b": 1, "a": [0.5]],
            stdout: "end of it",
            stdoutBytes: 100_000,
            stderrBytes: 1,
            elapsed: .zero,
            resources: ResourceUse(user: .milliseconds(20), system: .microseconds(1), maxResidentBytes: 4_096),
            command: "score --all"
        ),
    ],
    tasksOmitted: 1,
    groups: [
        OutcomeDocument(
            version: nil,
            group: "thumbnails",
            id: "g2",
            outcome: .ok,
            startedAt: Timestamp(milliseconds: 1_795_227_170_000),
            elapsed: .seconds(1)
        )
    ],
    error: .group(
        ErrorNode.Group(
            group: "nightly",
            errors: [
                .leaf(
                    ErrorNode.Leaf(
                        task: "fetch",
                        id: "g1.0",
                        type: .commandFailed,
                        message: "exit status 22",
                        attempt: 4,
                        attempts: 4,
                        exitCode: 22,
                        stderr: "curl: (22) error: 404\n",
                        worker: "w1",
                        host: "node-1",
                        command: "curl -fsS",
                        elapsed: .milliseconds(410)
                    )
                )
            ]
        )
    )
)

@Suite struct OutcomeDocumentTests {
    @Test func writesItsMembersInReadingOrder() {
        #expect(
            fullDocument.jsonText() == """
                {
                  "version": 1,
                  "group": "nightly",
                  "id": "g1",
                  "outcome": "errors",
                  "timed_out": true,
                  "cancelled": true,
                  "cancel_reason": "release",
                  "deadline_of": "all",
                  "started_at": "2026-11-21T02:12:49.956Z",
                  "elapsed": 1.02,
                  "counts": {
                    "ok": 2,
                    "error": 1,
                    "timeout": 0,
                    "cancelled": 3,
                    "lost": 0
                  },
                  "tasks": [
                    {
                      "name": "fetch",
                      "id": "g1.0",
                      "outcome": "error",
                      "started": true,
                      "after_cancel": false,
                      "forced": false,
                      "attempts": 4,
                      "exit_code": 22,
                      "signal": null,
                      "value": null,
                      "stdout": "",
                      "stderr": "curl: (22) error: 404\\n",
                      "worker": "w1",
                      "host": "node-1",
                      "elapsed": 0.41
                    },
                    {
                      "name": "score",
                      "id": "g1.1",
                      "outcome": "ok",
                      "started": true,
                      "after_cancel": true,
                      "forced": false,
                      "attempts": 1,
                      "exit_code": null,
                      "signal": "SIGKILL",
                      "value": {
                        "b": 1,
                        "a": [
                          0.5
                        ]
                      },
                      "stdout": "end of it",
                      "stderr": "",
                      "stdout_bytes": 100000,
                      "stderr_bytes": 1,
                      "worker": null,
                      "host": null,
                      "elapsed": 0.0,
                      "resources": {
                        "user": 0.02,
                        "system": 1e-06,
                        "max_rss": 4096
                      },
                      "command": "score --all"
                    }
                  ],
                  "tasks_omitted": 1,
                  "groups": [
                    {
                      "group": "thumbnails",
                      "id": "g2",
                      "outcome": "ok",
                      "timed_out": false,
                      "cancelled": false,
                      "started_at": "2026-11-21T02:12:50.000Z",
                      "elapsed": 1.0,
                      "tasks": [],
                      "groups": [],
                      "error": null
                    }
                  ],
                  "error": {
                    "type": "ErrorGroup",
                    "message": "1 error in group nightly",
                    "group": "nightly",
                    "errors": [
                      {
                        "task": "fetch",
                        "id": "g1.0",
                        "type": "CommandFailed",
                        "message": "exit status 22",
                        "attempt": 4,
                        "attempts": 4,
                        "exit_code": 22,
                        "stderr": "curl: (22) error: 404\\n",
                        "worker": "w1",
                        "host": "node-1",
                        "command": "curl -fsS",
                        "elapsed": 0.41
                      }
                    ]
                  }
                }
                """
        )
    }

    @Test func oneLineHasNoLineBreak() {
        #expect(!fullDocument.jsonText(.line).contains("\n"))
    }

    @Test(arguments: [JSONLayout.line, .indented])
    func isReadBack(layout: JSONLayout) throws {
        #expect(try OutcomeDocument(jsonText: fullDocument.jsonText(layout)) == fullDocument)
    }

    @Test func encodersWriteTheSameMembers() throws {
        let data = try JSONEncoder().encode(fullDocument)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data) == fullDocument.json)
        #expect(try JSONDecoder().decode(OutcomeDocument.self, from: data) == fullDocument)
    }

    @Test func ignoresMembersOfLaterVersionsAndRejectsTheirDocuments() throws {
        let minimal = """
            {"version": 1, "group": "g", "id": "1", "outcome": "ok", "timed_out": false, "cancelled": false,
             "started_at": "2026-11-21T02:12:50Z", "elapsed": 2, "tasks": [], "groups": [], "colour": {"x": 1}}
            """
        #expect(try OutcomeDocument(jsonText: minimal).elapsed == .seconds(2))
        let later = minimal.replacing("\"version\": 1", with: "\"version\": 2")
        let error = #expect(throws: DecodingError.self) { try OutcomeDocument(jsonText: later) }
        #expect(String(describing: error).contains("version 2 of the outcome document is not known here"))
        for bad in ["1e300", "\"soon\"", "null"] {
            let text = minimal.replacing("\"elapsed\": 2", with: "\"elapsed\": \(bad)")
            #expect(throws: DecodingError.self) { try OutcomeDocument(jsonText: text) }
        }
        #expect(throws: DecodingError.self) { try OutcomeDocument(jsonText: "{") }
    }

    @Test func nestsDeeply() throws {
        var document = fullDocument
        for level in 0..<60 {
            var outer = fullDocument
            document.version = nil
            outer.group = "level \(level)"
            outer.groups = [document]
            outer.error = .group(ErrorNode.Group(group: outer.group, errors: [document.error!]))
            document = outer
        }
        #expect(try OutcomeDocument(jsonText: document.jsonText(.line)) == document)
        #expect(document.error?.leaves.count == 1)
    }

    @Test func talliesWhatIsListedWhenThereAreNoCounts() {
        var document = fullDocument
        #expect(document.tally.total == 6)
        document.counts = nil
        document.groups[0].tasks = [TaskResult(name: "x", id: "x", outcome: .lost)]
        #expect(document.tally == OutcomeCounts(ok: 1, error: 1, lost: 1))
        #expect(document.tally.failed == 2)
    }

    @Test func outcomesHaveTheirExitStatus() {
        #expect(GroupOutcome.allCases.map(\.exitStatus) == [0, 1, 124, 125])
        #expect(TaskOutcome.allCases.filter(\.isFailure) == [.error, .timeout, .lost])
    }

    @Test(arguments: [
        (Duration.milliseconds(1_020), 1.02), (.microseconds(410_000), 0.41), (.zero, 0), (.nanoseconds(1_499), 1e-6),
        (.seconds(86_400 * 365) + .milliseconds(1), 31_536_000.001), (.milliseconds(-1_500), -1.5),
    ])
    func secondsHaveNoBinaryNoise(duration: Duration, seconds: Double) {
        #expect(duration.inSeconds == seconds)
    }

    @Test func signalsHaveNames() {
        #expect(SignalName.name(of: 9) == "SIGKILL")
        #expect(SignalName.name(of: 41) == "SIG41")
        for number in Int32(1)...64 { #expect(SignalName.number(of: SignalName.name(of: number)) == number) }
        for text in ["", "KILL", "SIG", "SIG0", "SIG65", "SIG-9", "SIGKILLED"] {
            #expect(SignalName.number(of: text) == nil)
        }
    }

    @Test func tailsDoNotBeginInTheMiddleOfACharacter() {
        let bytes = Array("€uro".utf8)
        #expect(OutputText.decode(bytes.dropFirst(), isTail: true) == "uro")
        #expect(OutputText.decode(bytes, isTail: true) == "€uro")
        #expect(OutputText.decode([0x61, 0xff, 0x62]) == "a\u{FFFD}b")
    }
}
