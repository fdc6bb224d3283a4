/// What a worker says of itself when it joins.
package struct WorkerOffer: Sendable, Equatable {
    package var name: String
    package var host: String
    package var processID: UInt32
    package var slots: UInt32
    /// Most tasks it wants to hold, running ones included.
    package var credit: UInt32
    package var runsCommands: Bool
    package var functions: [String]
    /// What it has from a session that this one continues.
    package var held: [HeldAttempt]

    package init(
        name: String,
        host: String,
        processID: UInt32,
        slots: UInt32,
        credit: UInt32,
        runsCommands: Bool,
        functions: [String],
        held: [HeldAttempt] = []
    ) {
        self.name = name
        self.host = host
        self.processID = processID
        self.slots = slots
        self.credit = credit
        self.runsCommands = runsCommands
        self.functions = functions
        self.held = held
    }
}

/// An attempt that a worker still has when it begins a new session.
package struct HeldAttempt: Sendable, Equatable {
    package enum State: UInt8, Sendable, CaseIterable {
        /// Its program has not begun.
        case unstarted
        case running
        /// It waits for groups of its own, without a slot.
        case waiting
        /// It has waited and wants a slot.
        case wanting
        /// It is over, and a report that says so follows.
        case ended
    }
    package var ref: AttemptRef
    package var state: State

    package init(ref: AttemptRef, state: State) {
        self.ref = ref
        self.state = state
    }
}

/// When a worker must hand back what it has not started of a group: a stop takes effect before a slot is used again (R15).
package enum HoldRule: UInt8, Sendable, CaseIterable {
    case never
    /// The group stops at the first failure.
    case afterFailure
    /// The group stops at the first success.
    case afterSuccess
}

/// One task for a worker; its payload stands in `AssignBatch.payload`, in order.
package struct Assignment: Sendable, Equatable {
    package var ref: AttemptRef
    package var template: TemplateID
    /// Its number in its group.
    package var index: UInt32
    /// Which start of its program this will be, from 1.
    package var execution: UInt32
    /// To the nearest deadline of the groups around it. A hint: the coordinator enforces it, and may be asked to move it.
    package var deadlineIn: TimeSpan?
    package var payloadLength: UInt32

    package init(
        ref: AttemptRef,
        template: TemplateID,
        index: UInt32,
        execution: UInt32 = 1,
        deadlineIn: TimeSpan? = nil,
        payloadLength: UInt32
    ) {
        self.ref = ref
        self.template = template
        self.index = index
        self.execution = execution
        self.deadlineIn = deadlineIn
        self.payloadLength = payloadLength
    }
}

/// A template on its way to a worker, with what the worker must know of the group.
package struct AssignedTemplate: Sendable, Equatable {
    package var id: TemplateID
    package var group: GroupID
    package var groupName: String
    package var hold: HoldRule
    package var template: TaskTemplate
    /// Its tasks go on without the coordinator, for the lease.
    package var detached: Bool

    package init(
        id: TemplateID,
        group: GroupID,
        groupName: String,
        hold: HoldRule,
        template: TaskTemplate,
        detached: Bool = false
    ) {
        self.id = id
        self.group = group
        self.groupName = groupName
        self.hold = hold
        self.template = template
        self.detached = detached
    }
}

/// Tasks for a worker, as many as are ready.
package struct AssignBatch: Sendable, Equatable {
    package var templates: [AssignedTemplate] = []
    package var tasks: [Assignment] = []
    package var payload: [UInt8] = []
    package init() {}

    /// As much as should travel in one message.
    package var isFull: Bool {
        tasks.count >= ClientOutbox.messageRows || templates.count >= 4_096
            || payload.count >= ClientOutbox.messageBytes
    }
}

/// A request to end an attempt. It is state: repeated until acknowledged.
package struct CancelOrder: Sendable, Equatable {
    package var ref: AttemptRef
    package var grace: TimeSpan
    package var cause: CancelCause
    package var reason: String

    package init(ref: AttemptRef, grace: TimeSpan, cause: CancelCause, reason: String) {
        self.ref = ref
        self.grace = grace
        self.cause = cause
        self.reason = reason
    }
}

/// How far the output of an attempt has been dealt with: what its worker need not keep, and may send anew.
package struct OutputGrant: Sendable, Equatable {
    package var ref: AttemptRef
    /// In bytes of both streams together, from the attempt's first one.
    package var position: UInt64

    package init(ref: AttemptRef, position: UInt64) {
        self.ref = ref
        self.position = position
    }
}

package enum OutputStream: UInt8, Sendable, CaseIterable {
    case standardOutput
    case standardError
}

/// A piece of a task's output; its bytes stand in the payload of the message, in order.
package struct OutputChunk: Sendable, Equatable {
    package var ref: AttemptRef
    package var stream: OutputStream
    /// Bytes that the attempt had written before, to both streams together.
    package var offset: UInt64
    package var length: UInt32

    package init(ref: AttemptRef, stream: OutputStream, offset: UInt64 = 0, length: UInt32) {
        self.ref = ref
        self.stream = stream
        self.offset = offset
        self.length = length
    }
}

/// The end of an attempt, as its worker saw it.
package struct FinishedAttempt: Sendable, Equatable {
    package var ref: AttemptRef
    package var status: AttemptStatus
    /// Its program was started.
    package var started: Bool
    package var elapsed: TimeSpan
    package var valueLength: UInt32
    /// Place in `WorkerReport.details`; -1 for none.
    package var detail: Int32

    package init(
        ref: AttemptRef,
        status: AttemptStatus,
        started: Bool = true,
        elapsed: TimeSpan = .zero,
        valueLength: UInt32 = 0,
        detail: Int32 = -1
    ) {
        self.ref = ref
        self.status = status
        self.started = started
        self.elapsed = elapsed
        self.valueLength = valueLength
        self.detail = detail
    }
}

/// How far an attempt says that it is.
package struct AttemptProgress: Sendable, Equatable {
    package var ref: AttemptRef
    /// From 0 to 1; `nil` if it cannot tell.
    package var fraction: Double?
    package var note: String

    package init(ref: AttemptRef, fraction: Double?, note: String) {
        self.ref = ref
        self.fraction = fraction
        self.note = note
    }
}

/// All that has happened at a worker since its last report.
///
/// `payload` holds the bytes of `outputs`, then the values of `finished`.
package struct WorkerReport: Sendable, Equatable {
    package var outputs: [OutputChunk] = []
    package var started: [AttemptRef] = []
    package var finished: [FinishedAttempt] = []
    package var details: [AttemptDetail] = []
    /// Handed back unstarted; they go to another worker or come again, nobody is blamed.
    package var returned: [AttemptRef] = []
    package var cancelsSeen: [AttemptRef] = []
    /// These wait for groups of their own and have given up their slots (R11).
    package var waiting: [AttemptRef] = []
    /// These have what they waited for and want a slot back.
    package var wanting: [AttemptRef] = []
    package var progress: [AttemptProgress] = []
    package var payload: [UInt8] = []

    package init() {}

    package var isEmpty: Bool {
        outputs.isEmpty && started.isEmpty && finished.isEmpty && returned.isEmpty && cancelsSeen.isEmpty
            && waiting.isEmpty && wanting.isEmpty && progress.isEmpty
    }
}
