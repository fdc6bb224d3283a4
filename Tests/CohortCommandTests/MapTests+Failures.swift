internal import Cohort
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("cohort map: failures, limits, memory")
    struct MapFailureTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        @Test("The first failure cancels the rest, the report tells it, and the status is 1")
        func firstFailure() throws {
            let command = "case {} in bad) echo no luck >&2; exit 3;; *) sleep 316.5;; esac"
            let finished = try sandbox.cohort("map", "-j", "4", command, ":::", "a", "b", "bad", "c", "d", "e")
            #expect(finished.code == 1)
            for text in ["1 error in group map", "exit status 3", "no luck", "5 cancelled"] {
                #expect(finished.standardError.contains(text), "\(finished)")
            }
            sandbox.expectNothingSurvives()
        }

        @Test("--keep-going runs everything and reports every failure")
        func keepGoing() throws {
            let values = (1...40).map(String.init)
            let words = ["cohort", "map", "-k", "--keep-going", "test $(( {} % 4 )) -ne 0 && echo {}", ":::"] + values
            let finished = try sandbox.start(words, input: []).wait()
            #expect(finished.code == 1)
            #expect(finished.lines == values.filter { Int($0).map { $0 % 4 != 0 } ?? false })
            #expect(finished.standardError.contains("10 errors in group map"))
            #expect(finished.standardError.contains("10 errors, 30 ok"))
        }

        @Test("--retries gives a failed task further attempts")
        func retries() throws {
            let command = "echo x >> {}; test $(wc -l < {}) -eq 3 && echo done"
            let finished = try sandbox.cohort("map", "--retries", "2", "--output", "json", command, ":::", "count")
            #expect(finished.code == 0)
            let task = try #require(try OutcomeDocument(jsonText: finished.standardOutput).tasks.first)
            #expect(task.attempts == 3)
            #expect(task.stdout == "done\n")
            #expect(sandbox.read("count") == "x\nx\nx\n")
            let told = "echo out; echo x >> told; test $(wc -l < told) -eq 2"
            #expect(try sandbox.cohort("map", "--retries", "1", told, ":::", "A").standardOutput == "out\n")
            let short = try sandbox.cohort("map", "--retries", "1", command, ":::", "again")
            #expect(short.code == 1)
            #expect(short.standardError.contains("attempt 2 of 2"))
        }

        @Test("--tag with -k tags tasks that end before their turn, too")
        func tagsInOrder() throws {
            let map = try sandbox.cohort("map", "-j", "3", "-k", "--tag", "sleep 0.{}; echo x", ":::", "5", "1", "2")
            #expect(map.standardOutput == "5\tx\n1\tx\n2\tx\n")
        }

        @Test("An option that does not exist is not taken for a command")
        func unknownOption() throws {
            let map = try sandbox.cohort("map", "--kep-order", "echo", ":::", "a")
            #expect(map.code == 2)
            #expect(map.standardError.contains("'--kep-order'"))
        }

        @Test("-j sets how many tasks run at once")
        func jobs() throws {
            let started = try sandbox.gate("started")
            let go = try sandbox.gate("go")
            let command = "echo + >> log; echo up > started; read x < go; echo - >> log"
            let values = (1...9).map(String.init)
            let map = try sandbox.start(["cohort", "map", "-j", "3", command, ":::"] + values, input: [])
            #expect(try started.await(lines: 3) == ["up", "up", "up"])
            go.open(times: 9)
            #expect(try map.wait().code == 0)
            #expect(try #require(sandbox.read("log")).mostAtOnce == 3)
        }

        @Test("--timeout ends the whole with status 124")
        func timeout() throws {
            #expect(try ["300ms", "5s", "30s"].contains { try timeout($0) }, "two tasks have not begun")
        }

        /// - Returns: false if two tasks had not begun by then, and nothing was shown.
        private func timeout(_ span: String) throws -> Bool {
            let values = ["316.5", "316.5", "316.5"]
            let words = ["cohort", "map", "-j", "2", "--timeout", span, "sleep", ":::"] + values
            let finished = try sandbox.start(words, input: []).wait()
            if ["(2 never", "(3 never"].contains(where: finished.standardError.contains) { return false }
            #expect(finished.code == 124)
            #expect(finished.standardError.contains("timeout"))
            #expect(finished.standardError.contains("3 cancelled (1 never started)"), "\(finished)")
            sandbox.expectNothingSurvives()
            return true
        }

        @Test("--task-timeout ends one task, which is an error of that task")
        func taskTimeout() throws {
            #expect(try ["400ms", "5s", "30s"].contains { try taskTimeout($0) }, "a task of no time has not ended")
        }

        /// - Returns: false if a task of no time had taken so long, and nothing was shown.
        private func taskTimeout(_ span: String) throws -> Bool {
            let options = ["-j", "2", "--keep-going", "--task-timeout", span, "--output", "json"]
            let words = ["cohort", "map"] + options + ["sleep", ":::", "316.5", "0"]
            let finished = try sandbox.start(words, input: []).wait()
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            if document.tasks.map(\.outcome) == [.timeout, .timeout] { return false }
            #expect(finished.code == 1)
            #expect(document.tasks.map(\.outcome) == [.timeout, .ok])
            #expect(document.error?.leaves.map(\.type) == [.taskTimeout])
            #expect(document.outcome == .errors)
            sandbox.expectNothingSurvives()
            return true
        }

        @Test("A call that fails is told with its message")
        func failingCall() throws {
            let finished = try sandbox.cohort("map", "--call", "demo.fail", ":::", "the disk is on fire")
            #expect(finished.code == 1)
            #expect(finished.standardError.contains("the disk is on fire"))
            #expect(finished.standardError.contains("DemoFailure"))
        }

        // MARK: Memory

        @Test("A task that writes 100 MB costs no memory in any process")
        func bigOutput() throws {
            let started = try sandbox.gate("started")
            let go = try sandbox.gate("go")
            let command = "if [ {} = big ]; then head -c 100000000 /dev/zero; else echo up > started; read x < go; fi"
            let line = "cohort map -j 1 \"$COMMAND\" ::: big last | wc -c > size"
            let map = try sandbox.start(["/bin/sh", "-c", line], input: [], environment: [("COMMAND", command)])
            try started.await(limit: .seconds(180))
            try sandbox.expectModestMemory()
            go.open()
            #expect(try map.wait().code == 0)
            #expect(sandbox.read("size") == "100000000\n")
        }

        @Test("Output that waits for its turn under -k costs disk, not memory")
        func bigOutputInOrder() throws {
            let started = try sandbox.gate("started")
            let go = try sandbox.gate("go")
            let command = """
                case {} in
                first) read x < go;;
                big) head -c 60000000 /dev/zero;;
                last) echo up > started;;
                esac
                """
            let line = "cohort map -k -j 2 \"$COMMAND\" ::: first big last | wc -c > size"
            let map = try sandbox.start(["/bin/sh", "-c", line], input: [], environment: [("COMMAND", command)])
            // One of two slots is taken by the first task: the last one starts when the big one has ended.
            try started.await(limit: .seconds(180))
            try sandbox.expectModestMemory()
            go.open()
            #expect(try map.wait().code == 0)
            #expect(sandbox.read("size") == "60000000\n")
        }
    }
}

extension Sandbox {
    /// Records an issue for each `cohort` process that has ever held much more than it does idle.
    func expectModestMemory(limit: Int = 64 << 20, location: SourceLocation = #_sourceLocation) throws {
        let programs = processes.running().filter {
            $0.command.hasPrefix(Sandbox.programs) || $0.command.hasPrefix("cohort ")
        }
        // The client, the coordinator, the worker and its guardian.
        #expect(programs.count >= 4, sourceLocation: location)
        for program in programs {
            let peak = try #require(ProcessScan.peakMemory(of: program.pid), sourceLocation: location)
            #expect(peak < limit, "\(peak >> 20) MiB: \(program)", sourceLocation: location)
        }
    }
}

extension String {
    /// The greatest number of tasks that ran at once, by a log in which each writes a line `+` when it starts and `-` before it ends.
    var mostAtOnce: Int {
        var running = 0
        var most = 0
        for line in split(separator: "\n") {
            running += line == "+" ? 1 : -1
            most = max(most, running)
        }
        return most
    }
}
