internal import CohortCore
internal import FoundationEssentials
internal import GRDB
internal import Testing

@testable internal import CohortJournal

/// State files whose rows do not fit together: something else has written in them, or a copy was put together wrongly.
@Suite("A state file that contradicts itself")
struct DamagedJournalTests {
    private let real = RealJournal()

    @Test("is not what a coordinator writes")
    func sound() throws {
        #expect(real.state.contradiction() == nil)
        #expect(Set(real.state.tasks.values.flatMap(\.values).map(\.state)).count >= 5)
        #expect(real.state.groups.values.contains { $0.phase == .closed })
        #expect(real.state.groups.values.contains { $0.phase == .stopping })
        try goOn(with: real.state)
    }

    @Test("is judged by the limits of the coordinator that goes on from it")
    func limits() throws {
        let place = Limits().unfinishedTasks
        var limits = Limits()
        limits.unfinishedTasks = place + 1
        for (group, rows) in real.state.tasks {
            for (index, row) in rows {
                var state = real.state
                state.tasks[group]?[index]?.key = TaskKey(index: UInt32(place), generation: row.key.generation)
                #expect(state.contradiction() == "task \(index) of group \(group.value) has the place of another one")
                let other = state.contradiction(limits: limits) ?? ""
                #expect(!other.contains("has the place of another one"), "\(other)")
            }
        }
    }

    @Test("is one whose answers to a client cannot have been given")
    func answers() throws {
        func answer(_ token: UInt32) -> DecidedExtensions.Refused {
            DecidedExtensions.Refused(token: token, code: .finished, message: "over")
        }
        let token = try #require(real.state.clients.keys.first)
        func isTaken(latest: UInt32, _ tokens: [UInt32]) -> Bool {
            var state = real.state
            state.clients[token]?.extensions = DecidedExtensions(latest: latest, refused: tokens.map(answer))
            return state.contradiction() == nil
        }
        let most = UInt32(DecidedExtensions.mostRefused)
        #expect(isTaken(latest: 7, [3, 7]))
        #expect(isTaken(latest: most, Array(1...most)))
        #expect(!isTaken(latest: 6, [3, 7]))
        #expect(!isTaken(latest: 7, [7, 3]))
        #expect(!isTaken(latest: 7, [3, 3]))
        #expect(!isTaken(latest: most + 1, Array(1...most + 1)))
    }

    @Test("is called damaged, with what is wrong with it")
    func refused() throws {
        let fixture = try JournalFixture()
        let store = try fixture.store()
        try store.write(real.batches)
        #expect(try store.load() == real.state)
        try store.close()
        let database = try DatabaseQueue(path: fixture.path)
        try database.writeWithoutTransaction { try $0.execute(sql: "DELETE FROM workers") }
        try database.close()
        let error = #expect(throws: JournalError.self) { try fixture.store().load() }
        #expect(error?.code == .corrupt)
        #expect(error?.description.contains("is at worker 1, which is not known") == true)
    }

    /// Either what is left fits together, and a coordinator can go on from it, or it is refused. Nothing traps.
    @Test("is refused or makes sense, whatever was done to it", arguments: 1...8)
    func damaged(seed: UInt64) throws {
        var generator = Damage.Generator(state: seed)
        let database = try DatabaseQueue()
        try database.writeWithoutTransaction { db in
            try JournalSchema.migrate(db, from: nil)
            for batch in real.batches { try JournalStore.apply(batch, to: db) }
            if let counters = real.batches.last?.counters { try JournalStore.put(counters, in: db) }
        }
        var refused = 0
        var taken = 0
        for _ in 0..<250 {
            try database.writeWithoutTransaction { db in
                var history: [String] = []
                try db.inTransaction {
                    for _ in 0..<Int.random(in: 1...3, using: &generator) {
                        history.append(try Damage.strike(db, &generator))
                    }
                    do {
                        let state = try JournalStore.load(db)
                        if state.contradiction() == nil {
                            taken += 1
                            try goOn(with: state, history)
                        } else {
                            refused += 1
                        }
                    } catch is RecordReader.Fault {
                        refused += 1
                    }
                    return .rollback
                }
            }
        }
        #expect(refused > 100 && taken > 10, "\(refused) refused, \(taken) taken")
    }

    /// A coordinator begins with it, everybody comes back, and in the end nobody does.
    private func goOn(with state: JournalState, _ history: [String] = []) throws {
        var now = real.now.advanced(by: .seconds(1))
        var core = CoordinatorCore(recovering: state, at: now)
        var actions: [CoordinatorAction] = []
        var journal = state
        func check(_ moment: String) {
            #expect(core.checkInvariants() == [], "\(moment), after \(history)")
            #expect(journal.contradiction() == nil, "\(moment), after \(history)")
        }
        func turn(_ event: CoordinatorEvent?) {
            if let event { core.handle(event, at: now, into: &actions) }
            core.flush(at: now, into: &actions)
            for case .record(let batch) in actions { journal.apply(batch) }
            actions.removeAll()
        }
        turn(nil)
        check("at first")
        let request = SessionRequest(number: 2, previous: 1, lineage: state.counters.lineage)
        turn(.clientJoined(SessionID(1), PeerToken(11), request))
        turn(.clientJoined(SessionID(2), PeerToken(12), request))
        let held = state.tasks.values.flatMap(\.values).filter(\.state.isAtWorker)
            .map { HeldAttempt(ref: AttemptRef(task: $0.key, attempt: $0.attempt), state: .running) }
        let offer = WorkerOffer(
            name: "worker",
            host: "host",
            processID: 4,
            slots: 16,
            credit: 32,
            runsCommands: true,
            functions: ["f"],
            held: held.sorted { $0.ref.task < $1.ref.task }
        )
        turn(.workerJoined(SessionID(3), offer, PeerToken(13), request))
        check("when all are back")
        for _ in 0..<200 {
            guard let due = core.nextDeadline else { break }
            now = max(now, due)
            turn(.timeReached)
        }
        check("in the end")
    }
}
