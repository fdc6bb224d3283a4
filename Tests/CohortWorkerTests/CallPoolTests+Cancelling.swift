internal import CohortProcess
internal import CohortWorker
internal import Glibc
internal import Testing

extension CallPoolTests {
    @Suite struct Cancelling {
        private static let long = Duration.seconds(3_600)

        @Test func aQueuedCallNeverRuns() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.sleep", "1000", prefetchable: false)
            try await harness.start(1)
            harness.submit(2, "demo.print", "\"2\"")
            harness.submit(3, "demo.print", "\"3\"")
            harness.pool.cancel(2, grace: Self.long, reason: "not wanted")
            // At once, although the host is busy.
            #expect(try await harness.result(2) == .cancelled(started: false, forced: false))
            harness.pool.cancel(1, grace: Self.long, reason: "enough")
            #expect(try await harness.result(1) == .cancelled(started: true, forced: false))
            #expect(try await harness.result(3) == .json("1"))
            #expect(harness.output(2) == "")
            #expect(harness.output(3) == "3\n")
        }

        @Test func graceOfAQueuedCallHarmsNobodyElse() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.stubborn", "3", prefetchable: false)
            try await harness.start(1)
            harness.pool.submit((2...50).map { harness.call($0, "demo.echo", "\($0)") })
            for id in 2...49 as ClosedRange<UInt64> { harness.pool.cancel(id, grace: .zero, reason: "") }
            for id in 2...49 as ClosedRange<UInt64> {
                #expect(try await harness.result(id) == .cancelled(started: false, forced: false))
            }
            #expect(try await harness.result(1) == .json("3"))
            #expect(try await harness.result(50) == .json("50"))
        }

        @Test func aCallThatIgnoresItIsKilledAlone() async throws {
            let harness = try CallPoolHarness(maxHosts: 2)
            harness.submit(1, "demo.stubborn", prefetchable: false)
            harness.submit(2, "demo.sleep", "1000", prefetchable: false)
            try await harness.start(1)
            try await harness.start(2)
            harness.pool.submit((3...6).map { harness.call($0, "demo.echo", "\($0)") })
            harness.pool.cancel(1, grace: .milliseconds(30), reason: "enough")
            #expect(try await harness.result(1) == .cancelled(started: true, forced: true))
            // Those behind it are handed back; those in the other host wait on.
            #expect(try await harness.returned(2).count == 2)
            harness.pool.cancel(2, grace: Self.long, reason: "enough")
            #expect(try await harness.result(2) == .cancelled(started: true, forced: false))
        }

        @Test(arguments: ["demo.spin", "demo.stubborn"])
        func killEndsABusyCallNow(function: String) async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, function, prefetchable: true)
            try await harness.start(1)
            harness.pool.kill(1)
            let report = try await harness.report(1)
            #expect(report.result == .cancelled(started: true, forced: true))
            #expect(report.elapsedNanoseconds > 0)
        }

        @Test func killShortensTheGrace() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.stubborn")
            try await harness.start(1)
            harness.pool.cancel(1, grace: Self.long, reason: "enough")
            harness.pool.kill(1)
            #expect(try await harness.result(1) == .cancelled(started: true, forced: true))
        }

        @Test func aValueReturnedAfterTheRequestIsKept() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.stubborn", "0.1", prefetchable: false)
            try await harness.start(1)
            harness.pool.cancel(1, grace: Self.long, reason: "enough")
            #expect(try await harness.result(1) == .json("0.1"))
            // A cancelled runner does not make the next call a cancelled one.
            harness.submit(2, "demo.sleep", "0.001")
            #expect(try await harness.result(2) == .json("0.001"))
        }

        @Test func aRequestForAFinishedCallIsIgnored() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.noop")
            _ = try await harness.result(1)
            harness.pool.cancel(1, grace: .zero, reason: "late")
            harness.pool.kill(1)
            harness.submit(2, "demo.sleep", "0.05")
            #expect(try await harness.result(2) == .json("0.05"))
            #expect(harness.log.filter { if case .finished = $0 { true } else { false } }.count == 2)
        }

        /// Cancels that cross with results: whatever wins, every call ends once and no host is lost to it.
        @Test func requestsThatRaceWithResults() async throws {
            let harness = try CallPoolHarness()
            for id in 1...300 as ClosedRange<UInt64> {
                harness.submit(id, "demo.sleep", "0.0001")
                harness.pool.cancel(id, grace: Self.long, reason: "race")
            }
            for id in 1...300 as ClosedRange<UInt64> {
                switch try await harness.result(id) {
                case .json("0.0001"), .cancelled(_, forced: false): break
                case let other: Issue.record("call \(id) ended as \(other)")
                }
            }
            harness.submit(301, "demo.echo", "301")
            #expect(try await harness.result(301) == .json("301"))
        }

        @Test func recallReturnsWhatHasNotBegun() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.sleep", "1000", prefetchable: false)
            try await harness.start(1)
            harness.pool.submit((2...4).map { harness.call($0, "demo.echo") })
            harness.submit(5, "demo.echo", prefetchable: false)
            harness.pool.recall([1, 3, 4, 5])
            #expect(Set(try await harness.returned(3)) == [3, 4, 5])
            harness.pool.cancel(1, grace: Self.long, reason: "enough")
            #expect(try await harness.result(1) == .cancelled(started: true, forced: false))
            #expect(try await harness.result(2) == .json(""))
        }
    }
}
