internal import CohortCore

/// What a group does about the end of a task in it.
public enum FailurePolicy: Sendable, Equatable {
    /// The first failure stops the group, as in `asyncio.TaskGroup`.
    case cancel
    /// Every task runs, every error is reported when the group is left, even if somebody has handled it.
    case `continue`
    /// The first success stops the group; failures count only if nobody succeeds.
    case first

    var core: CohortCore.FailurePolicy {
        switch self {
        case .cancel: .cancel
        case .continue: .continue
        case .first: .first
        }
    }
}

/// What a group may be opened with.
public struct GroupOptions: Sendable {
    /// The group times out so long after its opening; `nil` for never. See ``Group/setDeadline(_:)``.
    public var deadline: Duration?
    /// What happens when a task fails, or succeeds.
    public var policy: FailurePolicy
    /// At most so many of its own tasks run at once; `nil` for as many as there are slots.
    public var limit: Int?
    /// How long a cancelled task may clean up before it is killed; inherited from the enclosing group when `nil`.
    public var grace: Duration?
    /// Neither a stop of the enclosing group nor a cancellation of the caller reaches it.
    public var shield: Bool
    /// Its tasks may add tasks to it.
    public var acceptsSiblings: Bool

    /// A group without a deadline that the first failure stops, save for what is given.
    public init(
        deadline: Duration? = nil,
        policy: FailurePolicy = .cancel,
        limit: Int? = nil,
        grace: Duration? = nil,
        shield: Bool = false,
        acceptsSiblings: Bool = false
    ) {
        self.deadline = deadline
        self.policy = policy
        self.limit = limit
        self.grace = grace
        self.shield = shield
        self.acceptsSiblings = acceptsSiblings
    }
}

/// What a task may be spawned with.
public struct TaskOptions: Sendable, Equatable {
    /// How long one attempt may take, from its start; `nil` for as long as it likes.
    public var timeout: Duration?
    /// How many further attempts a failed one may have.
    public var retries: Int
    /// How long to wait before the first further attempt; doubles with each one.
    public var backoff: Duration
    /// A stop of the group does not reach it, and the group waits for it. Its timeout and a cancel of the task itself do.
    public var shield: Bool

    /// A task that runs once, save for what is given.
    public init(timeout: Duration? = nil, retries: Int = 0, backoff: Duration = .zero, shield: Bool = false) {
        self.timeout = timeout
        self.retries = retries
        self.backoff = backoff
        self.shield = shield
    }
}

extension GroupOptions {
    func spec(key: GroupKey, parent: GroupKey?, owner: AttemptRef?, name: String) -> GroupSpec {
        GroupSpec(
            key: key,
            parent: parent,
            owner: owner,
            name: name,
            policy: policy.core,
            limit: limit.map { UInt32(clamping: $0) },
            timeout: deadline.map { TimeSpan($0) },
            grace: grace.map { TimeSpan($0) },
            shield: shield,
            isScope: parent != nil || owner != nil,
            acceptsSiblings: acceptsSiblings
        )
    }
}
