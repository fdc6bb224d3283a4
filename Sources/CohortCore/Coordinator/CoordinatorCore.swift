/// The centre of a coordinator: it decides every outcome.
///
/// A value without sockets, clocks, threads, randomness or `async`: events go in, actions come out, and the same events at
/// the same times give the same actions. The *shell* around it turns frames into events and actions into frames.
///
/// `handle` takes one event and works out what follows from it. What is to be sent is gathered by receiver, and `flush` emits
/// it once a burst of events has been dealt with, so that as many tasks or results as are ready travel in one message and
/// none waits for more. `nextDeadline` tells when `timeReached` is due.
///
/// The rules are those of `asyncio.TaskGroup`, save for the rulings R1 to R15 of the specification.
package struct CoordinatorCore: Sendable, Equatable {
    package let limits: Limits
    /// Whether each flush emits what has changed, for a journal.
    package let keepsJournal: Bool
    /// Says what a coordinator remembers: the same for all that go on with one journal, and another one for each of those
    /// that keep none. To be set before anybody joins; a journal that has one already keeps it.
    package internal(set) var lineage: UInt64 = 0
    /// Reads payloads of commands, which nothing else does here, for the reports of those whose worker cannot tell any more
    /// what it ran.
    package var commandReader = CommandReader { _ in "" }

    // Slabs: records at places that are used again. A place says nothing about its tenant's age; keys and ids do.
    var tasks: ContiguousArray<TaskRecord> = []
    var freeTasks: [UInt32] = []
    var groups: ContiguousArray<GroupRecord> = []
    var freeGroups: [UInt32] = []
    var templates: ContiguousArray<TemplateRecord> = []
    var freeTemplates: [UInt32] = []
    var chunks: ContiguousArray<PayloadChunk> = []
    var freeChunks: [UInt32] = []
    var clients: ContiguousArray<ClientRecord> = []
    var freeClients: [UInt32] = []
    var workers: ContiguousArray<WorkerRecord> = []
    var freeWorkers: [UInt32] = []

    // Looked up, never iterated: their order is not the same in any two processes.
    var groupPlaces: [GroupID: UInt32] = [:]
    var clientPlaces: [SessionID: UInt32] = [:]
    var workerPlaces: [SessionID: UInt32] = [:]
    var clientTokens: [PeerToken: UInt32] = [:]
    var workerTokens: [PeerToken: UInt32] = [:]
    var departedTokens = DepartedTokens()
    /// What a task may need of a worker: number 0 is "runs commands", the others are function names.
    var requirements: [String: UInt32] = ["": 0]
    /// Open groups of each task that has opened any.
    var nestedGroups: [UInt32: [UInt32]] = [:]
    /// What became of the attempts of tasks that are `ending`.
    var pendingEnds: [UInt32: PendingEnd] = [:]
    /// The sessions that have added tasks to groups of others: they are told of them, too.
    var spawners: [UInt32: ClientReference] = [:]
    /// The last failure of each task that waits for its retry; told if the retry never comes.
    var pendingFailures: [UInt32: PendingFailure] = [:]
    /// How many workers have died under each task under which any has.
    var crashes: [UInt32: UInt8] = [:]

    /// Workers that have left, the latest last: reports that are told later name them still.
    var departedWorkers: [WorkerSummary] = []

    /// Places of the open root groups, in the order of opening.
    var openRoots: [UInt32] = []
    /// Which of them has the next turn.
    var turn = 0
    /// Places of closed detached roots, oldest first.
    var closedRoots: [UInt32] = []

    var timers = TimerHeap()
    var nextGroup: UInt64 = 1
    var nextTemplate: UInt64 = 1
    var nextWorker: UInt32 = 1
    var nextOrder: UInt64 = 0
    /// Of clients (`ClientReference`).
    var nextIdentity: UInt64 = 1
    /// How many tasks have ended here.
    var endedTasks: UInt64 = 0
    /// Of what the journal says about ends.
    var nextSequence: UInt64 = 0
    /// The highest generation of any task's place.
    var topGeneration: UInt32 = 0
    /// Up to here generations have been used before this coordinator began.
    var generationFloor: UInt32 = 0
    var queuedTasks = 0
    var unfinishedTasks = 0
    var staleMessages: UInt64 = 0
    var isTicking = false
    /// When the next tick is due, while there is one.
    var tickDue = Instant(nanoseconds: 0)
    var isDraining = false
    var hasToldDrained = false
    /// Set whenever a slot or a task may have become free, so that quiet bursts cost no scheduling.
    var mayAssign = false
    /// Places of workers and clients with something in a box, in the order in which that came about.
    var dirtyWorkers: [UInt32] = []
    var dirtyClients: [UInt32] = []
    /// Clients that have asked for a snapshot. It follows all that was to be told them before.
    var queries: [SessionID] = []

    /// Sessions that have joined since the last flush.
    var welcomes: [PendingWelcome] = []
    /// What the journal has to be told.
    var draft = JournalDraft()

    package init(limits: Limits = Limits(), keepsJournal: Bool = false) {
        self.limits = limits
        self.keepsJournal = keepsJournal
    }

    package mutating func begin(lineage: UInt64) {
        if self.lineage == 0 { self.lineage = lineage }
    }

    /// When `timeReached` must be handled at the latest; `nil` for never.
    package var nextDeadline: Instant? { timers.nextDue }

    /// Takes in one event.
    ///
    /// Actions that cannot wait for `flush`, such as a session's end, are appended to `actions` at once.
    package mutating func handle(_ event: CoordinatorEvent, at now: Instant, into actions: inout [CoordinatorAction]) {
        switch event {
        case .clientJoined(let session, let token, let request):
            clientJoined(session, token, request, at: now, into: &actions)
        case .workerJoined(let session, let offer, let token, let request):
            workerJoined(session, offer, token, request, at: now, into: &actions)
        case .heard(let session): heard(session, at: now)
        case .silenceExcused(let session): silenceExcused(session, at: now)
        case .unreachable(let session): unreachable(session, at: now)
        case .connectionLost: probe(into: &actions)
        case .sessionEnded(let session, let end): sessionEnded(session, end, at: now, into: &actions)
        case .workerDied(let token, let death): workerDied(token, death, at: now, into: &actions)
        case .workerDraining(let session): workerDraining(session)
        case .workerReported(let session, let report): workerReported(session, report, at: now)
        case .groupOpened(let session, let spec): groupOpened(session, spec, at: now)
        case .tasksSubmitted(let session, let submission): tasksSubmitted(session, submission, at: now)
        case .groupSealed(let session, let key, let end): groupSealed(session, key, end, at: now)
        case .siblingsJoined(let session, let key, let owner): siblingsJoined(session, key, owner)
        case .groupCancelled(let session, let target, let grace, let reason, let token):
            groupCancelled(session, target, grace: grace, reason: reason, token: token, at: now)
        case .taskCancelled(let session, let key, let index, let reason, let token):
            taskCancelled(session, key, index: index, reason: reason, token: token, at: now)
        case .deadlineChanged(let session, let target, let span, let token):
            changeDeadline(session, target, to: span.map { now.advanced(by: $0) }, token: token)
        case .deadlineExtended(let session, let target, let span, let token):
            extendDeadline(session, target, by: span, token: token)
        case .consumed(let session, let weight, let outputs): consumed(session, weight: weight, outputs)
        case .updatesReceived(let session, let count): updatesReceived(session, upTo: count)
        case .watched(let session, let target): watched(session, target, at: now)
        case .queried(let session): queried(session)
        case .drainRequested: drainRequested(at: now)
        case .timeReached: timeReached(at: now, into: &actions)
        }
    }

    /// Gives out free slots and emits what has gathered for each worker and client.
    package mutating func flush(at now: Instant, into actions: inout [CoordinatorAction]) {
        if mayAssign { assignReadyTasks(at: now) }
        // Before the record: what has been told may be all that was kept for.
        if keepsJournal { feedOwners() }
        feedWatchers(at: now)
        dropClosedRoots(at: now)
        if keepsJournal, let batch = takeBatch() { actions.append(.record(batch)) }
        flushWelcomes(into: &actions)
        flushWorkers(into: &actions)
        flushClients(into: &actions)
        answerQueries(at: now, into: &actions)
        if isDraining, openRoots.isEmpty, !hasToldDrained {
            hasToldDrained = true
            actions.append(.drained)
        }
    }

    private mutating func flushWelcomes(into actions: inout [CoordinatorAction]) {
        for welcome in welcomes where clientPlaces[welcome.session] != nil || workerPlaces[welcome.session] != nil {
            actions.append(.welcome(welcome.session, resumed: welcome.resumed, unwanted: welcome.unwanted))
        }
        welcomes.removeAll(keepingCapacity: true)
    }

    private mutating func flushWorkers(into actions: inout [CoordinatorAction]) {
        for place in dirtyWorkers {
            let index = Int(place)
            // One that comes back is told what is left of this.
            guard !workers[index].isGone, !workers[index].isAbsent else { continue }
            let session = workers[index].session
            for orders in workers[index].cancelBox.pieces(of: ClientOutbox.messageRows) {
                actions.append(.cancel(session, orders))
            }
            workers[index].cancelBox.removeAll()
            for batch in workers[index].fullAssignBoxes { actions.append(.assign(session, batch)) }
            workers[index].fullAssignBoxes.removeAll()
            if !workers[index].assignBox.tasks.isEmpty {
                actions.append(.assign(session, workers[index].assignBox))
                workers[index].assignBox = AssignBatch()
                workers[index].assignTemplateBytes = 0
            }
            for grants in workers[index].grantBox.pieces(of: ClientOutbox.messageRows) {
                actions.append(.grant(session, grants))
            }
            workers[index].grantBox.removeAll()
            for refs in workers[index].proceedBox.pieces(of: ClientOutbox.messageRows) {
                actions.append(.proceed(session, refs))
            }
            workers[index].proceedBox.removeAll()
            for templates in workers[index].forgetBox.pieces(of: ClientOutbox.messageRows) {
                actions.append(.forget(session, templates))
            }
            workers[index].forgetBox.removeAll()
        }
        dirtyWorkers.removeAll(keepingCapacity: true)
    }

    private mutating func flushClients(into actions: inout [CoordinatorAction]) {
        for place in dirtyClients {
            let index = Int(place)
            guard !clients[index].isGone, !clients[index].isAbsent, !clients[index].outbox.isEmpty else { continue }
            let updates = clients[index].outbox.takeAll()
            for update in updates {
                clients[index].sentUpdates += 1
                if keepsJournal, !update.outputs.isEmpty {
                    let number = clients[index].sentUpdates
                    clients[index].sentOutput.append(SentUpdate(number: number, update: update))
                }
                actions.append(.update(clients[index].id, update))
            }
        }
        dirtyClients.removeAll(keepingCapacity: true)
    }

    /// The client's outbox is about to get something.
    mutating func markClient(_ place: UInt32) {
        if dirtyClients.last != place { dirtyClients.append(place) }
    }

    /// One of the worker's boxes is about to get something.
    mutating func markWorker(_ place: UInt32) {
        if dirtyWorkers.last != place { dirtyWorkers.append(place) }
    }
}

extension Array {
    /// The elements in order, at most `count` in each piece; no piece of an empty array.
    fileprivate func pieces(of count: Int) -> [[Element]] {
        guard self.count > count else { return isEmpty ? [] : [self] }
        return stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}
