internal import CohortCore

/// Seeds that are about one thing: what needs several things to come together, each of them rare, comes up in a cluster that
/// does little else.
extension SwarmOptions {
    enum Theme: String {
        case gaps
        case lateReaders
        case busyWithReaders
        case deadlines
        case poison
        case lostCalls
    }

    /// The rarer it is even then that a bug shows, the more seeds a theme has.
    private static var themes: [Theme] {
        let shares: [(Theme, Int)] = [
            (.lateReaders, 4), (.gaps, 2), (.deadlines, 2), (.lostCalls, 2), (.busyWithReaders, 1), (.poison, 1),
        ]
        return shares.flatMap { Array(repeating: $0.0, count: $0.1) }
    }

    /// Some seeds get a theme. Drawn from a stream of its own: what the others draw does not depend on it.
    mutating func specialize(seed: UInt64) {
        var generator = SeededGenerator(seed: seed, stream: 8)
        guard generator.chance(18), let theme = generator.pick(Self.themes) else { return }
        self.theme = theme
        switch theme {
        case .gaps: becomeGapped(&generator)
        case .lateReaders: becomeLateReaders(&generator)
        case .busyWithReaders: becomeBusyWithReaders(&generator)
        case .deadlines: becomePunctual(&generator)
        case .poison: becomePoisonous(&generator)
        case .lostCalls: becomeLosingCalls(&generator)
        }
    }

    /// Tasks that come to their ends by themselves, and nothing that is drawn for other seeds.
    private mutating func calmDown() {
        isDurable = Self.hasRecovery
        streaming = 0
        writingMuch = 25
        failing = 0
        retrying = 0
        shielding = 0
        withoutDistractions()
        duplicates = 0
        slowStarts = 0
        bursts = 0
        limits.unconsumedBytes = 8 << 20
    }

    /// Messages of a session are missing while later ones come, and the session ends before the missing ones are sent again.
    /// Much of what is asked for is refused, which is told once.
    private mutating func becomeGapped(_ generator: inout SeededGenerator) {
        calmDown()
        clients = 3
        workers = 1
        mostUnfinished = 1_000
        // What is refused last for a group says of all before that they were refused.
        sealing = 0
        ignoringCancel = 70
        delay = (20 * Self.millisecond)...(generator.pick([50, 100]) ?? 50) * Self.millisecond
        turnDelay = 0...100_000
        commit = Self.millisecond...(2 * Self.millisecond)
        longestTask = 6 * Self.second
        requestInterval = 40 * Self.millisecond
        faultInterval = 300 * Self.millisecond
        flickering = 100
        hitsReaders = true
        setLease(2 * Self.second, patience: 500 * Self.millisecond)
        allow([(.openTree, 15), (.addTasks, 30), (.seal, 25), (.cancelGroup, 30), (.connectionBreaks, 10)])
    }

    /// Tasks that write all the time, for readers who are slower to come back than their workers.
    private mutating func becomeLateReaders(_ generator: inout SeededGenerator) {
        becomeWriting()
        delay = delay.lowerBound...(100 * Self.millisecond)
        turnDelay = 0...100_000
        faultInterval = 2 * Self.second
        slowStarts = 90
        strikes = 70
        allow([(.openTree, 20), (.addTasks, 20), (.connectionStalls, 10)])
    }

    /// Tasks that write all the time, and a busy coordinator: it finds a reader that is back and what was written meanwhile in
    /// the same turn.
    private mutating func becomeBusyWithReaders(_ generator: inout SeededGenerator) {
        becomeWriting()
        workers = 2
        slotsPerWorker = 4
        delay = delay.lowerBound...(5 * Self.millisecond)
        turnDelay = 0...(100 * Self.millisecond)
        faultInterval = Self.second
        allow([(.openTree, 20), (.addTasks, 20), (.connectionStalls, 10)])
    }

    private mutating func becomeWriting() {
        calmDown()
        clients = 2
        streaming = 95
        writingMuch = 95
        commit = Self.millisecond...(2 * Self.millisecond)
        longestTask = 15 * Self.second
        requestInterval = 150 * Self.millisecond
        longestOutage = 500 * Self.millisecond
        hitsReaders = true
        setLease(2 * Self.second, patience: 500 * Self.millisecond)
    }

    /// Groups whose deadlines are moved, by clients that do not always learn what has become of that.
    private mutating func becomePunctual(_ generator: inout SeededGenerator) {
        calmDown()
        clients = 2
        workers = 1
        deadlines = 90
        groupTimeouts = [1_000, 2_000, 4_000]
        deadlineMoves = [2_000, 4_000]
        extendsOnly = generator.chance(75)
        sealing = 10
        strikes = 30
        lingering = 10 * Self.second
        wantsAnswers = true
        delay = delay.lowerBound...(generator.pick([50, 100]) ?? 50) * Self.millisecond
        turnDelay = 0...100_000
        commit = Self.millisecond...(2 * Self.millisecond)
        longestTask = 15 * Self.second
        slotsPerWorker = 4
        requestInterval = 150 * Self.millisecond
        faultInterval = Self.second
        longestOutage = 500 * Self.millisecond
        hitsReaders = true
        setLease(5 * Self.second, patience: 500 * Self.millisecond)
        let stalls = generator.pick([0, 10]) ?? 0
        allow([(.openTree, 20), (.addTasks, 5), (.moveDeadline, 15), (.connectionStalls, stalls)])
    }

    /// Tasks that take down one worker after another, and a coordinator that does not live to see all of that.
    private mutating func becomePoisonous(_ generator: inout SeededGenerator) {
        calmDown()
        poisoning = 15
        retrying = 100
        mostRetries = 8
        workers = 4
        slotsPerWorker = 2
        delay = delay.lowerBound...(generator.pick([1, 20]) ?? 1) * Self.millisecond
        turnDelay = 0...100_000
        commit = Self.millisecond...(2 * Self.millisecond)
        longestTask = (generator.pick([100, 500]) ?? 100) * Self.millisecond
        requestInterval = 150 * Self.millisecond
        faultInterval = (generator.pick([300, 1_000]) ?? 300) * Self.millisecond
        longestOutage = 500 * Self.millisecond
        setLease(5 * Self.second, patience: 500 * Self.millisecond)
        allow([(.openTree, 20), (.addTasks, 20), (.seal, 10), (.coordinatorDies, 10)])
    }

    /// Calls whose hosts die, in groups that this stops, with others at hand to take their slots.
    private mutating func becomeLosingCalls(_ generator: inout SeededGenerator) {
        calmDown()
        crashing = 10
        takingWorkers = 0
        // With a timeout they wait at their worker, and not in a host that hands them back itself.
        timing = 50
        sealing = 50
        workers = 2
        slotsPerWorker = 4
        delay = (20 * Self.millisecond)...(generator.pick([50, 200]) ?? 50) * Self.millisecond
        turnDelay = 0...100_000
        // Only short ones are sent ahead.
        longestTask = 5 * Self.millisecond
        requestInterval = 20 * Self.millisecond
        limits.prefetchPerSlot = 512
        setLease(5 * Self.second, patience: nil)
        allow([(.openTree, 10), (.addTasks, 40), (.seal, 10)])
    }
}
