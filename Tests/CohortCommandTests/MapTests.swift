internal import Cohort
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("cohort map")
    struct MapTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        // MARK: Real work

        @Test("sha256sum over a directory prints, sorted, exactly what sha256sum prints")
        func checksums() throws {
            let ours = try sandbox.shell("cohort map sha256sum ::: /usr/share/common-licenses/* | sort")
            let theirs = try sandbox.shell("sha256sum /usr/share/common-licenses/* | sort")
            #expect(ours.standardOutput == theirs.standardOutput)
            #expect(ours.standardError.isEmpty)
            #expect(theirs.lines.count > 5)
            sandbox.expectNothingSurvives()
            sandbox.expectNoSockets()
        }

        @Test("A pipeline of shell over many files with -k prints what xargs prints, in order")
        func pipeline() throws {
            try sandbox.shell("find /usr/share/doc -name copyright | sort | head -120 > files").expectSuccess()
            let ours = try sandbox.shell("cohort map -k 'gzip -9c {} | wc -c' < files")
            let theirs = try sandbox.shell("xargs -I{} sh -c 'gzip -9c {} | wc -c' < files")
            #expect(ours.output == theirs.output)
            #expect(ours.code == 0)
            #expect(theirs.lines.count > 20)
        }

        @Test("Thousands of calls return their values in order, over one private pool")
        func calls() throws {
            let mapped = try sandbox.shell("seq 5000 | cohort map -k --call demo.echo {}", limit: .seconds(180))
            #expect(mapped.lines == (1...5000).map(String.init))
            #expect(mapped.code == 0)
            sandbox.expectNothingSurvives()
        }

        @Test("Tasks start while standard input is still open")
        func streaming() throws {
            let map = try sandbox.start(["cohort", "map", "echo", "got"])
            map.write("one\n")
            try map.waitForOutput("got one\n")
            map.write("two\nthree")
            try map.waitForOutput("got two\n")
            map.closeInput()
            let finished = try map.wait()
            #expect(finished.standardOutput == "got one\ngot two\ngot three\n")
            #expect(finished.code == 0)
        }

        @Test("With no input there is nothing to do, and that is no error")
        func noInput() throws {
            let finished = try sandbox.cohort("map", "echo")
            #expect(finished.code == 0)
            #expect(finished.output.isEmpty)
            #expect(finished.standardError.isEmpty)
        }

        @Test("A reader that goes away ends the map quietly, with everything in it")
        func head() throws {
            let line = "{ seq 100000 | cohort map 'echo {}; sleep 0.01'; echo $? > status; } | head -1"
            let finished = try sandbox.shell(line)
            #expect(finished.lines.count == 1)
            #expect(finished.standardError.isEmpty)
            #expect(sandbox.read("status") == "141\n")
            sandbox.expectNothingSurvives()
            sandbox.expectNoSockets()
        }

        // MARK: Output

        @Test("-k prints in the order of the arguments, whatever ends first; without it, in the order of ending")
        func order() throws {
            // The second task lets the first one end.
            let command = "case {} in first) read x < gate;; second) echo go > gate;; esac; echo {}"
            let gate = try sandbox.gate("gate")
            let kept = try sandbox.cohort("map", "-k", "-j", "2", command, ":::", "first", "second")
            #expect(kept.standardOutput == "first\nsecond\n")
            // The third one begins when the second has ended, and lets the first one end.
            let late = "case {} in first) read x < gate; echo {};; second) echo {};; third) echo go > gate;; esac"
            let free = try sandbox.cohort("map", "-j", "2", late, ":::", "first", "second", "third")
            #expect(free.standardOutput == "second\nfirst\n")
            withExtendedLifetime(gate) {}
        }

        @Test("The lines of one task stay together unless --line-buffer mixes them")
        func grouping() throws {
            let other = try sandbox.gate("other")
            let command = "echo {} 1; case {} in a) read x < other;; b) echo go > other;; esac; echo {} 2"
            let grouped = try sandbox.cohort("map", "-j", "2", command, ":::", "a", "b")
            #expect(["a 1\na 2\nb 1\nb 2\n", "b 1\nb 2\na 1\na 2\n"].contains(grouped.standardOutput))
            let map = try sandbox.startCohort(
                "map",
                "--line-buffer",
                "echo early; read x < other; echo late; : {}",
                ":::",
                "a"
            )
            try map.waitForOutput("early\n")
            #expect(map.standardOutput == "early\n")
            other.open()
            #expect(try map.wait().standardOutput == "early\nlate\n")
        }

        @Test("--tag begins each line with the task's arguments and a tab")
        func tags() throws {
            let finished = try sandbox.cohort(
                "map",
                "-k",
                "--tag",
                "printf '%s\\n' one two; : {1} {2}",
                ":::",
                "a b",
                "c",
                ":::",
                "x"
            )
            #expect(finished.standardOutput == "a b x\tone\na b x\ttwo\nc x\tone\nc x\ttwo\n")
        }

        @Test("Standard error of tasks goes to standard error")
        func standardError() throws {
            let finished = try sandbox.cohort("map", "-k", "echo out; echo {} >&2", ":::", "1", "2")
            #expect(finished.standardOutput == "out\nout\n")
            #expect(finished.standardError == "1\n2\n")
        }

        @Test("--output json is one document with every task, and nothing else")
        func document() throws {
            let finished = try sandbox.cohort("map", "-k", "--output", "json", "echo {}", ":::", "a", "b")
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            #expect(document.version == 1)
            #expect(document.outcome == .ok)
            #expect(document.tasks.map(\.stdout) == ["a\n", "b\n"])
            #expect(document.tasks.map(\.name) == ["1", "2"])
            #expect(document.tally == OutcomeCounts(ok: 2))
            #expect(finished.standardError.isEmpty)
        }

        @Test("--joblog writes GNU parallel's columns, a line for each task")
        func jobLog() throws {
            let finished = try sandbox.cohort(
                "map",
                "-j",
                "1",
                "--keep-going",
                "--joblog",
                "log",
                "printf abc; exit {}",
                ":::",
                "0",
                "7"
            )
            #expect(finished.code == 1)
            let lines = try #require(sandbox.read("log")).split(separator: "\n").map { $0.split(separator: "\t") }
            #expect(
                lines.first == [
                    "Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command",
                ]
            )
            #expect(lines.count == 3)
            #expect(lines.dropFirst().map { $0[0] } == ["1", "2"])
            #expect(lines.dropFirst().map { $0[5] } == ["3", "3"])
            #expect(lines.dropFirst().map { $0[6] } == ["0", "7"])
            #expect(lines.dropFirst().map { $0[8] } == ["printf abc; exit 0", "printf abc; exit 7"])
        }

        @Test("--results keeps the output and the status of each task, and the document")
        func results() throws {
            let finished = try sandbox.cohort(
                "map",
                "--keep-going",
                "--results",
                "kept/here",
                "echo out {}; echo err {} >&2; exit {}",
                ":::",
                "0",
                "4"
            )
            #expect(finished.code == 1)
            #expect(sandbox.read("kept/here/1/stdout") == "out 0\n")
            #expect(sandbox.read("kept/here/1/exitval") == "0")
            #expect(sandbox.read("kept/here/2/stdout") == "out 4\n")
            #expect(sandbox.read("kept/here/2/stderr") == "err 4\n")
            #expect(sandbox.read("kept/here/2/seq") == "2")
            #expect(sandbox.read("kept/here/2/exitval") == "4")
            let document = try OutcomeDocument(jsonText: try #require(sandbox.read("kept/here/outcome.json")))
            #expect(document.outcome == .errors)
        }

        @Test("--results takes no directory that has something in it, unless --force says so")
        func resultsOfTwoRuns() throws {
            #expect(try sandbox.cohort("map", "--results", "kept", "echo first {}", ":::", "a", "b").code == 0)
            try sandbox.write("log", "of an earlier run\n")
            let words = ["map", "--joblog", "log", "--results", "kept", "echo second {}; touch ran", ":::", "a"]
            let refused = try sandbox.start(["cohort"] + words, input: []).wait()
            #expect(refused.code == 2 && sandbox.read("ran") == nil)
            #expect(sandbox.read("log") == "of an earlier run\n")
            #expect(refused.standardError.contains("kept has something in it already, such as '1'"), "\(refused)")
            #expect(sandbox.read("kept/1/stdout") == "first a\n")
            #expect(try sandbox.cohort("map", "--results", "kept", "--force", "echo second {}", ":::", "a").code == 0)
            #expect(sandbox.read("kept/1/stdout") == "second a\n")
            #expect(sandbox.read("kept/2/stdout") == "first b\n")
            let alone = try sandbox.cohort("map", "--force", "true", ":::", "a")
            #expect(alone.code == 2 && alone.standardError.contains("--results"), "\(alone)")
        }

        @Test("--dry-run shows what would run, and runs nothing")
        func dryRun() throws {
            let finished = try sandbox.cohort("map", "--dry-run", "touch {}; echo {/.}", ":::", "a/b c.d", "e")
            #expect(finished.standardOutput == "touch 'a/b c.d'; echo 'b c'\ntouch e; echo e\n")
            #expect(sandbox.read("e") == nil)
        }
    }
}

extension Finished {
    func expectSuccess(location: SourceLocation = #_sourceLocation) {
        #expect(code == 0, "\(self)", sourceLocation: location)
    }
}
