package import DequeModule

/// Tasks of one group that wait for a slot and need the same thing of a worker, in the order of spawning.
package struct Lane: Sendable, Equatable {
    package var requirement: UInt32
    package var head = TaskRecord.none
    package var tail = TaskRecord.none
    /// The task that was put back last, where the search for the next one's place may begin. It may have left since.
    package var putBack = TaskRecord.none

    package init(requirement: UInt32) { self.requirement = requirement }
}

/// One group, open or closed and remembered.
package struct GroupRecord: Sendable, Equatable {
    package static let none = UInt32.max

    /// `open` takes tasks; `stopping` has sent its one cancel to every unshielded child (rule "a group is stopped once");
    /// `closed` has its outcome.
    package enum Phase: UInt8, Sendable { case open, stopping, closed }

    package var id: GroupID
    package var key: GroupKey
    /// Place of the client that opened it; `none` once that has gone.
    package var owner: UInt32
    package var name: String
    package var parent: UInt32
    /// The task of `parent` that has opened it; `TaskRecord.none` for all others.
    package var opener: UInt32
    package var root: UInt32
    /// The outermost group around it with the same owner: the root, or one that a task has opened. It has the log.
    package var head: UInt32
    package var depth: Int
    package var policy: FailurePolicy
    package var limit: UInt32
    package var grace: TimeSpan
    package var shield: Bool
    package var detached: Bool
    /// Its outcome is the affair of whoever opened it, not of the group around it.
    package var isScope: Bool
    package var acceptsSiblings: Bool
    /// Opened by a program that was cleaning up: the request that was under way then is not meant for it.
    package var isCleanup: Bool
    package var phase = Phase.open
    package var sealed = false
    /// Its owner went before it ended. It was stopped then, unless it was detached and whole.
    package var orphaned = false
    package var openedAt: Instant
    package var closedAt = Instant(nanoseconds: 0)
    package var deadline: Instant?

    /// Its own deadline has fired.
    package var timedOut = false
    /// A request from outside, other than its own deadline, has come.
    package var cancelledFromOutside = false
    package var cause = CancelCause.none
    package var reason = ""
    package var deadlineOf = ""

    package var failures: UInt64 = 0
    package var hasWinner = false
    package var childCancelled = false
    package var bodyCancelled = false
    /// Counts under `first` even when a task has won.
    package var bodyFailed = false
    package var outcome: GroupOutcome?

    package var lanes: [Lane] = []
    package var templates: [UInt32] = []
    /// How many of them the journal knows.
    package var journalledTemplates = 0
    /// Own tasks from number `firstUnfinished` on; `TaskRecord.none` where one has ended.
    package var members: Deque<UInt32> = []
    package var firstUnfinished: UInt32 = 0
    package var unfinished: UInt64 = 0
    /// Own tasks that hold a slot, or will at once: assigned and running ones.
    package var held: UInt32 = 0
    /// It was opened by a task, or is inside a group that was.
    package var isBelowTask = false
    /// Own tasks that have begun and hold none: they wait for groups of their own.
    package var suspended: UInt32 = 0
    /// Of those, the ones that want a slot and have to wait because of the limit.
    package var wanting: Deque<UInt32> = []
    package var counts = TaskCounts()
    /// Of the groups inside that have closed, whose records are gone.
    package var closedBelow = TaskCounts()
    /// The same without what tasks have opened: who watches the tree is not told of that.
    package var closedInside = TaskCounts()
    /// Open groups inside, those that its tasks have opened included, as a list through their records.
    package var firstChild = GroupRecord.none
    package var lastChild = GroupRecord.none
    package var previousSibling = GroupRecord.none
    package var nextSibling = GroupRecord.none
    package var omitted: UInt64 = 0
    /// Keys that clients have for the group besides its owner.
    package var joiners: [Joiner] = []

    // Of heads only:
    package var log = TreeLog()
    /// Of what the journal says about ends in the tree, all before this has come to whoever is told of it.
    package var receivedUpTo: UInt64 = 0
    /// Clients other than the owner that have added tasks to the tree on behalf of its tasks, and are told their ends.
    package var contributors: [ClientReference] = []

    // Of roots only:
    package var ready: [ReadyLanes] = []
    package var watchers: [Watcher] = []

    package var nextIndex: UInt32 { firstUnfinished + UInt32(members.count) }
    package var isFull: Bool { held >= limit }
}

/// A client that may add tasks to a group on behalf of one of its tasks.
package struct Joiner: Sendable, Equatable {
    /// Its place.
    package var client: UInt32
    package var key: GroupKey
}

/// A client that watches a tree, and how far into the tree's log it has been told.
package struct Watcher: Sendable, Equatable {
    /// Its place.
    package var client: UInt32
    package var cursor: Int
    package var caughtUp: Bool
}
