/// Where a task stands on its way.
package enum TaskState: UInt8, Sendable {
    /// The place is vacant. Next: `queued`.
    case free
    /// In its group's queue. Next: `assigned`, or ended when its group stops.
    case queued
    /// Its last attempt failed and the next one waits out the backoff. Next: `queued`, or ended when its group stops.
    case delayed
    /// A worker has it and has not said that it runs. Next: `running`, `queued` when it comes back unstarted, or ended.
    case assigned
    /// A worker runs it. Next: `waiting`, `ending`, `delayed` or `queued` for a retry, or ended.
    case running
    /// It runs, but waits for groups of its own and has given up its slot (R11). Next: `wanting`, or as for `running`.
    case waiting
    /// It has what it waited for and is to have a slot again. Next: `running`, `waiting`, or as for `running`.
    case wanting
    /// Its attempt has ended, but groups that it has opened have not. Next: as for `running`.
    case ending

    /// One of the slots of its worker is taken by it, or will be at once.
    package var holdsSlot: Bool { self == .assigned || self == .running }

    /// Its worker has it.
    package var isAtWorker: Bool { holdsSlot || isSuspended }

    /// Its attempt has begun.
    package var hasBegun: Bool { self == .running || self == .ending || isSuspended }

    /// Its program has begun and waits without a slot.
    package var isSuspended: Bool { self == .waiting || self == .wanting }
}

/// One unfinished task. A million of them may be queued: 80 bytes, no references.
package struct TaskRecord: Sendable, Equatable {
    /// "No task", "no worker" in the links below.
    package static let none = UInt32.max

    package struct Flags: OptionSet, Sendable, Equatable {
        package var rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// A stop or a cancel has been asked of it; stays set across the rest of its life.
        package static let cancelRequested = Flags(rawValue: 1)
        /// Its worker has acknowledged the cancel of this attempt.
        package static let cancelSeen = Flags(rawValue: 2)
        /// This attempt has overrun the task's own timeout.
        package static let timedOut = Flags(rawValue: 4)
        /// Somebody wants it to end, not merely this attempt, which its own timeout may have ended before.
        package static let retriesOver = Flags(rawValue: 8)
        /// Its worker itself has said that it runs, not only somebody who speaks for it.
        package static let startTold = Flags(rawValue: 16)
    }

    package var generation: UInt32 = 0
    package var group: UInt32 = 0
    package var index: UInt32 = 0
    package var template: UInt32 = 0
    package var chunk: UInt32 = 0
    package var offset: UInt32 = 0
    package var length: UInt32 = 0
    /// Place of the worker that holds it; means nothing in other states than `assigned` and `running`.
    package var worker = TaskRecord.none
    /// Number of the worker that held it last; 0 if none did.
    package var lastWorker: UInt32 = 0
    /// Neighbours in the list that the state names: the group's queue, or what the worker holds.
    package var previous = TaskRecord.none
    package var next = TaskRecord.none
    /// Grows with each assignment: the fence.
    package var attempt: UInt32 = 0
    /// Grows with each start of its program.
    package var executions: UInt16 = 0
    package var state = TaskState.free
    package var flags: Flags = []
    package var cause = CancelCause.none
    /// Place in the order of spawning, over all groups.
    package var order: UInt64 = 0
    package var startedAt: UInt64 = 0

    package init() {}
}

/// How the last attempt of a task failed that is to have another one.
package struct PendingFailure: Sendable, Equatable {
    package var outcome: TaskOutcome
    package var detail: AttemptDetail
    /// When the next attempt may begin, if it has to wait.
    package var retryAt: Instant?

    package init(outcome: TaskOutcome, detail: AttemptDetail, retryAt: Instant? = nil) {
        self.outcome = outcome
        self.detail = detail
        self.retryAt = retryAt
    }
}

/// How the attempt of a task ended that has groups of its own open; committed when those have closed.
package struct PendingEnd: Sendable, Equatable {
    package var attempt: FinishedAttempt
    package var detail: AttemptDetail?
    package var value: [UInt8]

    package init(attempt: FinishedAttempt, detail: AttemptDetail?, value: [UInt8]) {
        self.attempt = attempt
        self.detail = detail
        self.value = value
    }
}

/// Payload bytes of many tasks, kept until the last of them has ended.
package struct PayloadChunk: Sendable, Equatable {
    package var bytes: [UInt8] = []
    package var users: UInt32 = 0

    package init() {}
}

/// A template in use.
package struct TemplateRecord: Sendable, Equatable {
    package var id = TemplateID(0)
    package var requirement: UInt32 = 0
    package var template = TaskTemplate(name: "")

    package init() {}
}
