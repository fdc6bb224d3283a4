internal import DequeModule

/// A group that a client has not opened, but may add tasks to on behalf of one of the group's tasks.
package struct JoinedGroup: Sendable, Equatable {
    package var group: GroupID
    /// The task that adds them; `nil` for the group's owner, whose tasks are not all that there are either.
    package var task: AttemptRef?
    /// How many it has added.
    package var count: UInt32 = 0
    /// Places of the templates that it has brought.
    package var templates: [UInt32] = []
    /// What it has been told about the numbers of its tasks; of an owner's kept with a journal only.
    package var accepted: [AcceptedTasks] = []
    /// The update of this session in which it was told so last.
    var toldIn: UInt64 = 0

    /// Remembers tasks that were accepted, in as few rows as possible.
    package mutating func accept(_ row: AcceptedTasks) {
        if let last = accepted.last, last.first + last.count == row.first, last.index + last.count == row.index {
            accepted[accepted.count - 1].count += row.count
        } else {
            accepted.append(row)
        }
    }
}

/// A client for as long as it is here, whatever its sessions. Places are used again, identities are not.
package struct ClientReference: Sendable, Equatable {
    package var place: UInt32
    package var identity: UInt64

    /// One that has left, so that nothing else is known of it.
    static let gone = ClientReference(place: .max, identity: 0)
}

/// How far a client has been told of a tree's log.
package struct LogFeed: Sendable, Equatable {
    package var cursor = 0
    /// How much of that has come to it, as its connection says.
    package var received = 0
    /// It stands in the client's queue.
    package var isQueued = false
}

/// Up to where a tree's log has been told with a client's updates up to one of them.
package struct FeedMark: Sendable, Equatable {
    package var update: UInt64
    package var head: GroupID
    package var cursor: Int
}

/// An update on its way to a client.
struct SentUpdate: Sendable, Equatable {
    /// Its number among those of the session.
    var number: UInt64
    var update: ClientUpdate
}

/// The answer to a join that has not been emitted yet.
package struct PendingWelcome: Sendable, Equatable {
    package var session: SessionID
    package var resumed = false
    package var unwanted: [AttemptRef] = []
}

/// A client that is connected, or is expected to come back.
package struct ClientRecord: Sendable, Equatable {
    /// Fewer joined groups are never looked through.
    static let fewestJoinsTidied = 64

    /// Its session; 0 while it is absent.
    package var id: SessionID
    package var token: PeerToken
    package var identity: UInt64
    package var sessions: KnownSessions
    package var isAbsent = false
    package var lastHeard: Instant
    package var unreachableSince: Instant?
    /// Places of its open groups by key. Looked up, never iterated.
    package var groups: [GroupKey: UInt32] = [:]
    /// Iterated in the order of keys only.
    package var joined: [GroupKey: JoinedGroup] = [:]
    /// How many of those there are when it is looked again which of them nobody needs any more.
    var joinsUntilTidied = ClientRecord.fewestJoinsTidied
    /// How many tasks had ended when that was looked at last.
    var endsWhenTidied: UInt64 = 0
    /// What it has been sent and has not dealt with (`ClientUpdate.weight`).
    package var unconsumed: UInt64 = 0
    /// Trees it watches, by place.
    package var watching: [UInt32] = []
    /// Workers of which it has been told.
    package var knownWorkers: Set<UInt32> = []
    package var outbox = ClientOutbox()
    /// Its tasks that have not ended.
    package var unfinished = 0
    // With a journal:
    /// All that it has ever used for groups of its own.
    package var keys = KeyRanges()
    package var extensions = DecidedExtensions()
    /// How far it has been told, by head. Looked up, never iterated.
    package var feeds: [GroupID: LogFeed] = [:]
    /// Heads with something new for it.
    package var feedQueue: [GroupID] = []
    /// Updates of this session, and how many of them have come to it: what it has been sent it may yet not have.
    package var sentUpdates: UInt64 = 0
    package var receivedUpdates: UInt64 = 0
    /// What those hold that have not come to it, in the order of sending.
    var feedMarks: Deque<FeedMark> = []
    /// While it is absent: the stretch of each attempt's output that was kept for it last, without a gap.
    var passedInAbsence: [AttemptRef: Range<UInt64>] = [:]
    /// Updates with output that have not come to it: that stands nowhere else.
    var sentOutput: Deque<SentUpdate> = []
    /// Heads of the trees of others that it has added tasks to, until they are forgotten.
    package var addedTo: Set<GroupID> = []
    /// Heads of its attached trees that have closed and are kept, oldest first.
    package var closedHeads: [GroupID] = []
    package var isGone = false

    package init(id: SessionID, token: PeerToken, _ sessions: KnownSessions, identity: UInt64, lastHeard: Instant) {
        self.id = id
        self.token = token
        self.sessions = sessions
        self.identity = identity
        self.lastHeard = lastHeard
    }
}

/// A cancel that its worker has not acknowledged.
package struct UnseenCancel: Sendable, Equatable {
    package var ref: AttemptRef
    package var reason: String
    package var sentAt: Instant
}

/// A worker that is connected, or is expected to come back.
package struct WorkerRecord: Sendable, Equatable {
    /// 0 while it is absent.
    package var session: SessionID
    package var token: PeerToken
    /// The number of the latest session that it has asked for.
    package var latestSession: UInt32
    package var isAbsent = false
    /// 1, 2, 3, … in the order of joining.
    package var number: UInt32
    package var offer: WorkerOffer
    package var lastHeard: Instant
    package var unreachableSince: Instant?
    package var draining = false
    /// What its commands and functions satisfy, as interned requirements.
    package var requirements: Set<UInt32> = []
    /// First and last of the tasks it holds, in the order of assignment.
    package var head = TaskRecord.none
    package var tail = TaskRecord.none
    package var held: UInt32 = 0
    package var running: UInt32 = 0
    /// Of those it holds, the ones that wait for groups of their own, without a slot.
    package var suspended: UInt32 = 0
    /// How many tasks beyond its slots it may hold at present.
    package var prefetch: UInt32 = 0
    /// Moving average of how long its attempts take, in nanoseconds; `nil` before the first has ended.
    package var serviceTime: Double?
    package var knownTemplates: Set<TemplateID> = []
    /// What it may have kept from an earlier session. It is told to forget those, but not relied on to have them.
    package var keptTemplates: Set<TemplateID> = []
    package var lastTemplate = TemplateID(0)
    /// In the order of asking.
    package var unseenCancels: [UnseenCancel] = []
    package var assignBox = AssignBatch()
    /// About how long the templates in `assignBox` are on the wire.
    package var assignTemplateBytes = 0
    /// Assignments before those in `assignBox`, each as large as one message may be.
    package var fullAssignBoxes: [AssignBatch] = []
    package var cancelBox: [CancelOrder] = []
    package var grantBox: [OutputGrant] = []
    package var proceedBox: [AttemptRef] = []
    package var forgetBox: [TemplateID] = []
    package var isGone = false

    /// While it drains only tasks that its waiting tasks need go to it. What is sent to one that cannot be reached is lost.
    private var takesNothing: Bool {
        isGone || isAbsent || unreachableSince != nil || draining && suspended == 0
    }

    package var freeSlots: UInt32 { takesNothing || held >= offer.slots ? 0 : offer.slots - held }

    /// How many more tasks it may be sent, prefetch included.
    package var room: UInt32 {
        let most = min(offer.slots + prefetch, max(offer.credit, offer.slots))
        return takesNothing || held >= most ? 0 : draining ? freeSlots : most - held
    }
}
