internal import Cohort
internal import CohortReport
internal import Testing

private func document(
    _ outcome: GroupOutcome = .errors,
    errors: [ErrorNode] = [],
    tasks: [TaskResult] = [],
    timedOut: Bool = false,
    cancelled: Bool = false
) -> OutcomeDocument {
    OutcomeDocument(
        group: "nightly",
        id: "1",
        outcome: outcome,
        timedOut: timedOut,
        cancelled: cancelled,
        startedAt: Timestamp(milliseconds: 0),
        elapsed: .milliseconds(1_020),
        tasks: tasks,
        error: errors.isEmpty ? nil : .group(ErrorNode.Group(group: "nightly", errors: errors))
    )
}

private let fetch = ErrorNode.leaf(
    ErrorNode.Leaf(
        task: "fetch",
        type: .commandFailed,
        message: "exit status 22",
        attempt: 4,
        attempts: 4,
        exitCode: 22,
        stderr: "curl: (22) The requested URL returned error: 404\n",
        worker: "w1",
        host: "node-1",
        command: "curl -fsS -o data.json https://example.org/data.json",
        elapsed: .milliseconds(410)
    )
)

@Suite struct ErrorTreeTextTests {
    @Test func drawsOneBlockATask() {
        let score = ErrorNode.Leaf(
            task: "score",
            type: "ValueError",
            message: "bad row\nrow 7",
            attempt: 1,
            attempts: 1,
            trace: "Traceback:\n  File x\nValueError: bad row\n",
            worker: "w2"
        )
        let thumbnails = ErrorNode.Group(
            group: "thumbnails",
            errors: [
                .leaf(ErrorNode.Leaf(task: "a", type: .commandKilled, message: "", signal: "SIGKILL", host: "node-2")),
                .leaf(ErrorNode.Leaf(task: "b", type: .taskTimeout, message: "timed out after 1 s", attempt: 1)),
            ]
        )
        let lost = ErrorNode.Leaf(task: "last", type: .workerLost, message: "", attempt: 2, attempts: 3, worker: "w3")
        let tasks = [
            TaskResult(name: "x", id: "x", outcome: .cancelled, started: false),
            TaskResult(name: "y", id: "y", outcome: .cancelled, forced: true),
            TaskResult(name: "z", id: "z", outcome: .cancelled),
            TaskResult(name: "w", id: "w", outcome: .ok),
        ]
        let errors = [fetch, .leaf(score), .group(thumbnails), .leaf(lost)]
        #expect(
            ErrorTreeText.render(document(errors: errors, tasks: tasks)) == """
                error: 5 errors in group nightly
                ├─ fetch: exit status 22
                │    ran:    curl -fsS -o data.json https://example.org/data.json
                │    stderr: curl: (22) The requested URL returned error: 404
                │    where:  worker w1 on node-1, attempt 4 of 4, after 0.41 s
                ├─ score: ValueError: bad row
                │    error:  row 7
                │    trace:  Traceback:
                │              File x
                │            ValueError: bad row
                │    where:  worker w2
                ├─ group thumbnails: 2 errors
                │  ├─ a: killed by SIGKILL
                │  │    where:  on node-2
                │  └─ b: timed out after 1 s
                └─ last: lost with its worker
                     where:  worker w3, attempt 2 of 3
                3 cancelled (1 never started, 1 forced)

                """
        )
    }

    @Test func breaksLinesAtTheWidthAndKeepsTheTree() {
        let text = ErrorTreeText.render(document(errors: [fetch, fetch]), options: .init(width: 44))
        #expect(
            text.split(separator: "\n").prefix(8).joined(separator: "\n") == """
                error: 2 errors in group nightly
                ├─ fetch: exit status 22
                │    ran:    curl -fsS -o data.json
                │            https://example.org/data.json
                │    stderr: curl: (22) The requested URL
                │            returned error: 404
                │    where:  worker w1 on node-1, attempt 4
                │            of 4, after 0.41 s
                """
        )
        #expect(text.split(separator: "\n").allSatisfy { TerminalText.width(String($0)) <= 44 })
    }

    @Test func coloursOnlyWhenAsked() {
        let plain = ErrorTreeText.render(document(errors: [fetch]))
        let coloured = ErrorTreeText.render(document(errors: [fetch]), options: .init(color: true))
        #expect(!plain.contains("\u{1b}"))
        #expect(coloured.hasPrefix("\u{1b}[1;31merror:\u{1b}[0m 1 error in group nightly\n"))
        #expect(coloured.contains("\u{1b}[2m└─ \u{1b}[0m\u{1b}[1mfetch\u{1b}[0m\u{1b}[31m: exit status 22\u{1b}[0m\n"))
        #expect(coloured.replacing(#/\u{1b}\[[0-9;]*m/#, with: "") == plain)
    }

    @Test func showsTheLastLinesOfStderrHarmlessly() {
        let stderr = "one\ntwo\n\u{1b}[31mred\u{1b}[0m \u{1b}[2J\u{7}\nbar\r100 %\r\n\tü\u{202e}x\n"
        let leaf = ErrorNode.Leaf(task: "t\u{1b}c", type: .startFailed, message: "", stderr: stderr)
        #expect(
            ErrorTreeText.render(document(errors: [.leaf(leaf)]), options: .init(stderrLines: 4)) == """
                error: 1 error in group nightly
                └─ t␛c: could not be started
                     stderr: … 2 lines before
                             red ␛[2J␇
                             bar
                             100 %
                                     ü<U+202E>x

                """
        )
        let none = ErrorTreeText.render(document(errors: [.leaf(leaf)]), options: .init(stderrLines: 0))
        #expect(!none.contains("stderr"))
    }

    @Test func capsHowManyErrorsHaveABlock() {
        let errors = (0..<1_000).map { number in
            ErrorNode.leaf(ErrorNode.Leaf(task: "t\(number)", type: .taskTimeout, message: ""))
        }
        let text = ErrorTreeText.render(document(errors: errors), options: .init(maxErrors: 2))
        #expect(
            text == """
                error: 1000 errors in group nightly
                ├─ t0: timed out
                ├─ t1: timed out
                └─ 998 more errors not shown

                """
        )
        let all = ErrorTreeText.render(document(errors: errors), options: .init(maxErrors: 1_000))
        #expect(all.split(separator: "\n").count == 1_001)
    }

    @Test func drawsDeepTrees() {
        var error = fetch
        for level in 0..<200 { error = .group(ErrorNode.Group(group: "g\(level)", errors: [error])) }
        let lines = ErrorTreeText.render(document(errors: [error]), options: .init(width: 80)).split(separator: "\n")
        #expect(lines[1] == "└─ group g199: 1 error")
        #expect(lines[201].hasSuffix("└─ fetch: exit status"))
    }

    @Test func tellsWhoWasStoppedByADeadline() {
        var stopped = document(
            .timeout,
            tasks: (0..<12).map { TaskResult(name: "t\($0)", id: "", outcome: .cancelled) }
                + [TaskResult(name: "queued", id: "", outcome: .cancelled, started: false)],
            timedOut: true
        )
        stopped.deadlineOf = "outer"
        #expect(
            ErrorTreeText.render(stopped) == """
                error: group nightly timed out after 1.02 s, by the deadline of group outer
                still running then: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more
                13 cancelled (1 never started)

                """
        )
    }

    @Test func tellsACancel() {
        var stopped = document(.cancelled, cancelled: true)
        #expect(ErrorTreeText.render(stopped) == "error: group nightly was cancelled after 1.02 s\n")
        stopped.cancelReason = "new\nrelease"
        #expect(ErrorTreeText.render(stopped) == "error: group nightly was cancelled after 1.02 s: new␊release\n")
    }

    @Test func errorsDoNotHideADeadlineOrACancel() {
        let text = ErrorTreeText.render(document(errors: [fetch], timedOut: true, cancelled: true))
        #expect(
            text.hasSuffix("the deadline of group nightly fired as well\nthe group was cancelled as well\n")
        )
    }

    @Test func aGroupThatSucceededHasNothingToTell() {
        #expect(ErrorTreeText.render(document(.ok, timedOut: false, cancelled: true)).isEmpty)
    }
}

