internal import CohortCore
internal import Testing

@testable internal import CohortWire

/// Nothing is told before it is on disk.
@Suite("The gate")
struct GateTests {
    private func held(_ session: UInt64) -> Gate.Held {
        Gate.Held(actions: [.forget(SessionID(session), [])], received: [(SessionID(session), session)])
    }

    private func sessions(_ all: [Gate.Held]) -> [UInt64] { all.flatMap(\.received).map(\.1) }

    @Test("is open while nothing is being written")
    func open() {
        var gate = Gate()
        #expect(gate.hold(held(1)) != nil)
    }

    @Test("holds what follows from a batch, and all that comes after, until the batch is committed")
    func order() {
        var gate = Gate()
        #expect(gate.nextTicket() == 1)
        #expect(gate.hold(held(1)) == nil)
        // This one changed nothing, but what it tells may rest on what the first has changed.
        #expect(gate.hold(held(2)) == nil)
        #expect(gate.nextTicket() == 2)
        #expect(gate.hold(held(3)) == nil)
        #expect(sessions(gate.committed(1)) == [1, 2])
        #expect(gate.hold(held(4)) == nil)
        #expect(sessions(gate.committed(2)) == [3, 4])
        #expect(gate.hold(held(5)) != nil)
    }

    @Test("does not open for a ticket that was never given out")
    func unknownTicket() {
        var gate = Gate()
        #expect(gate.committed(9).isEmpty)
        _ = gate.nextTicket()
        #expect(gate.hold(held(1)) == nil)
        #expect(sessions(gate.committed(1)) == [1])
    }
}
