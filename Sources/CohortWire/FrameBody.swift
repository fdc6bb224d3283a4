package import CohortCore

/// What a peer says of itself when it asks for a session.
package struct Greeting: Sendable, Equatable {
    package enum Role: Sendable, Equatable {
        case client
        case worker(WorkerOffer)
        case supervisor
    }
    package var role: Role
    package var name: String
    package var host: String
    package var processID: UInt32
    package var token: PeerToken
    /// Which of its sessions this is to be.
    package var request: SessionRequest

    package init(
        role: Role,
        name: String,
        host: String,
        processID: UInt32,
        token: PeerToken = .none,
        request: SessionRequest = SessionRequest()
    ) {
        self.role = role
        self.name = name
        self.host = host
        self.processID = processID
        self.token = token
        self.request = request
    }
}

/// How the coordinator answers a greeting.
package struct Acceptance: Sendable, Equatable {
    package var heartbeat: TimeSpan
    package var lease: TimeSpan
    package var coordinator: String
    /// What the peer had in the session before is known here, and goes on.
    package var resumed: Bool
    /// Of the attempts that a worker has, those that are over here: to be killed, and not reported.
    package var unwanted: [AttemptRef]
    /// The coordinator's groups outlive its process, and so may what runs for detached ones.
    package var durable: Bool
    /// Of what the coordinator remembers, to be shown to it by a peer that comes back.
    package var lineage: UInt64

    package init(
        heartbeat: TimeSpan,
        lease: TimeSpan,
        coordinator: String,
        resumed: Bool = false,
        unwanted: [AttemptRef] = [],
        durable: Bool = false,
        lineage: UInt64 = 0
    ) {
        self.heartbeat = heartbeat
        self.lease = lease
        self.coordinator = coordinator
        self.resumed = resumed
        self.unwanted = unwanted
        self.durable = durable
        self.lineage = lineage
    }
}

/// The fields of frame 0 that every message has.
package struct FrameHeader: Sendable, Equatable {
    package var epoch: UInt64
    package var session: UInt64
    /// 0 for what needs no order.
    package var sequence: UInt64
    package var acknowledge: UInt64

    package init(epoch: UInt64 = 0, session: UInt64 = 0, sequence: UInt64 = 0, acknowledge: UInt64 = 0) {
        self.epoch = epoch
        self.session = session
        self.sequence = sequence
        self.acknowledge = acknowledge
    }
}

/// A message of the protocol in the terms of the core. `protocols/SPEC.md` says who sends which.
package enum FrameBody: Sendable, Equatable {
    case hello(Greeting)
    case welcome(Acceptance)
    case refused(String)
    /// With the highest sequence number that the sender has used.
    case heartbeat(last: UInt64)
    case resend(from: UInt64)
    case goodbye(String)
    case obituary(worker: UInt64, PeerToken, WorkerDeath)

    case openGroup(GroupSpec)
    case submit(TaskSubmission)
    case seal(GroupKey, BodyEnd)
    /// The key stands for the group of this running task from now on.
    case joinGroup(GroupKey, AttemptRef)
    case cancelGroup(GroupTarget, grace: TimeSpan?, reason: String, token: UInt32 = 0)
    case cancelTask(GroupKey, index: UInt32, reason: String, token: UInt32 = 0)
    case setDeadline(GroupTarget, TimeSpan?, token: UInt32 = 0)
    case extendDeadline(GroupTarget, by: TimeSpan, token: UInt32 = 0)
    case consumed(weight: UInt64, [ConsumedOutput])
    case watch(GroupTarget)
    case query

    case update(ClientUpdate)
    case snapshot(Snapshot)

    case assign(AssignBatch)
    case cancel([CancelOrder])
    case grant([OutputGrant])
    case forget([TemplateID])
    case proceed([AttemptRef])

    case report(WorkerReport)
    case draining

    /// Whether it takes a number in the session's order. The others mean the same whenever they arrive.
    package var isNumbered: Bool {
        switch self {
        case .hello, .welcome, .refused, .heartbeat, .resend, .obituary: false
        default: true
        }
    }
}

/// Why a message could not be understood.
package struct FrameError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        case empty
        case tooManyFrames
        case notProtobuf
        case version(UInt32)
        case noBody
        case malformed
        case tooLarge
    }
    package var code: Code
    package var description: String
    /// The message's header, if that could be read.
    package var header: FrameHeader?

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