@Suite struct SummaryLineTests {
    @Test func countsWhatBecameOfTheTasks() {
        var summary = document()
        summary.counts = OutcomeCounts(ok: 150, error: 1, cancelled: 7)
        #expect(SummaryLine.render(summary) == "group nightly: errors: 1 error, 150 ok, 7 cancelled in 1.02 s")
        summary.counts = OutcomeCounts(error: 2, timeout: 3, lost: 4)
        summary.timedOut = true
        summary.cancelled = true
        #expect(
            SummaryLine.render(summary)
                == "group nightly: errors (timed out, cancelled): 2 errors, 3 timeouts, 4 lost in 1.02 s"
        )
        summary.outcome = .timeout
        summary.cancelled = false
        summary.counts = OutcomeCounts(timeout: 1)
        #expect(SummaryLine.render(summary) == "group nightly: timeout: 1 timeout in 1.02 s")
        #expect(SummaryLine.render(document(.ok)) == "group nightly: ok: no tasks in 1.02 s")
    }

    @Test(arguments: [
        (Duration.zero, "0 s"), (.microseconds(300), "0 s"), (.milliseconds(3), "3 ms"), (.milliseconds(99), "99 ms"),
        (.milliseconds(100), "0.1 s"), (.milliseconds(410), "0.41 s"), (.seconds(1), "1 s"),
        (.milliseconds(9_994), "9.99 s"), (.milliseconds(9_996), "10 s"), (.milliseconds(12_540), "12.5 s"),
        (.milliseconds(59_960), "1 min"), (.seconds(65), "1 min 5 s"), (.seconds(3_600), "1 h"),
        (.seconds(3_725), "1 h 2 min"), (.seconds(273_600), "3 d 4 h"), (.seconds(-5), "0 s"),
        (.seconds(Int64.max), "11574074074 d 1 h"),
    ])
    func durationsReadWell(duration: Duration, text: String) {
        #expect(DurationText.render(duration) == text)
    }
}

