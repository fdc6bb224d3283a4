internal import CohortCore

/// What may happen in a simulated cluster, drawn from a seed.
///
/// Each seed switches some kinds off entirely: a cluster in which everything goes wrong at once hides what goes wrong only
/// when something else does not ("swarm testing").
package struct SwarmOptions: Sendable, Equatable {
    var limits = Limits()
    /// It keeps a journal and comes back with it.
    package var isDurable: Bool
    /// What the seed is about, if it is about one thing.
    var theme: Theme?
    package var clients: Int
    package var workers: Int
    package var slotsPerWorker: Int
    /// Delay of a message, at least and at most.
    package var delay: ClosedRange<UInt64>
    /// How long a node's loop takes to get round to what has arrived.
    package var turnDelay: ClosedRange<UInt64>
    /// How long a batch takes to be on the disk.
    package var commit: ClosedRange<UInt64>
    /// Time between two requests, and between two faults, on average.
    package var requestInterval: UInt64
    package var faultInterval: UInt64
    /// How long a task takes at most when nothing is wrong with it.
    package var longestTask: UInt64
    /// In a hundred, of tasks: those that fail, that take their time to clean up, that ignore a cancel, and calls that open
    /// groups.
    package var failing: Int
    package var ignoringCancel: Int
    package var nesting: Int
    /// In a hundred, of tasks: those that have a timeout of their own, that may be tried again, and that are shielded.
    package var timing: Int
    package var retrying: Int
    package var shielding: Int
    /// In a hundred, of programs: those that take their worker or call host with them.
    package var crashing: Int
    /// In a hundred, of submissions: those whose tasks stream their output.
    package var streaming = 0
    /// In a hundred, of programs that stream: those that write more than they have credit for.
    package var writingMuch = 25
    /// In a hundred, of tasks: those whose program takes its worker with it each time.
    package var poisoning = 0
    /// In a hundred, of groups: those to which their tasks may add tasks, and of calls in them: those that do.
    package var adding = 0
    /// In a hundred, of groups: those that have a deadline from the first; how far away in milliseconds, and how far it is moved.
    var deadlines = 20
    var groupTimeouts: [UInt64] = [0, 50, 500, 3_000, 20_000]
    var deadlineMoves: [UInt64] = [0, 100, 2_000, 30_000]
    /// Deadlines are made later only, never set anew.
    var extendsOnly = false
    /// A client that sets a deadline wants to be told what has become of that.
    var wantsAnswers = false
    /// In a hundred, of those that crash: the ones that take their worker with them, and not their host only.
    var takingWorkers = 50
    /// How often a task may be tried again, of those that may be.
    var mostRetries: UInt32 = 3
    /// In a hundred, of stalled connections and of requests for another deadline: those at which the coordinator dies soon
    /// after, and with it what it had to tell.
    var strikes = 0
    /// How long groups are left open when all has been healed.
    var lingering: UInt64 = 0
    /// In a hundred, of groups: those that are sealed as soon as they are opened with what they have.
    var sealing = 70
    /// Tasks of open groups, after which nothing is added.
    var mostUnfinished = 120
    /// In a hundred, of breaks of connections: those after which it is back at once, and gone again a moment later.
    var flickering = 0
    /// Connections fail on the way to clients only: what tasks have for their readers does not reach them.
    var hitsReaders = false
    /// How long a coordinator that was killed is away at most.
    package var longestOutage: UInt64 = 15 * SwarmOptions.second
    /// In a hundred, of reconnections: those at which a message comes twice.
    package var duplicates: Int
    /// In a hundred, of connections that a peer closes: those on which what it has sent still arrives.
    package var lateness: Int
    /// In a hundred, of new connections: those on which nothing gets through at first.
    package var slowStarts: Int
    /// In a hundred, of faults: those that the next one follows at once.
    package var bursts: Int
    /// How long a peer that wants to go on with its session waits for an answer before it asks again on another
    /// connection; `nil` for ever.
    var patience: TimeSpan?
    /// How often each kind of thing is injected in proportion to the others; 0 for never.
    package private(set) var weights: [Int]

    static let hasRecovery = true
    package static let millisecond: UInt64 = 1_000_000
    package static let second: UInt64 = 1_000_000_000

    package init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed, stream: 1)
        func oneOf(_ values: [UInt64]) -> UInt64 { generator.pick(values) ?? 0 }
        func share(_ percent: Int, _ values: ClosedRange<Int>) -> Int {
            generator.chance(percent) ? Int.random(in: values, using: &generator) : 0
        }
        isDurable = generator.chance(60) && Self.hasRecovery
        clients = Int.random(in: 1...4, using: &generator)
        workers = Int.random(in: 1...4, using: &generator)
        slotsPerWorker = Int.random(in: 1...4, using: &generator)
        let shortest = oneOf([20_000, 100_000, Self.millisecond])
        delay =
            shortest...(shortest + oneOf([10_000, Self.millisecond, 20 * Self.millisecond, 200 * Self.millisecond]))
        turnDelay = 0...oneOf([1_000, 100_000, 5 * Self.millisecond])
        let fastest = oneOf([100_000, Self.millisecond])
        commit = fastest...(fastest + oneOf([Self.millisecond, 20 * Self.millisecond, 500 * Self.millisecond]))
        requestInterval = oneOf([10, 40, 150]) * Self.millisecond
        faultInterval = oneOf([200, 1_000, 4_000]) * Self.millisecond
        longestTask = oneOf([5, 100, 1_500, 6_000]) * Self.millisecond
        failing = share(70, 1...30)
        // Together: what is tried again after its timeout, whatever stops the others.
        let isStubborn = generator.chance(35)
        timing = isStubborn ? 60 : 15
        retrying = isStubborn ? 80 : 35
        shielding = isStubborn ? 50 : 10
        ignoringCancel = share(50, 5...40)
        nesting = share(60, 5...40)
        crashing = share(30, 1...6)
        duplicates = share(60, 10...80)
        lateness = share(75, 20...100)
        slowStarts = share(50, 10...60)
        bursts = share(50, 20...80)
        weights = Injection.Kind.allCases.map { kind in
            // Without these nothing would happen at all.
            if kind == .openTree || kind == .addTasks { return kind.usualWeight }
            return share(kind.isFault ? 60 : 80, 1...(2 * kind.usualWeight))
        }
        let lease = oneOf([2, 5, 10]) * Self.second
        limits.lease = TimeSpan(nanoseconds: lease)
        // Some outlive whoever is given up while they run.
        if generator.chance(35) { longestTask = oneOf([3, 8]) * limits.lease.nanoseconds }
        let patience = lease / oneOf([1, 4, 10])
        setLease(lease, patience: generator.chance(60) ? patience : nil)
        limits.prefetchPerSlot = UInt32(oneOf([0, 4, 512]))
        limits.unconsumedBytes = oneOf([1_000, 8 << 20])
        limits.fairShare = Int(oneOf([1, 64]))
        streaming = share(60, 10...60)
        adding = share(50, 20...80)
        poisoning = share(25, 2...10)
        if generator.chance(20) {
            becomeStreaming(&generator)
        } else if generator.chance(10) {
            becomeFlaky()
        }
        specialize(seed: seed)
    }

    mutating func setLease(_ lease: UInt64, patience: UInt64?) {
        limits.lease = TimeSpan(nanoseconds: lease)
        limits.heartbeat = TimeSpan(nanoseconds: lease / 10)
        limits.unreachable = TimeSpan(nanoseconds: lease / 5)
        let slowest = 4 * (delay.upperBound + turnDelay.upperBound + commit.upperBound)
        self.patience = patience.map { TimeSpan(nanoseconds: max($0, slowest)) }
    }

    /// Tasks that write and do little else, under a coordinator that dies between them and their readers, or with readers that
    /// lose their connections: where everything goes wrong at once hardly any task lives to tell what was lost, and what one
    /// fault has lost another one brings back.
    private mutating func becomeStreaming(_ generator: inout SeededGenerator) {
        isDurable = Self.hasRecovery
        streaming = 90
        writingMuch = 60
        // What is tried again tells nothing at its end but what it has written.
        failing = generator.pick([0, 15, 40]) ?? 0
        if failing > 0 { retrying = 90 }
        withoutDistractions()
        longestTask = (generator.pick([6, 15]) ?? 6) * Self.second
        faultInterval = (generator.pick([100, 300, 1_000]) ?? 100) * Self.millisecond
        // What runs for a client does not outlast a coordinator that is away for long.
        longestOutage = generator.pick([500 * Self.millisecond, 15 * Self.second]) ?? 0
        // A busy coordinator finds a reader that is back and what was written meanwhile in the same turn.
        turnDelay = 0...(generator.pick([100_000, 5 * Self.millisecond, 100 * Self.millisecond]) ?? 0)
        setLease(2 * Self.second, patience: generator.chance(60) ? 500 * Self.millisecond : nil)
        let faults: [Injection.Kind] =
            generator.pick([
                [.coordinatorDies, .connectionStalls, .connectionBreaks], [.coordinatorDies, .connectionStalls],
                [.connectionStalls, .connectionBreaks], [.connectionStalls],
            ]) ?? []
        let kinds = [.openTree, .addTasks, .seal] + faults
        allow(kinds.map { ($0, weight: $0.usualWeight) })
    }

    /// Much is asked for and refused over connections that break, and are hardly back when they, or the coordinator, are gone
    /// again: what was missed is not told before the session is over.
    private mutating func becomeFlaky() {
        isDurable = Self.hasRecovery
        streaming = 0
        crashing = 0
        failing = 25
        retrying = 60
        poisoning = 4
        adding = 80
        delay = delay.lowerBound...(200 * Self.millisecond)
        longestTask = 100 * Self.millisecond
        requestInterval = 40 * Self.millisecond
        faultInterval = 100 * Self.millisecond
        bursts = 60
        longestOutage = 500 * Self.millisecond
        setLease(2 * Self.second, patience: 500 * Self.millisecond)
        let kinds: [Injection.Kind] = [
            .openTree, .addTasks, .seal, .cancelGroup, .coordinatorDies, .connectionBreaks, .connectionStalls,
        ]
        allow(kinds.map { ($0, weight: $0.usualWeight) })
    }

    /// Nothing stops a task, and none does anything but its work.
    mutating func withoutDistractions() {
        timing = 0
        ignoringCancel = 0
        nesting = 0
        adding = 0
        poisoning = 0
        crashing = 0
    }

    /// Only these are injected.
    mutating func allow(_ kinds: [(Injection.Kind, weight: Int)]) {
        weights = Injection.Kind.allCases.map { kind in kinds.first { $0.0 == kind }?.weight ?? 0 }
    }

    package func weight(of kind: Injection.Kind) -> Int { weights[Int(kind.rawValue)] }

    /// The kinds of faults that this seed has.
    package var faults: [Injection.Kind] { Injection.Kind.allCases.filter { $0.isFault && weight(of: $0) > 0 } }
}

extension SwarmOptions: CustomStringConvertible {
    package var description: String {
        func milliseconds(_ range: ClosedRange<UInt64>) -> String {
            "\(Double(range.lowerBound) / 1e6) to \(Double(range.upperBound) / 1e6) ms"
        }
        return """
            \(clients) clients, \(workers) workers with \(slotsPerWorker) slots, lease \(limits.lease.seconds) s, \
            \(isDurable ? "journal (\(milliseconds(commit)) a commit)" : "no journal"), messages take \
            \(milliseconds(delay)), tasks up to \(Double(longestTask) / 1e6) ms, in a hundred: \(failing) fail, \
            \(ignoringCancel) ignore a cancel, \(nesting) open groups, \(crashing) crash their process, \(poisoning) do so each time, \(adding) add to their groups, \(streaming) stream \
            their output, \(timing) have a timeout, \(retrying) may be tried again, \(shielding) are shielded; \
            theme: \(theme?.rawValue ?? "none"); \
            faults: \(faults.isEmpty ? "none" : faults.map(\.name).joined(separator: ", "))
            """
    }
}
