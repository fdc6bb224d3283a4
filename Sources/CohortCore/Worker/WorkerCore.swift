internal import DequeModule

/// The centre of a worker: which of its tasks runs when, what is reported, what a cancel means for each.
///
/// A value like `CoordinatorCore`: events in, actions out. What is to be reported gathers and leaves with `flush`, one
/// message for everything that has happened in a burst.
package struct WorkerCore: Sendable, Equatable {
    package enum Phase: Sendable, Equatable {
        /// Waits for a free slot here. Next: `submitted`, or handed back, or cancelled unstarted.
        case waiting
        /// Given to the process loop or to a call host. Next: ended, or handed back by the host.
        case submitted
    }

    package struct Entry: Sendable, Equatable {
        var ref: AttemptRef
        var template: TemplateID
        var index: UInt32
        var isCall: Bool
        var phase = Phase.waiting
        var isRunning = false
        var hasStarted = false
        /// Of the cancel that was passed on; `nil` before one has come.
        var grace: TimeSpan?
        var retracting = false
        /// It waits for groups of its own, and its slot is free for others (R11).
        var isSuspended = false
        var execution: UInt32
        var deadlineIn: TimeSpan?
        var slot: UInt32 = 0
        var payload: [UInt8]
        var standardOutputTail: [UInt8] = []
        var standardErrorTail: [UInt8] = []
        /// It has what it waited for, and wants a slot.
        var isWanting = false
        /// Streamed output, in bytes: all of it, and how much its reader has dealt with.
        var written: UInt64 = 0
        var granted: UInt64 = 0
        /// With a durable coordinator: how much of it has been reported, and what lies between granted and written.
        var reported: UInt64 = 0
        var kept = OutputStretch()
        /// It is being killed because the coordinator was not heard of for so long.
        var silence: TimeSpan?
        /// It is being killed because the coordinator has no more use for it, not even for the news of its end.
        var isUnwanted = false

        var isGivenUp: Bool { silence != nil || isUnwanted }

        var cancelRequested: Bool { grace != nil }
    }

    /// Bytes of stdout and of stderr kept of a task whose output nobody streams.
    package static let tailBytes = 64 << 10
    /// Cancels of tasks that have not arrived yet (a cancel may overtake its task), the oldest forgotten first.
    package static let tombstoneLimit = 10_000
    /// Calls that may wait in a host behind the one that runs.
    package static let callDepth = 128

    package let slots: UInt32
    /// How long a task may wait here without anything having ended before it is handed back to go elsewhere.
    package let stallLimit: TimeSpan

    var entries = TaskTable<Entry>()
    var waiting: Deque<TaskKey> = []
    /// Calls that have waited for groups of their own and go on as soon as a slot is free.
    var resuming: Deque<TaskKey> = []
    var templates: [TemplateID: AssignedTemplate] = [:]
    /// The one that was asked for last: tasks of one template come in long runs.
    private var latestTemplate: AssignedTemplate?
    var tombstones: Set<AttemptRef> = []
    var tombstoneOrder: Deque<AttemptRef> = []
    var freeSlotNumbers: [UInt32]
    var commandsRunning: UInt32 = 0
    var callsSubmitted: UInt32 = 0
    /// Calls that wait for groups of their own.
    var suspendedCount: UInt32 = 0
    var lastProgress = Instant(nanoseconds: 0)
    var isDraining = false
    var hasToldDrained = false
    var report = ReportBox()
    /// The coordinator is durable, and what it has not granted is kept for its next life.
    var keepsOutput = false
    /// Tasks that have written something since the last flush.
    var unreported: [TaskKey] = []
    /// Set while the coordinator cannot be heard: nothing begins.
    var cutOff: CutOff?
    /// Reports so far, and those with ends that are not acknowledged.
    var reportCount: UInt64 = 0
    var reportedEnds: Deque<ReportedEnds> = []

    package init(slots: UInt32, stallLimit: TimeSpan = .milliseconds(50)) {
        self.slots = slots
        self.stallLimit = stallLimit
        freeSlotNumbers = (1...max(slots, 1)).reversed()
    }

    package var isIdle: Bool { entries.isEmpty }

    /// Tasks that hold a slot here.
    package var runningCount: UInt32 { min(commandsRunning + callsSubmitted, slots) }

    /// When `timeReached` is due: when what waits behind running tasks has waited long enough.
    package var nextDeadline: Instant? {
        if let cutOff { return entries.isEmpty ? nil : cutOff.due }
        let ahead = callsSubmitted > slots
        return waiting.isEmpty && !ahead ? nil : lastProgress.advanced(by: stallLimit)
    }

    package mutating func handle(_ event: WorkerEvent, at now: Instant, into actions: inout [WorkerAction]) {
        switch event {
        case .assigned(let batch): assigned(batch, at: now)
        case .cancelled(let orders): for order in orders { cancelled(order, into: &actions) }
        case .granted(let grants): granted(grants, into: &actions)
        case .forgotten(let ids):
            for id in ids { templates[id] = nil }
            latestTemplate = nil
        case .attemptStarted(let task): attemptStarted(task)
        case .outputArrived(let task, let stream, let bytes): outputArrived(task, stream, bytes, into: &actions)
        case .commandEnded(let task, let end): commandEnded(task, end, at: now, into: &actions)
        case .commandNotStarted(let task, let message, let command):
            commandNotStarted(task, message: message, command: command, at: now)
        case .callEnded(let task, let end, let elapsed): callEnded(task, end, elapsed: elapsed, at: now)
        case .callsReturned(let tasks): for task in tasks { callReturned(task) }
        case .callWaiting(let task): callWaiting(task)
        case .callWanting(let task):
            guard let entry = entries[task], entry.isSuspended else { break }
            entries[task]?.isWanting = true
            report.wanting(entry.ref)
        case .proceedGranted(let refs): for ref in refs { proceedGranted(ref, into: &actions) }
        case .progressed(let task, let fraction, let note):
            guard let entry = entries[task] else { break }
            report.progress(AttemptProgress(ref: entry.ref, fraction: fraction, note: note))
        case .drainRequested: drainRequested(into: &actions)
        case .timeReached: timeReached(at: now, into: &actions)
        case .cutOff(let lastHeard, let lease, let isDurable):
            wasCutOff(lastHeard: lastHeard, lease: lease, isDurable: isDurable, at: now, into: &actions)
        case .wayRestored: wayIsBack(at: now)
        case .heardAgain: cutOff = nil
        case .welcomed(let isDurable): keepsOutput = isDurable
        case .resumed(let unwanted): wasResumed(unwanted: unwanted, into: &actions)
        }
        startWaiting(at: now, into: &actions)
    }

    /// Emits what is to be reported.
    package mutating func flush(into actions: inout [WorkerAction]) {
        reportOutput()
        for full in report.takeAll() {
            reportCount += 1
            if !full.finished.isEmpty { reportedEnds.append(ReportedEnds(message: reportCount, ends: full.finished)) }
            actions.append(.report(full))
        }
        if isDraining, entries.isEmpty, !hasToldDrained {
            hasToldDrained = true
            actions.append(.drained)
        }
    }

    // MARK: From the coordinator

    private mutating func assigned(_ batch: AssignBatch, at now: Instant) {
        for template in batch.templates { templates[template.id] = template }
        latestTemplate = nil
        if entries.isEmpty || waiting.isEmpty { lastProgress = now }
        var offset = 0
        for task in batch.tasks {
            let end = min(offset + Int(task.payloadLength), batch.payload.count)
            let payload = Array(batch.payload[offset..<end])
            offset = end
            if !tombstones.isEmpty, tombstones.remove(task.ref) != nil {
                reportUnstarted(task.ref)
                continue
            }
            // While it drains, what its waiting calls wait for must still be able to run.
            let isWanted = !isDraining || suspendedCount > 0
            guard isWanted, let template = template(task.template), !entries.contains(task.ref.task) else {
                report.returned(task.ref)
                continue
            }
            entries[task.ref.task] = Entry(
                ref: task.ref,
                template: task.template,
                index: task.index,
                isCall: !template.template.function.isEmpty,
                execution: task.execution,
                deadlineIn: task.deadlineIn,
                payload: payload
            )
            waiting.append(task.ref.task)
        }
    }

    /// Cancellation is state: known tasks are asked to end once, unknown ones are remembered, all are acknowledged.
    private mutating func cancelled(_ order: CancelOrder, into actions: inout [WorkerAction]) {
        let ref = order.ref
        report.cancelSeen(ref)
        guard let entry = entries[ref.task], entry.ref == ref else {
            bury(ref)
            return
        }
        switch entry.phase {
        case .waiting:
            waiting.removeAll { $0 == ref.task }
            entries[ref.task] = nil
            reportUnstarted(ref)
        case .submitted:
            // Sent again it must not begin the grace anew; only a shorter one says something new.
            if let grace = entry.grace, order.grace >= grace { return }
            entries[ref.task]?.grace = order.grace
            actions.append(
                .cancel(ref.task, isCall: entry.isCall, grace: order.grace, cause: order.cause, reason: order.reason)
            )
            if let place = resuming.firstIndex(of: ref.task) {
                resuming.remove(at: place)
                resume(ref.task, into: &actions)
            }
        }
    }

    private mutating func bury(_ ref: AttemptRef) {
        guard tombstones.insert(ref).inserted else { return }
        tombstoneOrder.append(ref)
        if tombstoneOrder.count > Self.tombstoneLimit { tombstones.remove(tombstoneOrder.removeFirst()) }
    }

    mutating func reportUnstarted(_ ref: AttemptRef) {
        report.finished(FinishedAttempt(ref: ref, status: .cancelled, started: false))
    }

    private mutating func drainRequested(into actions: inout [WorkerAction]) {
        guard !isDraining else { return }
        isDraining = true
        actions.append(.announceDraining)
        handBackWaiting { _ in true }
        retractCalls(into: &actions) { _ in true }
    }

    private mutating func timeReached(at now: Instant, into actions: inout [WorkerAction]) {
        guard let due = nextDeadline, now >= due else { return }
        if cutOff != nil { return giveUpOverdue(at: now, into: &actions) }
        // Something long runs in front of them; another worker may be idle.
        handBackWaiting { _ in true }
        if callsSubmitted > slots { retractCalls(into: &actions) { !$0.isRunning } }
        lastProgress = now
    }

    mutating func handBackWaiting(where matches: (Entry) -> Bool) {
        var kept: Deque<TaskKey> = []
        for task in waiting {
            guard let entry = entries[task] else { continue }
            if matches(entry) {
                report.returned(entry.ref)
                entries[task] = nil
            } else {
                kept.append(task)
            }
        }
        waiting = kept
    }

    mutating func retractCalls(into actions: inout [WorkerAction], where matches: (Entry) -> Bool) {
        let ahead = entries.values
            .filter { $0.isCall && $0.phase == .submitted && !$0.retracting && matches($0) }
            .map(\.ref.task)
            .sorted { $0.raw < $1.raw }
        for task in ahead { entries[task]?.retracting = true }
        if !ahead.isEmpty { actions.append(.retract(ahead)) }
    }

    // MARK: Starting

    mutating func forgetLatestTemplate() { latestTemplate = nil }

    mutating func template(_ id: TemplateID) -> AssignedTemplate? {
        if latestTemplate?.id != id { latestTemplate = templates[id] }
        return latestTemplate
    }

    private mutating func startWaiting(at now: Instant, into actions: inout [WorkerAction]) {
        guard cutOff == nil else { return }
        while let task = resuming.first, commandsRunning + callsSubmitted < slots {
            resuming.removeFirst()
            resume(task, into: &actions)
        }
        guard resuming.isEmpty else { return }
        while let task = waiting.first {
            let isFree = commandsRunning + callsSubmitted < slots
            let hasRoomInHosts = commandsRunning == 0 && callsSubmitted < slots * UInt32(Self.callDepth)
            // Before anything is looked up: this is asked with every event.
            guard isFree || hasRoomInHosts else { return }
            guard let entry = entries[task], let template = template(entry.template) else { return }
            // A call with a timeout waits here, for its time counts from its start, and only this side can tell that.
            let mayWaitInHost = entry.isCall && template.template.timeout == nil
            guard isFree || mayWaitInHost else { return }
            waiting.removeFirst()
            submit(task, entry, template, ahead: mayWaitInHost, at: now, into: &actions)
        }
    }

    private mutating func submit(
        _ task: TaskKey,
        _ entry: Entry,
        _ template: AssignedTemplate,
        ahead: Bool,
        at now: Instant,
        into actions: inout [WorkerAction]
    ) {
        var entry = entry
        entry.phase = .submitted
        if !entry.isCall { entry.slot = freeSlotNumbers.popLast() ?? 0 }
        let order = WorkOrder(
            task: task,
            template: template.template,
            groupName: template.groupName,
            hold: template.hold,
            index: entry.index,
            attempt: entry.ref.attempt,
            execution: entry.execution,
            deadlineIn: entry.deadlineIn,
            slot: entry.slot,
            payload: entry.payload
        )
        entry.payload = []
        entries[task] = entry
        if entry.isCall {
            callsSubmitted += 1
            actions.append(.runCall(order, ahead: ahead))
        } else {
            commandsRunning += 1
            actions.append(.runCommand(order))
        }
    }

    // MARK: From the executors

    mutating func attemptStarted(_ task: TaskKey) {
        guard let entry = entries[task] else { return }
        entries[task]?.isRunning = true
        entries[task]?.hasStarted = true
        report.started(entry.ref)
    }
}
