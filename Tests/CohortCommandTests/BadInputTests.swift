internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("Bad input stops at the door")
    struct BadInputTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        /// Expects that nothing was run, and that the message has the words.
        private func expect(
            _ finished: Finished,
            code: Int32 = 2,
            says words: [String],
            location: SourceLocation = #_sourceLocation
        ) {
            #expect(finished.code == code, "\(finished)", sourceLocation: location)
            #expect(finished.output.isEmpty, sourceLocation: location)
            for word in words {
                let isTold = finished.standardError.lowercased().contains(word.lowercased())
                #expect(isTold, "\(word) in \(finished)", sourceLocation: location)
            }
            #expect(sandbox.read("ran") == nil, sourceLocation: location)
            sandbox.expectNoSockets(location: location)
        }

        // MARK: Files

        @Test(
            "A batch file that is wrong gets an error with its place, and nothing runs",
            arguments: [
                ("tasks:\n  - run: touch ran\n    timout: 5s\n", ["b.yaml:3:5", "unknown key 'timout'", "'timeout'"]),
                ("timeout: soon\ntasks: [{run: touch ran}]\n", ["b.yaml:1:10", "timeout", "soon"]),
                ("tasks: [{run: touch ran, timeout: 5 parsecs}]\n", ["b.yaml:1:", "5 parsecs"]),
                ("for_each: {}\nrun: touch ran\n", ["b.yaml:1:1", "'for_each' is empty"]),
                ("for_each: {x: []}\nrun: touch ran\n", ["b.yaml:1:", "'x' is empty", "nothing would run"]),
                ("for_each: {x: '*.nothing'}\nrun: touch ran\n", ["b.yaml:1:", "*.nothing"]),
                ("for_each: {x: [1]}\nrun: touch ran {y}\n", ["b.yaml:2:", "y"]),
                ("tasks: [{run: touch ran}, {name: idle}]\n", ["b.yaml:1:", "run"]),
                ("tasks: [{run: touch ran, call: demo.echo}]\n", ["b.yaml:1:", "call"]),
                ("tasks: [{run: touch ran, retries: -1}]\n", ["b.yaml:1:", "retries"]),
                ("tasks: [{run: touch ran}, {call: no.such}]\n", ["b.yaml:1:", "no.such", "demo.echo"]),
                ("on_error: panic\ntasks: [{run: touch ran}]\n", ["b.yaml:1:11", "panic", "continue"]),
                ("tasks: {run: touch ran}\n", ["b.yaml:1:", "tasks", "list"]),
                ("tasks: [{run: touch ran}\n", ["b.yaml:"]),
                ("{\"tasks\": [{\"run\": \"touch ran\"},]", ["b.yaml:"]),
                ("just text", ["b.yaml:1:1"]),
                ("", ["b.yaml", "empty"]),
                ("tasks: []\n", ["b.yaml:1:", "tasks"]),
            ] as [(String, [String])]
        )
        func batchFile(text: String, words: [String]) throws {
            try sandbox.write("b.yaml", text)
            expect(try sandbox.cohort("run", "b.yaml"), says: words)
        }

        @Test("A file that is missing, a directory, binary or not UTF-8")
        func unreadable() throws {
            expect(try sandbox.cohort("run", "missing.yaml"), says: ["missing.yaml", "no such file"])
            expect(try sandbox.cohort("run", "/usr"), says: ["/usr", "directory"])
            try sandbox.write("b.yaml", (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            expect(try sandbox.cohort("run", "b.yaml"), says: ["b.yaml"])
            expect(try sandbox.cohort("run", "/bin/sh"), says: ["/bin/sh"])
            expect(try sandbox.cohort("map", "touch ran", "::::", "missing"), says: ["missing", "no such file"])
        }

        @Test("submit says the same, before it looks for a coordinator")
        func submit() throws {
            try sandbox.write("b.yaml", "tasks: [{run: touch ran, nmae: x}]")
            expect(try sandbox.cohort("submit", "b.yaml"), says: ["b.yaml:1:", "'nmae'", "'name'"])
        }

        // MARK: Arguments

        @Test("map, which takes what follows its options for the command, shows its help and the version all the same")
        func help() throws {
            for option in ["--help", "-h"] {
                let shown = try sandbox.cohort("map", option)
                #expect(shown.code == 0 && shown.standardOutput.contains("USAGE: cohort map"), "\(shown)")
            }
            let version = try sandbox.cohort("map", "--version")
            let whole = try sandbox.cohort("--version")
            #expect(version.code == 0 && version.standardOutput == whole.standardOutput)
        }

        @Test(
            "Arguments that are wrong",
            arguments: [
                (["run"], ["<file>"]),
                (["run", "b.yaml", "--frobnicate"], ["--frobnicate"]),
                (["frobnicate"], ["frobnicate"]),
                (["map", "-j", "0", "touch ran", ":::", "1"], ["'0' is invalid for '-j"]),
                (["map", "-j", "many", "touch ran", ":::", "1"], ["many"]),
                (["map", "--timeout", "soon", "touch ran", ":::", "1"], ["soon"]),
                (["map", "--retries", "-1", "touch ran", ":::", "1"], ["retries"]),
                (["map", "-k", "--line-buffer", "touch ran", ":::", "1"], ["-k", "--line-buffer"]),
                (["map", "touch ran {3}", ":::", "1"], ["'{3}'", "1 input source"]),
                (["map", "touch ran", ":::+", "1"], [":::+"]),
                (["map", "touch ran", "::::"], ["::::"]),
                (["map", "--call", "no.such", ":::", "1"], ["no.such", "demo.echo"]),
                (["map", "--call", "demo.echo", "[1]", ":::", "1"], ["'[1]' has no replacement string", "{1}"]),
                (["rnu", "b.yaml"], ["no command 'rnu'", "did you mean 'run'?"]),
                (["frobnicate"], ["no command 'frobnicate'", "cohort --help"]),
                (["map", "--call", "demo.echo", "{broken", ":::", "1"], ["{broken", "JSON"]),
                (["map", "-j", "2", "--connect", "tcp://127.0.0.1:1", "touch ran", ":::", "1"], ["-j"]),
                (["map", "--results", "/proc/nowhere", "touch ran", ":::", "1"], ["/proc/nowhere"]),
                (["map", "--joblog", "/no/such/dir/log", "touch ran", ":::", "1"], ["/no/such/dir/log"]),
                (["worker", "--slots", "0"], ["'0' is invalid for '--slots"]),
                (["worker", "--connect", "nonsense"], ["'nonsense'", "tcp://ADDRESS:PORT"]),
                (["status", "--connect", "bogus"], ["'bogus'", "tcp://ADDRESS:PORT"]),
                (["run", "b.yaml", "--connect", "tcp://127.0.0.1:99999"], ["99999", "65535"]),
                (["map", "--connect", "127.0.0.1:7077", "touch ran", ":::", "1"], ["127.0.0.1:7077", "tcp://"]),
                (["bench", "--connect", "tcp://here"], ["tcp://here", "no port"]),
                (["extend", "1", "later"], ["later"]),
                (["coordinator", "--bind", "carrier-pigeon"], ["carrier-pigeon", "tcp://"]),
                (["coordinator", "--bind", "tcp://256.0.0.1:99999"], ["tcp://256.0.0.1:99999"]),
                (["coordinator", "--bind", "ipc:///no/such/dir/socket"], ["ipc:///no/such/dir/socket"]),
            ] as [([String], [String])]
        )
        func arguments(arguments: [String], words: [String]) throws {
            try sandbox.write("b.yaml", "tasks: [{run: touch ran}]")
            let finished = try sandbox.start(["cohort"] + arguments, input: []).wait()
            expect(finished, says: ["cohort: "] + words)
        }

        @Test("A file where the socket should be is left alone")
        func fileInPlaceOfSocket() throws {
            try sandbox.write("precious", "keep me")
            let endpoint = "ipc://\(sandbox.path("precious"))"
            expect(try sandbox.cohort("coordinator", "--bind", endpoint), says: [endpoint, "no socket"])
            #expect(sandbox.read("precious") == "keep me")
        }

        @Test("A task too large to travel is refused, and named")
        func hugeArgument() throws {
            try sandbox.write("values", String(repeating: "x", count: 9 << 20) + "\n")
            let map = try sandbox.cohort("map", "--call", "demo.echo", #"["{}", "{}"]"#, "::::", "values")
            expect(map, says: ["task 1:", "pass a file"])
        }

        @Test("An address that is taken is told, and the coordinator that has it goes on")
        func addressInUse() throws {
            let cluster = try Cluster(sandbox)
            expect(try sandbox.cohort("coordinator", "--bind", cluster.endpoint), says: [cluster.endpoint])
            let socket = "ipc://\(sandbox.path("socket"))"
            let other = try Cluster(sandbox, bind: socket)
            expect(try sandbox.cohort("coordinator", "--bind", socket), says: [socket])
            for cluster in [cluster, other] { #expect(try cluster.cohort("status").code == 0) }
        }

        // MARK: Programs

        @Test(
            "A program that does not exist, a file that is none and a directory that does not exist fail their task clearly"
        )
        func missingProgram() throws {
            let (document, finished) = try sandbox.run(
                """
                on_error: continue
                tasks:
                  - {name: missing, run: [no-such-program-here]}
                  - {name: text, run: [/etc/passwd]}
                  - {name: nowhere, run: ["true"], cwd: /no/such/place}
                  - {name: fine, run: [echo, fine]}
                """
            )
            #expect(finished.code == 1)
            #expect(document.tasks.map(\.outcome) == [.error, .error, .error, .ok])
            let leaves = try #require(document.error?.leaves)
            #expect(leaves.map(\.type) == [.startFailed, .startFailed, .startFailed])
            let words = ["no-such-program-here", "/etc/passwd", "/no/such/place"]
            #expect(zip(leaves, words).allSatisfy { $0.message.contains($1) }, "\(leaves)")
        }

        // MARK: Coordinators that are not there

        @Test("Each command tells that nothing listens, or that a web server does, with status 3")
        func unreachable() throws {
            try sandbox.write("b.yaml", "tasks: [{run: touch ran}]")
            let reserved = try ReservedPort()
            let nothing = reserved.endpoint
            let server = try TinyServer()
            let commands = [
                ["status"], ["workers"], ["wait", "1"], ["cancel", "1"], ["extend", "1", "1m"], ["submit", "b.yaml"],
                ["run", "b.yaml"],
            ]
            // All at once, since each waits a while before it gives up.
            var started: [(Program, words: [String])] = []
            for command in commands {
                let program = try sandbox.start(["cohort"] + command + ["--connect", nothing], input: [])
                started.append((program, words: [nothing, "nothing listens there"]))
            }
            let left = sandbox.path("left")
            let coordinator = try Cluster(sandbox, bind: "ipc://\(left)").coordinator
            coordinator.send(SIGKILL)
            _ = try coordinator.wait()
            let names = [
                ("ipc://\(sandbox.path("none"))", "there is no socket at \(sandbox.path("none"))"),
                ("ipc://\(left)", "the socket was left behind"),
                ("ipc://\(sandbox.path("b.yaml"))", "\(sandbox.path("b.yaml")) is not a socket"),
                ("tcp://no-such-host.invalid:7077", "'no-such-host.invalid'"),
            ]
            for (endpoint, words) in names {
                let program = try sandbox.startCohort("status", "--connect", endpoint)
                started.append((program, words: [endpoint, words]))
            }
            let program = try sandbox.startCohort("run", "b.yaml", "--connect", server.endpoint)
            started.append((program, words: [server.endpoint, "does not speak Cohort's protocol"]))
            for (program, words) in started { expect(try program.wait(), code: 3, says: words) }
            withExtendedLifetime(reserved) {}
        }

        @Test("While a coordinator does not answer, that is said after a moment; one that comes then is used")
        func notYet() throws {
            // A busy machine may take longer to start a coordinator than one is waited for: there are three tries.
            var finished: Finished?
            for name in ["late", "later", "latest"] where finished?.code != 0 {
                let endpoint = "ipc://\(sandbox.path(name))"
                let status = try sandbox.start(["cohort", "status", "--connect", endpoint], input: [])
                try status.waitForError(
                    "cohort: no coordinator answers at \(endpoint) yet (there is no socket at \(sandbox.path(name))); "
                        + "waiting up to 5 s for one\n"
                )
                let cluster = try Cluster(sandbox, bind: endpoint)
                finished = try status.wait()
                withExtendedLifetime(cluster) {}
            }
            let last = try #require(finished)
            #expect(last.code == 0 && last.standardOutput.hasPrefix("no groups"), "\(last)")
        }

        @Test("Where no coordinator can ever listen, nobody waits for one")
        func obstacles() throws {
            try sandbox.write("b.yaml", "tasks: [{run: touch ran}]")
            let file = sandbox.path("b.yaml")
            for (path, words) in [
                (file, "\(file) is not a socket"), ("\(file)/s", "the socket cannot be used"),
                ("/no/such/place/s", "there is no directory /no/such/place"),
            ] {
                for command in [["status"], ["run", "b.yaml"]] {
                    let program = try sandbox.start(["cohort"] + command + ["--connect", "ipc://\(path)"], input: [])
                    let finished = try program.wait()
                    expect(finished, code: 3, says: ["ipc://\(path)", words])
                    #expect(!finished.standardError.contains("yet"))
                }
            }
        }

        @Test("An endpoint that is none is told")
        func badEndpoint() throws {
            let finished = try sandbox.cohort("status", "--connect", "localhost:7077")
            #expect(finished.code == 2 || finished.code == 3)
            #expect(finished.standardError.contains("localhost:7077"), "\(finished)")
        }
    }
}
