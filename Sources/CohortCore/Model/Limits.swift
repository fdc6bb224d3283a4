/// The bounds of the coordinator in one place.
package struct Limits: Sendable, Equatable {
    /// Silence after which a peer counts as lost.
    package var lease = TimeSpan.seconds(10)
    /// How often a heartbeat goes to every peer, and how often leases are looked at.
    package var heartbeat = TimeSpan.seconds(1)
    /// How long a peer may be unreachable (its connection is gone) before it counts as lost.
    package var unreachable = TimeSpan.seconds(1)
    /// The longest grace that the tasks of a client have when it is lost without a goodbye, so that with `unreachable` at 1 s
    /// they are gone within 2 s.
    package var lossGrace = TimeSpan.milliseconds(250)
    /// A task under which so many workers have died is not tried again, whatever its retries say.
    package var crashLimit: UInt8 = 3
    /// How long an unacknowledged cancel waits before it is sent again.
    package var cancelResend = TimeSpan.seconds(1)
    /// The grace of a group that names none and has no enclosing group that does.
    package var defaultGrace = TimeSpan.seconds(5)
    package var maximumBackoff = TimeSpan.seconds(300)
    /// Groups around a group.
    package var nesting = 64
    package var openGroupsPerSession = 100_000
    package var openGroupsPerTask = 1_000
    /// Tasks of one worker that may wait for groups of their own, each of them a process, before it is given only tasks of
    /// such groups.
    package var suspendedPerWorker: UInt32 = 128
    /// Tasks not yet ended, over all groups.
    package var unfinishedTasks = 10_000_000
    /// Tasks of one client that have not ended.
    package var queuedTasksPerSession = 10_000_000
    /// Functions that tasks have named or workers have offered.
    package var functions = 100_000
    /// Queries that a client has asked and that have not been answered.
    package var pendingQueries = 16
    package var templatesPerGroup = 1_000_000
    package var sessions = 10_000
    /// Workers that have left and are still known by name.
    package var departedWorkers = 1_000
    package var slotsPerWorker: UInt32 = 4_096
    package var nameBytes = 1_024
    /// Functions that one worker may offer.
    package var functionsPerWorker = 10_000
    /// What a peer may leave unacknowledged before its session ends: it is kept to be sent again.
    package var unacknowledgedMessages = 65_536
    package var unacknowledgedBytes = 1 << 30
    /// Answers in a second to connections that have no session, all and each: nobody is known to read them.
    package var strangerReplies = 1_000
    package var repliesPerStranger = 4
    /// Tasks that one worker may hold beyond its slots, however fast it is.
    package var prefetchPerSlot: UInt32 = 512
    /// Work that a worker should have at hand: tasks are prefetched only as far as they are expected to start within it.
    package var prefetchHorizon = TimeSpan.milliseconds(10)
    /// Bytes of reports and output that a client may be behind before its tasks no longer start.
    package var unconsumedBytes: UInt64 = 8 << 20
    /// Tasks taken from one root group before the next one has its turn.
    package var fairShare = 64
    /// Reports that a detached tree of groups keeps; later ones are counted, failures excepted.
    package var retainedReports = 1_000_000
    /// Failures that it keeps beyond that.
    package var retainedFailures = 100_000
    /// Closed detached trees that `status` still knows.
    package var retainedGroups = 1_000
    /// How long `status` knows them; `nil` for as long as there are not too many.
    package var retainedFor: TimeSpan?
    /// Closed trees that are kept for each client that can come back, until it has said goodbye.
    package var retainedForClient = 8

    package init() {}
}
