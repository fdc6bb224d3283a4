internal import Cohort
internal import CohortFuzzKit
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    /// The coordinator is killed and started again while tasks write, and users see each byte once.
    @Suite("Output across the deaths of a coordinator")
    struct OutputAcrossRestartsTests {
        private static let lines = 2_000
        private let sandbox: Sandbox
        private let cluster: Cluster
        /// Tasks say here now and then that they have come further.
        private let progress: Gate

        init() throws {
            sandbox = try Sandbox()
            // Longer than a busy machine takes to start a coordinator: the worker is stopped meanwhile.
            cluster = try Cluster(sandbox, options: ["--state", sandbox.path("state.db"), "--lease", "60s"])
            progress = try sandbox.gate("progress")
        }

        /// Runs three tasks that write to both streams for some seconds, and kills the coordinator four times meanwhile, at
        /// moments that the seed draws.
        private func run(seed: UInt64, _ options: String...) throws -> Finished {
            let script = try sandbox.write(
                "count.sh",
                """
                i=0
                while [ $i -lt \(Self.lines) ]; do
                    i=$((i + 1))
                    echo $1 out $i
                    echo $1 err $i >&2
                    [ $((i % 20)) = 0 ] && sleep 0.02
                    [ $((i % 100)) = 0 ] && echo $i > \(progress.path)
                done
                true
                """
            )
            let worker = try cluster.worker("one", slots: 3)
            let process = try cluster.processID(ofWorker: "one")
            let words = ["cohort", "map", "--connect", cluster.endpoint] + options
            let run = try sandbox.start(words + ["sh", script, "{}", ":::", "a", "b", "c"], input: [])
            var cluster = cluster
            var random = SplitMix64(seed: seed)
            for _ in 0..<4 {
                try progress.await(lines: Int.random(in: 1...12, using: &random))
                cluster = try cluster.replaced(under: process)
            }
            let finished = try run.wait()
            #expect(finished.code == 0, "\(finished.standardError.suffix(1_000))")
            withExtendedLifetime((worker, cluster)) {}
            return finished
        }

        private func lines(of task: String, _ stream: String) -> [String] {
            (1...Self.lines).map { "\(task) \(stream) \($0)" }
        }

        private func split(_ text: String?) -> [String] {
            (text ?? "").split(separator: "\n").map(String.init).filter { !$0.hasPrefix("cohort: ") }
        }

        @Test("in the order of the tasks")
        func inOrder() throws {
            let finished = try run(seed: 1, "-k")
            let tasks = ["a", "b", "c"]
            #expect(finished.lines == tasks.flatMap { lines(of: $0, "out") })
            #expect(split(finished.standardError) == tasks.flatMap { lines(of: $0, "err") })
        }

        @Test("line by line, and in files")
        func mixedAndKept() throws {
            let finished = try run(seed: 2, "--line-buffer", "--results", "kept")
            for (number, task) in ["a", "b", "c"].enumerated() {
                let out = lines(of: task, "out")
                let err = lines(of: task, "err")
                #expect(finished.lines.filter { $0.hasPrefix(task) } == out)
                #expect(split(finished.standardError).filter { $0.hasPrefix(task) } == err)
                #expect(split(sandbox.read("kept/\(number + 1)/stdout")) == out)
                #expect(split(sandbox.read("kept/\(number + 1)/stderr")) == err)
            }
        }

        @Test("in documents")
        func documents() throws {
            let finished = try run(seed: 3, "--output", "json")
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            for (task, name) in zip(document.tasks, ["a", "b", "c"]) {
                #expect(split(task.stdout) == lines(of: name, "out"))
                #expect(split(task.stderr) == lines(of: name, "err"))
            }
            #expect(document.tasks.count == 3)
        }
    }
}
