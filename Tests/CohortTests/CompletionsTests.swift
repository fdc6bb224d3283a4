internal import Cohort
internal import CohortCore
internal import Testing

/// The stream of results, and what a slow reader does to the coordinator.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CompletionsTests {
    @Test func everyResultComesOnce() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            try await pool.withGroup("stream") { group in
                for number in 0..<500 { try group.spawn(Demo.echo, number) }
                var seen: Set<Int> = []
                for try await result in group.completions() {
                    guard case .int(let value)? = result.value else { continue }
                    #expect(seen.insert(value).inserted)
                }
                #expect(seen == Set(0..<500))
                // A second reader starts from the beginning, and so does one that comes late.
                var again = 0
                for try await _ in group.completions() { again += 1 }
                #expect(again == 500)
            }
        }
    }

    @Test func severalReadersShareTheResults() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            try await pool.withGroup("shared") { group in
                for number in 0..<100 { try group.spawn(Demo.echo, number, name: "task \(number)") }
                let results = group.completions()
                let names = try await withThrowingTaskGroup(of: [String].self) { readers in
                    for _ in 0..<3 {
                        readers.addTask {
                            var names: [String] = []
                            for try await result in results { names.append(result.name) }
                            return names
                        }
                    }
                    return try await readers.reduce(into: []) { $0 += $1 }
                }
                #expect(names.sorted() == (0..<100).map { "task \($0)" }.sorted())
            }
        }
    }

    @Test func aReaderThatIsCancelledStops() async throws {
        let cluster = try TestCluster(slots: 1)
        try await cluster.withPool { pool in
            try await pool.withGroup("stopped") { group in
                let task = try group.spawn(Demo.sleep, 60)
                let reader = Task {
                    for try await _ in group.completions() {}
                }
                reader.cancel()
                _ = try await thrown(CancellationError.self) { try await reader.value }
                #expect(task.state != .ended)
                await task.cancel()
            }
        }
    }

    @Test func aSlowReaderStopsTheStartOfFurtherTasks() async throws {
        var limits = Limits()
        limits.unconsumedBytes = 64 << 10
        // What a worker has been given, it runs.
        limits.prefetchPerSlot = 2
        let cluster = try TestCluster(slots: 2, limits: limits)
        let text = String(repeating: "x", count: 8 << 10)
        let count = 400
        try await cluster.withPool { pool in
            try await pool.withGroup("slow") { group in
                let completions = group.completions(buffering: 4)
                let tasks = try (0..<count).map { _ in try group.spawn(Demo.echoText, text) }
                // Nobody reads: a few run, and then none any more.
                var ended = 0
                repeat {
                    ended = tasks.count { $0.state == .ended }
                    try await Task.sleep(for: .milliseconds(200))
                } while tasks.count(where: { $0.state == .ended }) != ended || ended == 0
                #expect(ended < 40)
                var seen = 0
                for try await result in completions {
                    #expect(result.outcome == .ok)
                    seen += 1
                }
                #expect(seen == count)
            }
        }
    }

    @Test func aReaderThatGoesAwayHoldsNothingBack() async throws {
        var limits = Limits()
        limits.unconsumedBytes = 64 << 10
        let cluster = try TestCluster(slots: 2, limits: limits)
        let text = String(repeating: "x", count: 8 << 10)
        try await cluster.withPool { pool in
            try await pool.withGroup("gone") { group in
                let tasks = try (0..<200).map { _ in try group.spawn(Demo.echoText, text) }
                for try await _ in group.completions(buffering: 1) { break }
                #expect(try await gather(tasks).count == 200)
            }
        }
    }
}
