internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    /// A worker drains while its coordinator, which keeps a journal, is being started again.
    @Suite("A worker that drains without its coordinator")
    struct DrainTests {
        private let sandbox: Sandbox
        private let cluster: Cluster
        /// Tasks say here that they run.
        private let started: Gate
        /// Tasks wait here.
        private let go: Gate

        init() throws {
            sandbox = try Sandbox()
            // A busy machine may take a while to start another life of it.
            cluster = try Cluster(sandbox, options: ["--state", sandbox.path("state.db"), "--lease", "40s"])
            started = try sandbox.gate("started")
            go = try sandbox.gate("go")
        }

        private var waiting: String {
            "tasks: [{name: runs, run: \"echo up > \(started.path); read x < \(go.path); echo done\"}]"
        }

        private func killCoordinator() throws {
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
        }

        @Test("leaves when the next one knows how its tasks have ended")
        func lastReports() throws {
            let worker = try cluster.worker("one", slots: 1)
            let number = try cluster.submit(waiting)
            try started.await()
            try cluster.waitUntilRunning(1)
            worker.send(SIGTERM)
            try worker.waitForError("draining")
            try killCoordinator()
            go.open()
            let again = try cluster.restarted()
            let (document, code) = try again.wait(number)
            #expect(code == 0)
            #expect(document.tasks.map(\.outcome) == [.ok])
            #expect(document.tasks.map(\.attempts) == [1])
            #expect(document.tasks.map(\.stdout) == ["done\n"])
            #expect(try worker.wait().code == 0)
        }

        @Test("leaves when the next one knows what it has handed back")
        func handedBack() throws {
            let one = try cluster.worker("one", slots: 1)
            let running = try cluster.submit(waiting)
            try started.await()
            try cluster.waitUntilRunning(1)
            let process = try cluster.processID(ofWorker: "one")
            // It is given the second task while it cannot do anything about it.
            kill(process, SIGSTOP)
            let ahead = try cluster.submit("tasks: [{name: ahead, run: echo later}]")
            try cluster.wait(until: "it is known") { $0.groups.count == 2 }
            one.send(SIGTERM)
            try killCoordinator()
            kill(process, SIGCONT)
            try one.waitForError("draining")
            go.open()
            let again = try cluster.restarted()
            let two = try again.worker("two", slots: 1)
            #expect(try again.wait(running).document.tasks.map(\.outcome) == [.ok])
            let (document, code) = try again.wait(ahead)
            #expect(code == 0)
            #expect(document.tasks.map(\.worker) == ["two"])
            #expect(document.tasks.map(\.attempts) == [1])
            #expect(try one.wait().code == 0)
            withExtendedLifetime(two) {}
        }

        @Test("leaves without a word to anybody if nobody comes, when it has waited for the lease")
        func nobody() throws {
            let cluster = try Cluster(sandbox, options: ["--state", sandbox.path("other.db"), "--lease", "3s"])
            let worker = try cluster.worker("one", slots: 1)
            _ = try cluster.submit("tasks: [{name: runs, run: \"echo up > \(started.path); read x < \(go.path)\"}]")
            try started.await()
            try cluster.waitUntilRunning(1)
            worker.send(SIGTERM)
            try worker.waitForError("draining")
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            go.open()
            #expect(try worker.wait(limit: .seconds(30)).code == 0)
        }

        @Test("leaves at once if it has nothing")
        func idle() throws {
            let worker = try cluster.worker("one", slots: 1)
            try killCoordinator()
            worker.send(SIGTERM)
            // Far less than the lease.
            #expect(try worker.wait(limit: .seconds(20)).code == 0)
        }
    }
}
