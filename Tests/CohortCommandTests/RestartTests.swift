internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    /// The coordinator is killed and started again on the same port, with the same file.
    @Suite("A coordinator that comes back")
    struct RestartTests {
        private let sandbox: Sandbox
        private let cluster: Cluster
        /// Tasks say here that they run.
        private let started: Gate
        /// Tasks wait here.
        private let go: Gate

        init() throws {
            sandbox = try Sandbox()
            cluster = try Cluster(sandbox, options: ["--state", sandbox.path("state.db")])
            started = try sandbox.gate("started")
            go = try sandbox.gate("go")
        }

        private var batch: String {
            """
            group: lasting
            tasks:
              - {name: a, run: "echo a > \(started.path); read x < \(go.path); echo done a"}
              - {name: b, run: "echo b > \(started.path); read x < \(go.path); echo done b"}
              - {name: c, run: "echo c > \(started.path); read x < \(go.path); echo done c"}
            """
        }

        private func restart() throws -> Cluster {
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            return try cluster.restarted()
        }

        @Test("goes on with a detached group, and whoever waits for it learns how it ends")
        func detached() throws {
            let worker = try cluster.worker("one")
            let number = try cluster.submit(batch)
            let waiter = try cluster.start("wait", number, "--output", "json")
            try started.await(lines: 2)
            try cluster.waitUntilRunning(2)
            let again = try restart()
            go.open(times: 3)
            try started.await(lines: 1)
            let document = try OutcomeDocument(jsonText: try waiter.wait().standardOutput)
            #expect(document.outcome == .ok)
            #expect(document.tasks.map(\.stdout) == ["done a\n", "done b\n", "done c\n"])
            #expect(document.tasks.map(\.attempts) == [1, 1, 1])
            // And it is known afterwards, in yet another life.
            again.coordinator.send(SIGKILL)
            _ = try again.coordinator.wait()
            let third = try again.restarted()
            #expect(try third.cohort("status").standardOutput.contains("lasting"))
            #expect(try third.wait(number).document.outcome == .ok)
            withExtendedLifetime(worker) {}
        }

        @Test("goes on with the group of a client that has waited for it")
        func attached() throws {
            let worker = try cluster.worker("one", slots: 1)
            let file = try sandbox.write("batch.yaml", batch)
            let run = try cluster.start("run", file, "--output", "json")
            try started.await(lines: 1)
            try cluster.waitUntilRunning(1)
            let again = try cluster.replaced(under: try cluster.processID(ofWorker: "one"))
            go.open(times: 4)
            let finished = try run.wait()
            #expect(finished.code == 0, "\(finished)")
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            #expect(document.tasks.allSatisfy { $0.outcome == .ok })
            #expect(document.tasks.count == 3)
            withExtendedLifetime((worker, again)) {}
        }

        @Test("goes on with the group of a program that has waited for it")
        func program() async throws {
            let worker = try cluster.worker("one", slots: 1)
            let (cluster, started, go) = (cluster, started, go)
            let pool = try await Pool.connect(to: cluster.endpoint)
            let (running, continuation) = AsyncStream.makeStream(of: Void.self)
            let line = "echo up > \(started.path); read x < \(go.path); echo done"
            let work = Task {
                try await pool.withGroup("lasting") { group in
                    let tasks = try (0..<3).map { try group.run(.shell(line), name: "task \($0)") }
                    continuation.yield()
                    var outputs: [String] = []
                    for task in tasks { outputs.append(try await task.value.stdout) }
                    return outputs
                }
            }
            for await _ in running { break }
            try started.await(lines: 1)
            try cluster.waitUntilRunning(1)
            let again = try cluster.replaced(under: try cluster.processID(ofWorker: "one"))
            go.open(times: 3)
            #expect(try await work.value == ["done\n", "done\n", "done\n"])
            // And it can open another one in the same session.
            let more = try await pool.withGroup("more") { group in
                try await group.run(.shell("echo more")).value.stdout
            }
            #expect(more == "more\n")
            await pool.close()
            withExtendedLifetime((worker, again)) {}
        }

        @Test("cancels the group of a client that does not come back within the lease")
        func clientGone() throws {
            let worker = try cluster.worker("one", slots: 1)
            let file = try sandbox.write("batch.yaml", batch)
            let run = try cluster.start("run", file)
            try started.await(lines: 1)
            try cluster.waitUntilRunning(1)
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            run.send(SIGKILL)
            _ = try run.wait()
            let again = try cluster.restarted(options: ["--lease", "2s", "--heartbeat", "200ms"])
            try again.wait(until: "all is cancelled") { $0.groups.allSatisfy { $0.state == "cancelled" } }
            withExtendedLifetime(worker) {}
        }

        @Test("is waited for, with a word about it, and not for ever")
        func patience() throws {
            let number = try cluster.submit(batch)
            let waiter = try cluster.start("wait", number, "--patience", "3s")
            try cluster.untilWatched()
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            try waiter.waitForError("does not answer; waiting up to 3 s for it to come back")
            let finished = try waiter.wait()
            #expect(finished.code == 3, "\(finished)")
            let notes = finished.standardError.split(separator: "\n").filter { $0.contains("waiting up to") }
            #expect(notes.count == 1)
        }

        @Test("is not waited for where it has ended for certain and kept no journal", arguments: [false, true])
        func gone(isDurable: Bool) throws {
            let options = isDurable ? ["--state", sandbox.path("other.db")] : []
            let bare = try Cluster(sandbox, bind: "ipc://\(sandbox.path("bare"))", options: options)
            let file = try sandbox.write("wait.yaml", "tasks: [{run: echo never}]")
            let number = try bare.submit("tasks: [{run: echo never}]")
            let clients = try [bare.start("run", file), bare.start("wait", number)]
            try bare.wait(until: "both are there") { $0.clients >= 3 && $0.groups.count >= 2 }
            bare.coordinator.send(SIGKILL)
            _ = try bare.coordinator.wait()
            for client in clients {
                if isDurable {
                    try client.waitForError("waiting up to")
                    client.send(SIGKILL)
                    _ = try client.wait()
                } else {
                    let finished = try client.wait()
                    #expect(finished.code == 3, "\(finished)")
                    #expect(
                        finished.standardError.contains("has ended, and all that was open there with it"),
                        "\(finished)"
                    )
                    #expect(!finished.standardError.contains("waiting up to"), "\(finished)")
                }
            }
        }

        @Test("is told to be back, once, where its absence was told")
        func back() throws {
            let number = try cluster.submit("tasks: [{run: echo hello}]")
            let waiter = try cluster.start("wait", number)
            try cluster.untilWatched()
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            try waiter.waitForError("waiting up to 60 s for it to come back")
            let again = try cluster.restarted()
            try waiter.waitForError("the coordinator is back")
            let worker = try again.worker("one")
            let finished = try waiter.wait()
            #expect(finished.lines == ["hello"])
            let notes = finished.standardError.split(separator: "\n").filter { $0.contains("is back") }
            #expect(notes.count == 1, "\(finished)")
            withExtendedLifetime(worker) {}
        }

        @Test("without a journal: whoever waits for a group is not told of another one that has its number")
        func forgotten() throws {
            let sandbox = try Sandbox()
            let cluster = try Cluster(sandbox)
            let number = try cluster.submit("group: mine\ntasks: [{run: echo mine}]")
            let waiter = try cluster.start("wait", number)
            try cluster.untilWatched()
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            let again = try cluster.restarted()
            #expect(try again.submit("group: other\ntasks: [{run: echo other}]") == number)
            let finished = try waiter.wait()
            #expect(finished.code == 3, "\(finished)")
            #expect(finished.standardError.contains("was started anew and has forgotten its groups"), "\(finished)")
        }

        @Test(
            "ends at SIGTERM, and when its terminal is closed, without cancelling anything",
            arguments: [SIGTERM, SIGHUP]
        )
        func terminated(signal: Int32) throws {
            let number = try cluster.submit("group: later\ntasks: [{run: echo hello}]")
            cluster.coordinator.send(signal)
            #expect(try cluster.coordinator.wait().code == 0)
            let again = try cluster.restarted()
            let worker = try again.worker("one")
            let (document, code) = try again.wait(number)
            #expect(code == 0)
            #expect(document.tasks.map(\.stdout) == ["hello\n"])
            withExtendedLifetime(worker) {}
        }

        @Test("loses nothing and runs nothing twice, killed three times in a batch of 300")
        func harness() throws {
            let finished = try sandbox.start(
                ["cohort-harness", "restarts", "--kills", "3", "--tasks", "300", "--duration", "10"],
                input: []
            ).wait(limit: .seconds(300))
            #expect(finished.code == 0, "\(finished)")
        }
    }
}
