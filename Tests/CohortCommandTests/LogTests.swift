internal import CohortCore
internal import CohortWire
internal import Glibc
internal import TestSupport
internal import Testing
internal import ZeroMQ

extension CommandLineTests {
    @Suite("The coordinator's log")
    struct LogTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        /// A worker that comes, is welcomed, and is gone again.
        private func visit(_ endpoint: String, as name: String) throws {
            let context = try Context()
            let socket = try Socket(.dealer, in: context)
            try socket.connect(endpoint)
            let offer = WorkerOffer(
                name: name,
                host: "elsewhere",
                processID: 1,
                slots: 1,
                credit: 1,
                runsCommands: false,
                functions: []
            )
            let greeting = Greeting(role: .worker(offer), name: name, host: offer.host, processID: 1)
            _ = try socket.trySend(FrameCodec.encode(FrameHeader(), .hello(greeting)))
            guard try socket.waitUntilReadable(timeout: Program.patience) else {
                throw Overrun(description: "\(name) is not welcomed")
            }
        }

        @Test("that nobody reads holds up nobody, and is written to its end when somebody does")
        func unread() throws {
            let cluster = try Cluster(sandbox)
            let worker = try cluster.worker("one")
            let started = try sandbox.gate("started")
            let go = try sandbox.gate("go")
            let file = try sandbox.write(
                "b.yaml",
                "tasks: [{run: 'echo up > \(started.path); read x < \(go.path); echo done'}]"
            )
            let run = try cluster.start("run", file)
            try started.await(of: run)
            try cluster.coordinator.narrowError()
            let count = 100
            for number in 1...count { try visit(cluster.endpoint, as: "visitor-\(number)") }
            #expect(try cluster.cohort("status").code == 0)
            go.open()
            let finished = try run.wait()
            #expect(finished.code == 0 && finished.lines == ["done"], "\(finished)")
            cluster.coordinator.send(SIGTERM)
            let log = try cluster.coordinator.wait().standardError.split(separator: "\n")
            let joined = log.filter { $0.contains("worker joined") }
            #expect(joined.count == count + 1)
            #expect(joined.last?.contains("worker=visitor-\(count)") == true, "\(joined)")
            #expect(log.last?.contains("ended") == true)
            withExtendedLifetime(worker) {}
        }
    }
}