@Suite struct TerminalTextTests {
    @Test func measuresColumns() {
        #expect(TerminalText.width("plain") == 5)
        #expect(TerminalText.width("naïve") == 5)
        #expect(TerminalText.width("nai\u{308}ve") == 5)
        #expect(TerminalText.width("日本") == 4)
        #expect(TerminalText.width("😀👩‍👩‍👧") == 4)
        #expect(TerminalText.width("│├─") == 3)
    }

    @Test func cutsAtColumns() {
        #expect(TerminalText.truncated("hello", columns: 5) == "hello")
        #expect(TerminalText.truncated("hello!", columns: 5) == "hell…")
        #expect(TerminalText.truncated("日本語", columns: 4) == "日…")
        #expect(TerminalText.truncated("abc", columns: 0).isEmpty)
        #expect(TerminalText.wrapped("日本語", columns: 4) == ["日本", "語"])
        #expect(TerminalText.wrapped("日本", columns: 1) == ["日", "本"])
        #expect(TerminalText.wrapped("one two three", columns: 7) == ["one two", "three"])
        #expect(TerminalText.wrapped("one two three", columns: 9) == ["one two", "three"])
        #expect(TerminalText.wrapped("a bcdefghij", columns: 6) == ["a bcde", "fghij"])
        #expect(TerminalText.wrapped("", columns: 4) == [""])
    }

    @Test func makesEveryControlVisible() {
        #expect(TerminalText.harmless("a\u{0}\n\u{1b}]0;x\u{7}\u{7f}\u{9b}\u{200f}") == "a␀␊␛]0;x␇␡<U+009B><U+200F>")
        #expect(TerminalText.lines("\n\na\r\n\rb") == ["", "", "a", "", "b"])
        #expect(TerminalText.lines("\u{1b}[1;38:5:1mx\u{1b}[m\u{1b}[12\u{1b}") == ["x␛[12␛"])
        #expect(TerminalText.lines("ab\tc") == ["ab      c"])
    }
}
