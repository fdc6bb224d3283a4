internal import CohortCore
internal import CohortWire
internal import Synchronization

/// What a session knows: its groups, who waits for an answer, and what is to be sent.
///
/// The loop writes it, programs read it; groups and tasks have locks of their own.
final class SessionLedger: Sendable {
    enum Connection {
        case connecting
        case open
        case lost(PoolError)
    }

    struct State {
        var connection = Connection.connecting
        var nextKey: UInt32 = 1
        /// Of joined groups, far from those of its own: a coordinator remembers ranges of these.
        var nextJoinKey: UInt32 = 1 << 31
        var nextToken: UInt32 = 1
        var groups: [GroupKey: GroupCell] = [:]
        var groupsByID: [GroupID: GroupCell] = [:]
        var joined: [GroupKey: JoinedCell] = [:]
        /// The latest one of each running task.
        var joinedByAttempt: [AttemptRef: JoinedCell] = [:]
        var workers: [UInt32: TaskAccount.Place] = [:]
        /// Tasks that tasks of this session have added to groups of others.
        var siblings: [SiblingPlace: TaskCell] = [:]
        /// Weight of updates that have been dealt with.
        var owed: UInt64 = 0
        var connectWaiter: CheckedContinuation<Void, Never>?
        var questions: [UInt32: Question] = [:]
        var snapshotWaiters: [CheckedContinuation<Snapshot?, Never>] = []
        /// How many of them, from the first one on, the answer to the query under way is for; 0 if none is. The others have
        /// come since, and are not to be told how things stood before.
        var snapshotsAsked = 0

        /// Whether a query is to be sent: the coordinator lets only a few wait, so there is one at a time.
        mutating func beginQuery() -> Bool {
            guard snapshotsAsked == 0, !snapshotWaiters.isEmpty else { return false }
            snapshotsAsked = snapshotWaiters.count
            return true
        }
    }

    /// A request that is answered, and who waits for that.
    struct Question {
        /// To be sent again in a session that continues this one: its answer may be lost.
        var request: FrameBody
        var waiter: CheckedContinuation<RequestAnswer?, Never>
    }

    struct SiblingPlace: Hashable {
        var group: GroupID
        var index: UInt32
    }

    /// Weight is given back in pieces of at least so much: half of what the protocol asks for.
    private static let weightStep: UInt64 = 32 << 10

    let endpoint: String
    let outbox = Outbox()
    private let wakeups = WakeupQueue()
    let state = Mutex(State())

    init(endpoint: String) {
        self.endpoint = endpoint
    }

    /// Why there is no connection any more.
    var loss: PoolError? {
        state.withLock { state in
            if case .lost(let error) = state.connection { return error }
            return nil
        }
    }

    // MARK: Keys and tokens

    /// Registers a group that is being opened, and hands its request to the outbox.
    ///
    /// - Returns: the group, and whether the loop must be woken.
    func open(
        _ name: String,
        _ options: GroupOptions,
        parent: GroupCell?,
        owner: AttemptRef?
    ) throws(PoolError) -> (cell: GroupCell, mustWake: Bool) {
        try state.withLock { state throws(PoolError) in
            if case .lost(let error) = state.connection { throw error }
            let key = Self.newKey(&state, \.nextKey)
            let cell = GroupCell(key: key, name: name, options: options)
            state.groups[key] = cell
            let spec = options.spec(key: key, parent: parent?.key, owner: owner, name: name)
            return (cell, outbox.append(.openGroup(spec)))
        }
    }

    static func newKey(_ state: inout State, _ next: WritableKeyPath<State, UInt32>) -> GroupKey {
        // Never 0, and never one that is in use, even after 4 billion groups.
        while state[keyPath: next] == 0 || state.groups[GroupKey(state[keyPath: next])] != nil
            || state.joined[GroupKey(state[keyPath: next])] != nil
        {
            state[keyPath: next] &+= 1
        }
        defer { state[keyPath: next] &+= 1 }
        return GroupKey(state[keyPath: next])
    }

    /// The group of a running task, and whether the loop must be woken.
    func join(_ attempt: AttemptRef) throws(SpawnRefused) -> (cell: JoinedCell, mustWake: Bool) {
        try state.withLock { state throws(SpawnRefused) in
            if case .lost(let error) = state.connection { throw SpawnRefused(code: .lost, message: error.message) }
            if let joined = state.joinedByAttempt[attempt] { return (joined, false) }
            let joined = JoinedCell(key: Self.newKey(&state, \.nextJoinKey), attempt: attempt)
            state.joined[joined.key] = joined
            state.joinedByAttempt[attempt] = joined
            return (joined, outbox.append(.joinGroup(joined.key, attempt)))
        }
    }

    func forget(_ attempt: AttemptRef) {
        let forgotten = state.withLock { state in
            state.joinedByAttempt[attempt] = nil
            let forgotten = state.joined.values.filter { $0.attempt == attempt }
            for joined in forgotten { state.joined[joined.key] = nil }
            return forgotten
        }
        var wakeups = Wakeups()
        for joined in forgotten { joined.refuse(.finished, &wakeups) }
        perform(wakeups)
    }

    func perform(_ new: Wakeups) { wakeups.perform(new) }

    /// Sends a request, and waits for its answer; `nil` if the connection is lost before it comes.
    func ask(_ wake: () -> Void, _ request: (_ token: UInt32) -> FrameBody) async -> RequestAnswer? {
        await withCheckedContinuation { continuation in
            let mustWake: Bool? = state.withLock { state in
                if case .lost = state.connection { return nil }
                if state.nextToken == 0 { state.nextToken = 1 }
                let token = state.nextToken
                state.nextToken &+= 1
                let body = request(token)
                state.questions[token] = Question(request: body, waiter: continuation)
                return outbox.append(body)
            }
            switch mustWake {
            case nil: continuation.resume(returning: nil)
            case true?: wake()
            case false?: break
            }
        }
    }

    /// Returns when whoever was to be cancelled or to go on by now has been told.
    func wakeupsPassed() async { await wakeups.pass() }

    /// What the coordinator knows of itself; `nil` if the connection is lost.
    func query(_ wake: () -> Void) async -> Snapshot? {
        await withCheckedContinuation { continuation in
            let mustWake: Bool? = state.withLock { state in
                if case .lost = state.connection { return nil }
                state.snapshotWaiters.append(continuation)
                return state.beginQuery() && outbox.append(.query)
            }
            switch mustWake {
            case nil: continuation.resume(returning: nil)
            case true?: wake()
            case false?: break
            }
        }
    }

    func waitUntilConnected() async {
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                guard case .connecting = state.connection else { return true }
                state.connectWaiter = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
    }

    // MARK: Credit

    /// Updates of so much weight have been dealt with.
    ///
    /// - Returns: whether the loop must be woken.
    func giveBack(_ weight: UInt64) -> Bool {
        state.withLock { state in
            state.owed += weight
            guard state.owed >= Self.weightStep else { return false }
            defer { state.owed = 0 }
            return outbox.append(.consumed(weight: state.owed, []))
        }
    }
}
