internal import CohortCore
internal import CohortWire
internal import Synchronization
internal import Testing

@testable internal import Cohort

/// Many who want to know at once how things stand.
@Suite struct SnapshotWaitTests {
    private func queries(_ ledger: SessionLedger) -> Int {
        ledger.outbox.takeAll().count { if case .query = $0 { true } else { false } }
    }

    private func snapshot(clients: UInt32) -> Snapshot {
        var snapshot = Snapshot()
        snapshot.clients = clients
        return snapshot
    }

    /// Asks so many times, and returns when all of them wait.
    private func ask(
        _ ledger: SessionLedger,
        times: Int,
        in group: inout ThrowingTaskGroup<UInt32?, any Error>
    ) async throws {
        let before = ledger.state.withLock { $0.snapshotWaiters.count }
        for _ in 0..<times { group.addTask { await ledger.query({})?.clients } }
        try await eventually("all wait") { ledger.state.withLock { $0.snapshotWaiters.count } == before + times }
    }

    @Test func oneQueryIsUnderWayAtATime() async throws {
        let ledger = SessionLedger(endpoint: "e")
        let told = try await withThrowingTaskGroup(of: UInt32?.self) { group in
            try await ask(ledger, times: 1, in: &group)
            #expect(queries(ledger) == 1)
            try await ask(ledger, times: 40, in: &group)
            #expect(queries(ledger) == 0)
            ledger.take(.snapshot(snapshot(clients: 1)))
            #expect(queries(ledger) == 1)
            ledger.take(.snapshot(snapshot(clients: 2)))
            return try await group.reduce(into: [UInt32?: Int]()) { $0[$1, default: 0] += 1 }
        }
        // Nobody is told how things stood before he had asked.
        #expect(told == [1: 1, 2: 40])
        #expect(queries(ledger) == 0)
    }

    @Test func aSessionThatContinuesThisOneAsksOnceForAll() async throws {
        let ledger = SessionLedger(endpoint: "e")
        let told = try await withThrowingTaskGroup(of: UInt32?.self) { group in
            try await ask(ledger, times: 1, in: &group)
            try await ask(ledger, times: 40, in: &group)
            #expect(queries(ledger) == 1)
            ledger.take(.restored(.resumed))
            #expect(queries(ledger) == 1)
            ledger.take(.snapshot(snapshot(clients: 3)))
            return try await group.reduce(into: [UInt32?: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(told == [3: 41])
        #expect(queries(ledger) == 0)
    }

    @Test func thoseWhoWaitWhenTheSessionIsLostAreTold() async throws {
        let ledger = SessionLedger(endpoint: "e")
        let told = try await withThrowingTaskGroup(of: UInt32?.self) { group in
            try await ask(ledger, times: 20, in: &group)
            ledger.lose(PoolError(kind: .lost, endpoint: "e", message: "lost"))
            return try await group.reduce(into: [UInt32?: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(told == [nil: 20])
    }

    @Test(.timeLimit(.minutes(1)))
    func fortyAtOnceAreAllAnswered() async throws {
        let cluster = try TestCluster()
        try await cluster.withPool { pool in
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 { group.addTask { try await pool.workers().count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == Array(repeating: 0, count: 40))
        }
    }
}
