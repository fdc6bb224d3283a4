internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    /// What a worker's processes make of what they were started with.
    @Suite("The processes of a worker")
    struct WorkerProcessTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        @Test("go on when nobody reads any more what they say")
        func unread() throws {
            let cluster = try Cluster(sandbox)
            let worker = try sandbox.start(
                ["WorkerFixture", "--connect", cluster.endpoint, "--name", "one", "--slots", "1", "--restarts", "0"],
                input: []
            )
            try worker.waitForError("connected")
            try cluster.wait(until: "it is there") { $0.workers.count == 1 }
            let process = try cluster.processID(ofWorker: "one")
            worker.closeError()
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            // It says that it looks for another one, and that it has found it.
            let again = try cluster.restarted()
            try again.wait(until: "it is back") { $0.workers.map(\.pid) == [process] }
            worker.send(SIGTERM)
            #expect(try worker.wait().code == 0)
        }

        @Test("may open more descriptors than their tasks")
        func descriptors() throws {
            let finished = try sandbox.shell(
                "ulimit -Sn 128; cohort map -j 60 ': {}; ulimit -Sn; sleep 1' ::: $(seq 60)"
            )
            #expect(finished.code == 0, "\(finished)")
            #expect(finished.lines == Array(repeating: "128", count: 60))
        }
    }
}
