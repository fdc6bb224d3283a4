internal import Cohort
internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("Who may come in")
    struct SecurityTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        /// Makes a key; returns its public half.
        @discardableResult
        private func key(_ name: String) throws -> String {
            let made = try sandbox.cohort("keygen", name)
            try #require(made.code == 0, "\(made)")
            let words = try #require(made.lines.first?.split(separator: " "))
            return String(words[2])
        }

        /// A coordinator that knows `alice` as client, `build` as worker and `farm` as both.
        private func coordinator(bind: String = "tcp://127.0.0.1:*") throws -> Cluster {
            try key("coordinator.key")
            let list = [("alice", "client"), ("build", "worker"), ("farm", "client,worker")]
            let lines = try list.map { name, role in "\(try key(name)) \(role) \(name)\n" }
            let allow = try sandbox.write("allow", "# who may come in\n" + lines.joined())
            return try Cluster(sandbox, bind: bind, options: ["--key", "coordinator.key", "--allow", allow])
        }

        /// Runs a command of `cohort` with somebody's key.
        private func cohort(_ cluster: Cluster, as name: String, _ arguments: String...) throws -> Finished {
            let keys = ["--server-key", "coordinator.key.pub", "--key", name]
            let words =
                ["cohort"] + arguments.prefix(1) + ["--connect", cluster.endpoint] + keys + arguments.dropFirst()
            return try sandbox.start(words, input: []).wait()
        }

        /// - Parameter endpoint: where it looks for the coordinator, if not where that listens.
        private func worker(
            _ cluster: Cluster,
            as name: String,
            program: String = "cohort",
            at endpoint: String? = nil
        ) throws -> Program {
            let place = ["--connect", endpoint ?? cluster.endpoint]
            let words = (program == "cohort" ? ["cohort", "worker"] : [program]) + place
            let worker = try sandbox.start(
                words + ["--server-key", "coordinator.key.pub", "--key", name, "--slots", "2"],
                input: []
            )
            try worker.waitForError("connected")
            return worker
        }

        private func expectRefusal(
            _ finished: Finished,
            _ words: String...,
            location: SourceLocation = #_sourceLocation
        ) {
            #expect(finished.code == 3, "\(finished)", sourceLocation: location)
            #expect(finished.output.isEmpty, sourceLocation: location)
            for word in ["cohort: the coordinator at", "refuses"] + words {
                #expect(finished.standardError.contains(word), "\(word) in \(finished)", sourceLocation: location)
            }
        }

        @Test("With keys a cluster works as without, over TCP and over ipc", arguments: ["tcp", "ipc"])
        func admitted(transport: String) throws {
            let cluster = try coordinator(
                bind: transport == "tcp" ? "tcp://127.0.0.1:*" : "ipc://\(sandbox.path("socket"))"
            )
            let worker = try worker(cluster, as: "build")
            let mapped = try cohort(cluster, as: "alice", "map", "-k", "echo {}", ":::", "1", "2")
            #expect(mapped.lines == ["1", "2"], "\(mapped)")
            let file = try sandbox.write("b.yaml", "tasks: [{run: echo submitted}]")
            let number = try #require(try cohort(cluster, as: "alice", "submit", file).lines.first)
            #expect(try cohort(cluster, as: "farm", "wait", number).lines == ["submitted"])
            let status = try cohort(cluster, as: "alice", "status")
            #expect(status.standardOutput.contains("1 worker with 2 slots"))
            #expect(!status.standardOutput.contains("refused"))
            withExtendedLifetime(worker) {}
        }

        @Test(
            "No key, an unknown key, another coordinator's key, a key of another role: refused, told, counted, logged"
        )
        func refused() throws {
            let cluster = try coordinator()
            expectRefusal(try cluster.cohort("status"), "lets nobody in without a key", "--server-key")
            // It has no key, or broke off before that was seen: which end is first is a matter of chance.
            try cluster.coordinator.waitForError("refused a peer")
            let unknown = try key("mallory")
            expectRefusal(try cohort(cluster, as: "mallory", "status"), "does not know the key '\(unknown)'", "--allow")
            expectRefusal(try cohort(cluster, as: "build", "status"), "the key build is not listed as client", "both")
            let refusedWorker = try cohort(cluster, as: "alice", "worker", "--slots", "1")
            expectRefusal(refusedWorker, "the key alice is not listed as worker")
            let wrongServer = try sandbox.cohort(
                "status",
                "--connect",
                cluster.endpoint,
                "--server-key",
                "alice.pub",
                "--key",
                "alice"
            )
            expectRefusal(wrongServer, "--server-key is not its key")
            for text in ["peer=\(unknown)", "peer=127.0.0.1", "its key is listed for another role", "not for this"] {
                try cluster.coordinator.waitForError(text)
            }
            let status = try cohort(cluster, as: "alice", "status", "--output", "json")
            let count = try CoordinatorStatus(json: status.output).refusedPeers
            // One each, however often each has tried. Who broke off before more was known of him counts besides.
            #expect((5...8).contains(count), "\(count)")
            let text = try cohort(cluster, as: "alice", "status").standardOutput
            #expect((count...8).contains { text.contains("refused: \($0) peers") }, "\(count), then \(text)")
        }

        @Test("Somebody who knocks again and again fills no log")
        func boundedLog() throws {
            let cluster = try coordinator()
            try key("mallory")
            let begin = ContinuousClock.now
            for _ in 0..<20 { _ = try cohort(cluster, as: "mallory", "status") }
            let count = try CoordinatorStatus(
                json: try cohort(cluster, as: "alice", "status", "--output", "json").output
            )
            // Once a minute: the knocking takes a few seconds, or some minutes on a machine with much to do.
            let most = 1 + Int(begin.duration(to: .now) / .seconds(60))
            #expect((1...most).contains(count.refusedPeers))
            cluster.coordinator.send(SIGTERM)
            let log = try cluster.coordinator.wait().standardError
            let lines = log.split(separator: "\n").filter { $0.contains("refused a peer") }
            #expect((1...most).contains(lines.count), "\(log)")
        }

        @Test(
            "A worker that was let in once does not leave because what stands before the coordinator hangs up for a while"
        )
        func hangUps() throws {
            let cluster = try coordinator()
            let relay = try Relay(to: cluster.port)
            let worker = try worker(cluster, as: "build", at: relay.endpoint)
            relay.hangUp()
            // Ten would be the end, if they were taken for a wrong key: five for the session, and as many for the next one.
            try worker.wait(until: "it has tried 20 times") { relay.turnedAway >= 20 }
            relay.goOn()
            let mapped = try cohort(cluster, as: "alice", "map", "echo {}", ":::", "back")
            #expect(mapped.lines == ["back"], "\(mapped)")
            #expect(!worker.soFar.contains("status:"), "\(worker.soFar)")
        }

        @Test("Functions that open groups show their worker's key; it must be good for both")
        func nestedGroups() throws {
            let cluster = try coordinator()
            do {
                let worker = try worker(cluster, as: "build", program: "WorkerFixture")
                let nested = try cohort(cluster, as: "alice", "map", "--call", "fixture.nest", "{1}", ":::", "2")
                #expect(nested.code == 1)
                #expect(nested.standardError.contains("must be listed as both"), "\(nested)")
                worker.send(SIGTERM)
                #expect(try worker.wait().code == 0)
            }
            let worker = try worker(cluster, as: "farm", program: "WorkerFixture")
            let nested = try cohort(cluster, as: "alice", "map", "--call", "fixture.nest", "{1}", ":::", "2")
            #expect(nested.lines == ["2"], "\(nested)")
            withExtendedLifetime(worker) {}
        }

        @Test("The death of a worker is told with its key")
        func obituary() throws {
            let cluster = try coordinator()
            let worker = try worker(cluster, as: "build")
            let started = try sandbox.gate("started")
            let file = try sandbox.write("b.yaml", "tasks: [{run: 'echo up > \(started.path); sleep 315.5'}]")
            let number = try #require(try cohort(cluster, as: "alice", "submit", file).lines.first)
            try started.await()
            let status = try CoordinatorStatus(
                json: try cohort(cluster, as: "alice", "status", "--output", "json").output
            )
            kill(try #require(status.workers.first).pid, SIGKILL)
            // At the end of the lease it would be told without the signal.
            let waited = try cohort(cluster, as: "alice", "wait", number, "--output", "json")
            let document = try OutcomeDocument(jsonText: waited.standardOutput)
            #expect(document.tasks.first?.outcome == .lost)
            #expect(waited.standardOutput.contains("SIGKILL"), "\(waited)")
            withExtendedLifetime(worker) {}
        }

        @Test("The environment names keys as well; a pool of one's own needs none and takes none")
        func environment() throws {
            let cluster = try coordinator()
            let variables = [("COHORT_SERVER_KEY", "coordinator.key.pub"), ("COHORT_KEY_FILE", sandbox.path("alice"))]
            let status = try sandbox.cohort("status", "--connect", cluster.endpoint, environment: variables)
            #expect(status.code == 0, "\(status)")
            let own = try sandbox.cohort("map", "echo {}", ":::", "here", environment: variables)
            #expect(own.lines == ["here"], "\(own)")
            let odd = try sandbox.cohort("map", "--key", "alice", "echo {}", ":::", "here")
            #expect(odd.code == 2)
            #expect(odd.standardError.contains("--connect"))
        }

        @Test("Secrets stand in no command line, in no environment and in no log")
        func secrets() throws {
            let cluster = try coordinator()
            let worker = try worker(cluster, as: "farm", program: "WorkerFixture")
            _ = try cohort(cluster, as: "alice", "map", "--call", "fixture.nest", "{1}", ":::", "1")
            let secrets = try ["coordinator.key", "alice", "farm"].map { name in
                let line = try #require(sandbox.read(name)?.split(separator: "\n").last)
                return String(try #require(line.split(separator: " ").last))
            }
            var looked = 0
            for process in sandbox.processes.running() {
                looked += 1
                for file in ["cmdline", "environ"] {
                    let text = ProcessScan.contents("/proc/\(process.pid)/\(file)")
                        .map { String(decoding: $0, as: UTF8.self) }
                    for secret in secrets { #expect(text?.contains(secret) != true, "\(process)") }
                }
            }
            // The coordinator, the worker, its guardian, and the host that has opened a group.
            #expect(looked >= 4)
            for text in [cluster.coordinator.standardError, worker.standardError] {
                for secret in secrets { #expect(!text.contains(secret)) }
            }
        }

        // MARK: At the door

        @Test("Without keys nothing is bound that other machines can reach, unless it is insisted on")
        func openBinding() throws {
            for endpoint in ["tcp://0.0.0.0:*", "tcp://*:0"] {
                let refused = try sandbox.cohort("coordinator", "--bind", endpoint)
                #expect(refused.code == 2)
                for word in ["cohort: ", endpoint, "--key", "--allow", "127.0.0.1", "--insecure"] {
                    #expect(refused.standardError.contains(word), "\(refused)")
                }
            }
            let open = try Cluster(sandbox, bind: "tcp://0.0.0.0:*", options: ["--insecure"])
            let local = "tcp://127.0.0.1:\(open.port)"
            #expect(try sandbox.cohort("status", "--connect", local).code == 0)
            let secured = try coordinator(bind: "tcp://0.0.0.0:*")
            #expect(secured.port > 0)
        }

        @Test("A socket is not bound in a directory that others may write to, and is for its owner alone")
        func directories() throws {
            try #require(mkdir(sandbox.path("open"), 0o700) == 0)
            let endpoint = "ipc://\(sandbox.path("open"))/socket"
            for mode in [0o777, 0o770] as [mode_t] {
                chmod(sandbox.path("open"), mode)
                let refused = try sandbox.cohort("coordinator", "--bind", endpoint)
                #expect(refused.code == 2)
                #expect(refused.standardError.contains("chmod 700 '\(sandbox.path("open"))'"), "\(refused)")
            }
            chmod(sandbox.path("open"), 0o1777)
            let cluster = try Cluster(sandbox, bind: endpoint)
            var status = stat()
            #expect(stat(sandbox.path("open/socket"), &status) == 0 && status.st_mode & 0o077 == 0)
            #expect(try cluster.cohort("status").code == 0)
        }

        @Test("The secret half of a key is its owner's alone where others' files are everybody's")
        func rightsOfKeys() throws {
            let made = try sandbox.shell("umask 0; cohort keygen mine && stat -c %a mine mine.pub")
            #expect(made.lines.suffix(2) == ["600", "644"], "\(made)")
        }

        @Test("Keys that cannot be used are told before anything is done")
        func badKeys() throws {
            try key("mine")
            try key("server")
            chmod(sandbox.path("mine"), 0o640)
            let cases: [([String], [String])] = [
                (["status", "--server-key", "server.pub", "--key", "mine"], ["mine: ", "chmod 600"]),
                (["status", "--server-key", "server", "--key", "mine"], ["server:", "secret-key", "server.pub"]),
                (["status", "--server-key", "missing", "--key", "mine"], ["missing", "no such file"]),
                (["status", "--server-key", "server.pub"], ["cohort keygen", "--key"]),
                (["status", "--key", "server"], ["--server-key"]),
                (["worker", "--server-key", "-short", "--key", "mine"], ["-short"]),
                (["coordinator", "--key", "server"], ["--allow"]),
                (["coordinator", "--allow", "server"], ["--key"]),
                (["coordinator", "--key", "server", "--allow", "server.pub"], ["server.pub:2:1"]),
                (["keygen", "mine"], ["mine", "--force"]),
                (["keygen", "no/such/dir/key"], ["no/such/dir/key"]),
            ]
            for (arguments, words) in cases {
                let finished = try sandbox.start(["cohort"] + arguments, input: []).wait()
                #expect(finished.code == 2, "\(arguments) \(finished)")
                #expect(finished.standardError.hasPrefix("cohort: "), "\(finished)")
                for word in words { #expect(finished.standardError.contains(word), "\(word) in \(finished)") }
            }
        }
    }
}
