internal import CohortWorker
internal import Testing

extension CallPoolTests {
    /// A call whose end may stop its group keeps its host from beginning what waits behind it.
    @Suite struct Hold {
        private func calls(
            _ harness: CallPoolHarness,
            _ ids: ClosedRange<UInt64>,
            hold: CallHold,
            failing: UInt64?
        ) -> [CallRequest] {
            ids.map { id in
                var call = harness.call(id, id == failing ? "demo.fail" : "demo.echo", "\"\(id)\"")
                call.hold = hold
                return call
            }
        }

        @Test func whatWaitsBehindAFailureComesBackUnstarted() async throws {
            let harness = try CallPoolHarness()
            harness.pool.submit(calls(harness, 1...10, hold: .afterFailure, failing: 3))
            #expect(try await harness.result(2) == .json("\"2\""))
            #expect(try await harness.result(3).failure != nil)
            #expect(try await harness.returned(7) == Array(4...10))
            // Sent after the failure was seen, they are run again.
            harness.pool.submit(calls(harness, 4...5, hold: .afterFailure, failing: nil))
            #expect(try await harness.result(5) == .json("\"5\""))
        }

        @Test func whatWaitsBehindASuccessComesBackUnstarted() async throws {
            let harness = try CallPoolHarness()
            harness.pool.submit(calls(harness, 1...3, hold: .afterSuccess, failing: 1))
            #expect(try await harness.result(1).failure != nil)
            #expect(try await harness.result(2) == .json("\"2\""))
            #expect(try await harness.returned(1) == [3])
        }

        @Test func aCallWithoutTheRuleHoldsNothing() async throws {
            let harness = try CallPoolHarness()
            harness.pool.submit(calls(harness, 1...10, hold: .never, failing: 3))
            #expect(try await harness.result(3).failure != nil)
            #expect(try await harness.result(10) == .json("\"10\""))
        }
    }
}
