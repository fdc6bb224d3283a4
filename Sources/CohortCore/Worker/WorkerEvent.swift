/// How the process of a command ended, as the executor saw it.
package struct CommandEnd: Sendable, Equatable {
    package var exitCode: Int32?
    package var signal: Int32?
    package var coreDumped = false
    /// A cancel's signal was sent to it before it ended.
    package var wasSignalled = false
    /// It, or part of its process tree, had to be killed.
    package var forced = false
    package var elapsed = TimeSpan.zero
    package var userTime = TimeSpan.zero
    package var systemTime = TimeSpan.zero
    package var maxResidentBytes: UInt64 = 0
    package var standardErrorTail: [UInt8] = []
    package var standardOutputBytes: UInt64 = 0
    package var standardErrorBytes: UInt64 = 0
    /// One line: what ran.
    package var command = ""

    package init() {}
}

/// How a call ended, as its host saw it.
package enum CallEnd: Sendable, Equatable {
    case returned([UInt8])
    /// The tree is JSON of an error node; empty for a plain error.
    case threw(type: String, message: String, trace: String, tree: [UInt8] = [])
    case cancelled(started: Bool)
    /// The host's process died under it; `forced` when it was killed from here.
    case died(exitCode: Int32?, signal: Int32?, forced: Bool)
}

/// What happened at a worker.
package enum WorkerEvent: Sendable, Equatable {
    case assigned(AssignBatch)
    case cancelled([CancelOrder])
    case granted([OutputGrant])
    case forgotten([TemplateID])

    case attemptStarted(TaskKey)
    case outputArrived(TaskKey, OutputStream, [UInt8])
    /// Kept apart, or every event would be as large as this rare one.
    indirect case commandEnded(TaskKey, CommandEnd)
    /// The program could not be started; the text says which and why.
    case commandNotStarted(TaskKey, message: String, command: String)
    case callEnded(TaskKey, CallEnd, elapsed: TimeSpan)
    /// Calls that had been sent ahead to a host and come back unstarted.
    case callsReturned([TaskKey])
    /// The call waits for groups of its own, and gives up its slot.
    case callWaiting(TaskKey)
    /// The call has what it waited for, and wants a slot to go on.
    case callWanting(TaskKey)
    case proceedGranted([AttemptRef])
    case progressed(TaskKey, fraction: Double?, note: String)

    case drainRequested
    case timeReached

    /// The connection has broken, or the session is over: the coordinator cannot be heard. `lease` counts from when it was.
    case cutOff(lastHeard: Instant, lease: TimeSpan, isDurable: Bool)
    /// There is a way to the coordinator again, or to one that has taken its place.
    case wayRestored
    /// The coordinator is heard again, in the same session.
    case heardAgain
    /// A session has been opened, by a coordinator whose groups outlive its process or by another one.
    case welcomed(isDurable: Bool)
    /// A session continues the one that was lost; it wants nothing of these attempts.
    case resumed(unwanted: [AttemptRef])
}

/// What a worker's shell must do.
package enum WorkerAction: Sendable, Equatable {
    case runCommand(WorkOrder)
    /// `ahead` calls may wait in a host behind others.
    case runCall(WorkOrder, ahead: Bool)
    case cancel(TaskKey, isCall: Bool, grace: TimeSpan, cause: CancelCause, reason: String)
    case grant(TaskKey, isCall: Bool, bytes: UInt64)
    /// Take these calls back from their hosts, as far as they have not begun.
    case retract([TaskKey])
    /// To be killed at once; its end is an event as ever.
    case kill(TaskKey, isCall: Bool)
    /// The call has a slot again.
    case proceed(TaskKey)
    case report(WorkerReport)
    case announceDraining
    /// Nothing is left after `drainRequested`.
    case drained
}

/// A task to run, with all that its program is told.
package struct WorkOrder: Sendable, Equatable {
    package var task: TaskKey
    package var template: TaskTemplate
    package var groupName: String
    package var hold: HoldRule
    /// Its number in its group, from 0.
    package var index: UInt32
    /// The fence of this assignment.
    package var attempt: UInt32
    /// Which start of its program this is, from 1: what users know as the attempt.
    package var execution: UInt32
    /// To the nearest deadline of the groups around it, when it was assigned.
    package var deadlineIn: TimeSpan?
    /// 1 to the number of slots.
    package var slot: UInt32
    package var payload: [UInt8]

    package init(
        task: TaskKey,
        template: TaskTemplate,
        groupName: String,
        hold: HoldRule,
        index: UInt32,
        attempt: UInt32,
        execution: UInt32 = 1,
        deadlineIn: TimeSpan? = nil,
        slot: UInt32,
        payload: [UInt8]
    ) {
        self.task = task
        self.template = template
        self.groupName = groupName
        self.hold = hold
        self.index = index
        self.attempt = attempt
        self.execution = execution
        self.deadlineIn = deadlineIn
        self.slot = slot
        self.payload = payload
    }
}
