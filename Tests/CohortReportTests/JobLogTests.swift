internal import Cohort
internal import CohortReport
internal import Testing

@Suite struct JobLogTests {
    /// What GNU parallel 20221122 wrote for these commands.
    static let lines: [(entry: JobLog.Entry, line: String)] = [
        (
            entry(1, 1_795_227_169_956, 0, exitValue: 3, "exit 3"),
            "1\t:\t1795227169.956\t     0.000\t0\t0\t3\t0\texit 3\n"
        ),
        (
            entry(2, 1_795_227_169_958, 3, signal: 9, "kill -9 $$"),
            "2\t:\t1795227169.958\t     0.003\t0\t0\t0\t9\tkill -9 $$\n"
        ),
        (
            entry(3, 1_795_227_169_965, 2, received: 13, "echo hi; echo ab\tcd; printf \"x\\ny\\n\""),
            "3\t:\t1795227169.965\t     0.002\t0\t13\t0\t0\techo hi; echo ab\tcd; printf \"x\\ny\\n\"\n"
        ),
        (
            entry(2, 1_795_227_170_090, 2, received: 8, "echo a/b \"a\nb\""),
            "2\t:\t1795227170.090\t     0.002\t0\t8\t0\t0\techo a/b \"a\0b\"\n"
        ),
        (
            entry(1, 1_795_227_194_856, 1_202, exitValue: -1, signal: 15, "sleep 2"),
            "1\t:\t1795227194.856\t     1.202\t0\t0\t-1\t15\tsleep 2\n"
        ),
    ]

    static func entry(
        _ sequence: Int,
        _ start: Int64,
        _ runTime: Int,
        received: Int = 0,
        exitValue: Int = 0,
        signal: Int32 = 0,
        _ command: String
    ) -> JobLog.Entry {
        JobLog.Entry(
            sequence: sequence,
            start: Timestamp(milliseconds: start),
            runTime: .milliseconds(runTime),
            received: received,
            exitValue: exitValue,
            signal: signal,
            command: command
        )
    }

    @Test func writesWhatGNUParallelWrites() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        let log = try JobLog(path: path)
        #expect(contents(of: path) == "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n")
        var expected = JobLog.header
        for (entry, line) in Self.lines {
            try log.append(entry)
            expected += line
            #expect(contents(of: path) == expected)
        }
    }

    @Test func appendsOrBeginsAnew() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        for appending in [true, true, false] {
            let log = try JobLog(path: path, appending: appending)
            try log.append(Self.lines[0].entry)
            if appending { continue }
            #expect(contents(of: path) == JobLog.header + Self.lines[0].line)
        }
        let log = try JobLog(path: path, appending: true)
        try log.append(Self.lines[1].entry)
        #expect(contents(of: path) == JobLog.header + Self.lines[0].line + Self.lines[1].line)
    }

    @Test func errorsNameTheFile() {
        let full = #expect(throws: ReportError.self) { try JobLog(path: "/dev/full") }
        #expect(full?.description == "cannot write to /dev/full: No space left on device")
        let missing = #expect(throws: ReportError.self) { try JobLog(path: "/no/such\u{1b}/log") }
        #expect(missing?.description == "cannot open /no/such␛/log: No such file or directory")
    }

    @Test(
        arguments: [
            (TaskOutcome.ok, 0, nil, 0, 0), (.error, 22, nil, 22, 0), (.error, nil, "SIGSEGV", 0, 11),
            (.error, nil, nil, 1, 0), (.timeout, 0, nil, -1, 0), (.timeout, nil, "SIGTERM", -1, 15),
            (.cancelled, nil, "SIGKILL", -1, 9), (.lost, nil, nil, -1, 0),
        ] as [(TaskOutcome, Int?, String?, Int, Int32)]
    )
    func onlySuccessReadsAsSuccess(
        outcome: TaskOutcome,
        exitCode: Int?,
        signalName: String?,
        exitValue: Int,
        signal: Int32
    ) throws {
        var result = TaskResult(name: "n", id: "1", outcome: outcome, exitCode: exitCode, signal: signalName)
        result.host = "h\tx"
        let start = Timestamp(milliseconds: 5)
        let entry = try #require(JobLog.Entry(sequence: 1, start: start, received: 2, result: result))
        #expect(entry.exitValue == exitValue)
        #expect(entry.signal == signal)
        #expect(JobLog.line(entry).hasPrefix("1\th x\t0.005\t     0.000\t0\t2\t"))
    }

    @Test func aTaskThatNeverStartedHasNoLine() {
        let result = TaskResult(name: "n", id: "1", outcome: .cancelled, started: false)
        #expect(JobLog.Entry(sequence: 1, start: Timestamp(milliseconds: 0), received: 0, result: result) == nil)
    }
}
