internal import CohortProcess
internal import CohortWorker
internal import Glibc
internal import Testing

extension CallPoolTests {
    @Suite struct Output {
        @Test func everyCallGetsItsOwn() async throws {
            let harness = try CallPoolHarness()
            let ids = Array(1...200 as ClosedRange<UInt64>)
            let calls = ids.map { id in
                let lines = "{\"lines\": [\"out \(id)\", \"-\"], \"errors\": [\"err \(id)\"]}"
                return id.isMultiple(of: 3)
                    ? harness.call(id, "demo.noop") : harness.call(id, "demo.print", lines)
            }
            harness.pool.submit(calls)
            for id in ids {
                _ = try await harness.result(id)
                let isSilent = id.isMultiple(of: 3)
                #expect(harness.output(id) == (isSilent ? "" : "out \(id)\n-\n"))
                #expect(harness.output(id, .stderr) == (isSilent ? "" : "err \(id)\n"))
            }
            for (index, event) in harness.log.enumerated() {
                guard case .finished(let id, _) = event else { continue }
                #expect(!harness.log[index...].contains { if case .output(id, _, _) = $0 { true } else { false } })
            }
        }

        @Test func whatACallPrintedBeforeItDiedIsItsOwn() async throws {
            let harness = try CallPoolHarness()
            harness.pool.submit([
                harness.call(1, "demo.print", "\"first\""),
                harness.call(2, "demo.exit", "9"),
            ])
            #expect(try await harness.result(2) == .lost(.exited(code: 9), forced: false))
            #expect(harness.output(1) == "first\n")
            #expect(harness.output(2) == "")
        }

        @Test func noMoreComesThanWasGranted() async throws {
            let harness = try CallPoolHarness()
            let line = String(repeating: "x", count: 99)
            let lines = Array(repeating: "\"\(line)\"", count: 3_000).joined(separator: ",")
            // More than a pipe holds, so that the call cannot end before somebody reads.
            harness.submit(1, "demo.print", "[\(lines)]", credit: 150)
            try await harness.wait { _ in harness.output(1).utf8.count >= 150 ? () : nil }
            harness.pool.grant(1, bytes: 1_000)
            try await harness.wait { _ in harness.output(1).utf8.count >= 1_150 ? () : nil }
            #expect(harness.output(1).utf8.count == 1_150)
            harness.pool.grant(1, bytes: 1 << 20)
            #expect(try await harness.result(1) == .json("3000"))
            #expect(harness.output(1) == String(repeating: line + "\n", count: 3_000))
        }
    }
}
