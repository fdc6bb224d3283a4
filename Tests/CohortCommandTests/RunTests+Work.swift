internal import Cohort
internal import FoundationEssentials
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("cohort run: commands, calls, output")
    struct RunWorkTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        @Test("Commands get the environment, working directory and standard input of the file")
        func settings() throws {
            try sandbox.shell("mkdir -p deep/er").expectSuccess()
            let (document, finished) = try sandbox.run(
                """
                group: named
                env: {COLOUR: red, SHAPE: round}
                cwd: deep
                tasks:
                  - {name: outer, run: 'echo $COLOUR $SHAPE; basename "$PWD"'}
                  - {name: inner, env: {COLOUR: blue}, cwd: deep/er, run: 'echo $COLOUR $SHAPE; basename "$PWD"'}
                  - {name: input, stdin: "three\\nlines\\nhere\\n", run: [wc, -l]}
                  - {name: none, run: cat}
                  - {name: told, run: 'echo $COHORT_GROUP $COHORT_TASK $COHORT_ATTEMPT'}
                """
            )
            #expect(finished.code == 0, "\(finished)")
            let output = Dictionary(uniqueKeysWithValues: document.tasks.map { ($0.name, $0.stdout) })
            #expect(output["outer"] == "red round\ndeep\n")
            #expect(output["inner"] == "blue round\ner\n")
            #expect(output["input"] == "3\n")
            #expect(output["none"] == "")
            #expect(output["told"] == "named told 1\n")
        }

        @Test("Calls return values, print, learn of their task, and fail with type and message")
        func calls() throws {
            let (document, finished) = try sandbox.run(
                """
                group: calls
                on_error: continue
                tasks:
                  - {name: echo, call: demo.echo, args: {deep: [1, 2.5, null, "text"], flag: true}}
                  - {name: noop, call: demo.noop}
                  - {name: sleep, call: demo.sleep, args: {seconds: 0.01}}
                  - {name: print, call: demo.print, args: {lines: [a, b], errors: [c]}}
                  - {name: context, call: demo.context}
                  - {name: fail, call: demo.fail, args: out of luck}
                """
            )
            #expect(finished.code == 1)
            let tasks = Dictionary(uniqueKeysWithValues: document.tasks.map { ($0.name, $0) })
            let echoed: JSONValue = [
                "deep": .array([.int(1), .double(2.5), .null, .string("text")]), "flag": .bool(true),
            ]
            #expect(tasks["echo"]?.value == echoed)
            #expect(tasks["sleep"]?.value == .double(0.01))
            #expect(tasks["print"]?.value == .int(3))
            #expect(tasks["print"]?.stdout == "a\nb\n")
            #expect(tasks["print"]?.stderr == "c\n")
            let context = try #require(tasks["context"]?.value?.text(.line))
            #expect(context.contains(#""task":"context""#) || context.contains(#""task": "context""#))
            let leaf = try #require(document.error?.leaves.first)
            #expect(document.error?.count == 1)
            #expect(leaf.task == "fail")
            #expect(leaf.type == "DemoFailure")
            #expect(leaf.message.contains("out of luck"))
        }

        @Test("A call that ends its process has failed, one whose process is killed is lost, and no sibling is blamed")
        func dyingCalls() throws {
            let (document, finished) = try sandbox.run(
                """
                on_error: continue
                tasks:
                  - {name: exits, call: demo.exit, args: 7}
                  - {name: killed, call: demo.kill}
                  - {name: fine, call: demo.echo, args: 1}
                  - {name: later, call: demo.sleep, args: 0.3}
                """,
                "-j",
                "2"
            )
            #expect(finished.code == 1)
            #expect(document.tasks.map(\.outcome) == [.error, .lost, .ok, .ok])
            #expect(document.tasks[0].exitCode == 7)
            #expect(document.tasks[1].signal == "SIGKILL")
        }

        @Test("A command that dies of a signal is an error with the signal")
        func signalled() throws {
            let (document, finished) = try sandbox.run("tasks: [{name: crash, run: 'kill -SEGV $$'}]")
            #expect(finished.code == 1)
            #expect(document.tasks.first?.outcome == .error)
            #expect(document.tasks.first?.signal == "SIGSEGV")
            #expect(document.error?.leaves.first?.type == .commandKilled)
        }

        @Test("What a task leaves running is gone when its group has closed")
        func background() throws {
            let (document, finished) = try sandbox.run("tasks: [{run: 'sleep 313.5 & setsid sleep 312.5 & echo left'}]")
            #expect(finished.code == 0)
            #expect(document.tasks.first?.stdout == "left\n")
            sandbox.expectNothingSurvives(within: .zero)
        }

        @Test("--output jsonl prints a line for each task as it ends, and the document last")
        func jsonLines() throws {
            let file = try sandbox.write("b.yaml", "tasks: [{name: a, run: echo 1}, {name: b, run: [echo, two]}]")
            let finished = try sandbox.cohort("run", file, "--output", "jsonl")
            #expect(finished.code == 0)
            #expect(finished.lines.count == 3)
            let tasks = try finished.lines.dropLast().map {
                try JSONDecoder().decode(TaskResult.self, from: Data($0.utf8))
            }
            #expect(Set(tasks.map(\.name)) == ["a", "b"])
            #expect(tasks.allSatisfy { $0.outcome == .ok && $0.exitCode == 0 })
            let document = try OutcomeDocument(jsonText: try #require(finished.lines.last))
            #expect(document.outcome == .ok)
            #expect(document.tally.ok == 2)
        }

        @Test("--output text prints what the tasks write, and on success nothing else")
        func text() throws {
            let file = try sandbox.write("b.yaml", "tasks: [{run: echo 1}, {call: demo.echo, args: hello}]")
            let finished = try sandbox.cohort("run", file, "-j", "1")
            #expect(finished.standardOutput == "1\nhello\n")
            #expect(finished.standardError.isEmpty)
        }

        @Test("A batch may be JSON, and may come through standard input")
        func jsonInput() throws {
            let batch = #"{"group": "piped", "tasks": [{"name": "t", "run": ["echo", "from json"]}]}"#
            let finished = try sandbox.cohort("run", "-", input: batch)
            #expect(finished.standardOutput == "from json\n")
            #expect(finished.code == 0)
        }

        @Test("--results keeps output by the names of groups and tasks")
        func results() throws {
            let file = try sandbox.write(
                "b.yaml",
                "tasks: [{name: top, run: echo 1}, {group: sub, tasks: [{name: below, run: echo 2}]}]"
            )
            #expect(try sandbox.cohort("run", file, "--results", "kept").code == 0)
            #expect(sandbox.read("kept/top/stdout") == "1\n")
            #expect(sandbox.read("kept/sub/below/stdout") == "2\n")
            #expect(sandbox.read("kept/outcome.json") != nil)
        }

        @Test("--dry-run shows the tree, and runs nothing")
        func dryRun() throws {
            let file = try sandbox.write(
                "b.yaml",
                """
                group: nightly
                timeout: 10m
                tasks:
                  - {name: touch, run: [touch, "a b"]}
                  - {group: inner, for_each: {x: [1, 2]}, run: 'touch {x}'}
                """
            )
            let finished = try sandbox.cohort("run", file, "--dry-run")
            #expect(finished.code == 0)
            for text in ["nightly", "timeout 10m", "touch 'a b'", "inner", "touch 1", "touch 2"] {
                #expect(finished.standardOutput.contains(text))
            }
            #expect(sandbox.read("1") == nil && sandbox.read("a b") == nil)
        }

        @Test("for_each makes a task of every combination, of files too")
        func forEach() throws {
            for name in ["a.in", "b.in"] { try sandbox.write(name, name) }
            let (document, finished) = try sandbox.run(
                "group: all\nfor_each: {file: '*.in', size: [64, 128]}\nrun: echo {file} {size}"
            )
            #expect(finished.code == 0)
            #expect(document.tasks.map(\.stdout) == ["a.in 64\n", "a.in 128\n", "b.in 64\n", "b.in 128\n"])
        }
    }
}
