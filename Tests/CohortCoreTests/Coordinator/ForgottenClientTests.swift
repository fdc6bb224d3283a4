internal import CohortCore
internal import Testing

/// A client whose session has ended, and that does not know so yet, comes back just before the coordinator dies.
@Suite struct ForgottenClientTests {
    private static let token = PeerToken(7)
    private static let now = Instant(nanoseconds: 1_000_000_000)

    /// Lets the client join, and takes in what the journal is told.
    ///
    /// - Returns: whether it is told that what it had goes on.
    private func join(
        _ core: inout CoordinatorCore,
        _ request: SessionRequest,
        _ journal: inout JournalState,
        as session: SessionID = SessionID(1),
        isHeard: Bool = false,
        opens key: GroupKey? = nil
    ) -> Bool? {
        var actions: [CoordinatorAction] = []
        core.handle(.clientJoined(session, Self.token, request), at: Self.now, into: &actions)
        if isHeard { core.handle(.heard(session), at: Self.now, into: &actions) }
        if let key {
            core.handle(.groupOpened(session, GroupSpec(key: key, name: "g")), at: Self.now, into: &actions)
        }
        core.flush(at: Self.now, into: &actions)
        var resumed: Bool?
        for action in actions {
            if case .record(let batch) = action { journal.apply(batch) }
            if case .welcome(session, let goesOn, _) = action { resumed = goesOn }
        }
        return resumed
    }

    @Test func itIsNotTakenForKnownAfterARestart() {
        var journal = JournalState()
        var first = CoordinatorCore(keepsJournal: true)
        #expect(join(&first, SessionRequest(number: 3, previous: 2), &journal) == false)
        // The answer is lost with the coordinator: the client asks the next one, and thinks that its groups are open.
        var second = CoordinatorCore(recovering: journal, at: Self.now)
        #expect(join(&second, SessionRequest(number: 4, previous: 2), &journal) == false)
    }

    @Test func onceItHasOpenedAGroupItIsKnown() {
        var journal = JournalState()
        var first = CoordinatorCore(keepsJournal: true)
        let request = SessionRequest(number: 3, previous: 2)
        #expect(join(&first, request, &journal, isHeard: true, opens: GroupKey(3)) == false)
        var second = CoordinatorCore(recovering: journal, at: Self.now)
        #expect(join(&second, SessionRequest(number: 4, previous: 3), &journal) == true)
    }

    /// It was given up before the restart, and its greeting, which was answered then, comes once more after it.
    @Test(arguments: [false, true])
    func aGreetingFromBeforeARestartMakesItKnownOnlyIfItIsHeardAgain(isHeard: Bool) {
        var journal = JournalState()
        var core = CoordinatorCore(recovering: journal, at: Self.now)
        #expect(join(&core, SessionRequest(number: 3, previous: 2), &journal, isHeard: isHeard) == false)
        #expect(join(&core, SessionRequest(number: 4, previous: 3), &journal, as: SessionID(2)) == isHeard)
    }
}
