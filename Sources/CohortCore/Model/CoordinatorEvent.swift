/// How a session ended.
package enum SessionEnd: Sendable, Equatable {
    /// It said goodbye.
    case goodbye
    /// Nothing was heard from it for the lease.
    case leaseExpired
    /// Its connection is gone and did not come back.
    case unreachable
    /// Its supervisor has reaped it: the wait status is the proof.
    case died(WorkerDeath)

    /// For people.
    package var inWords: String {
        switch self {
        case .goodbye: "it said goodbye"
        case .leaseExpired: "nothing was heard of it for the lease"
        case .unreachable: "its connection was lost"
        case .died(let death): "its process ended: \(death)"
        }
    }
}

/// How a worker's process ended, as its supervisor saw it.
package struct WorkerDeath: Sendable, Equatable, CustomStringConvertible {
    package var exitCode: Int32?
    package var signal: Int32?
    package var coreDumped = false
    /// The kernel killed it for want of memory.
    package var outOfMemory = false
    /// Attempts that had begun and whose end it may not have reported; `nil` if there is no record of them.
    package var begun: [AttemptRef]?

    package init(exitCode: Int32? = nil, signal: Int32? = nil, begun: [AttemptRef]? = nil) {
        self.exitCode = exitCode
        self.signal = signal
        self.begun = begun
    }

    package var description: String {
        if outOfMemory { return "killed by signal 9, out of memory" }
        if let signal { return "killed by signal \(signal)\(coreDumped ? ", core dumped" : "")" }
        return exitCode.map { "exit status \($0)" } ?? "in an unknown way"
    }
}

/// How the body of a group ended, the owner's own code.
package enum BodyEnd: Sendable, Equatable {
    case returned
    case cancelled
    case failed(AttemptDetail)
}

/// Which group a request from outside means.
package enum GroupTarget: Sendable, Equatable {
    /// A group that the same session has opened.
    case key(GroupKey)
    /// Any group, by number.
    case id(GroupID)
    /// The newest open root group of that name, else the newest closed one that is still known.
    case name(String)
}

/// What happened. Events say what was received or observed, never what to do about it.
package enum CoordinatorEvent: Sendable, Equatable {
    /// The request must not be outdated (`isOutdated`).
    case clientJoined(SessionID, PeerToken = .none, SessionRequest = SessionRequest())
    /// The request must not be outdated (`isOutdated`).
    case workerJoined(SessionID, WorkerOffer, PeerToken = .none, SessionRequest = SessionRequest())
    /// Something arrived from it.
    case heard(SessionID)
    /// That it has not been heard up to now is not its own fault.
    case silenceExcused(SessionID)
    /// Nothing can be sent to it at present.
    case unreachable(SessionID)
    /// Some connection has broken, and nobody knows whose: whoever cannot be reached any more should show.
    case connectionLost
    case sessionEnded(SessionID, SessionEnd)
    /// A worker's process has been reaped, whether or not it has a session at present.
    case workerDied(PeerToken, WorkerDeath)
    /// The worker takes no new tasks and hands back what it has not started.
    case workerDraining(SessionID)
    case workerReported(SessionID, WorkerReport)

    case groupOpened(SessionID, GroupSpec)
    /// The session's key stands for the group that this running task belongs to from now on.
    case siblingsJoined(SessionID, GroupKey, AttemptRef)
    case tasksSubmitted(SessionID, TaskSubmission)
    /// Its body has ended: no more tasks or groups will come into it from its owner.
    case groupSealed(SessionID, GroupKey, BodyEnd)
    /// Requests with a token other than 0 are answered.
    case groupCancelled(SessionID, GroupTarget, grace: TimeSpan?, reason: String, token: UInt32 = 0)
    case taskCancelled(SessionID, GroupKey, index: UInt32, reason: String, token: UInt32 = 0)
    /// The deadline is now so far away; `nil` for none.
    case deadlineChanged(SessionID, GroupTarget, TimeSpan?, token: UInt32 = 0)
    /// The deadline is later by so much than it was. With a token that is no higher than that of an earlier extension it is
    /// that one again, and does nothing.
    case deadlineExtended(SessionID, GroupTarget, by: TimeSpan, token: UInt32 = 0)
    /// The client has dealt with so many bytes of updates, counted by `ClientUpdate.weight`, and of these tasks' output.
    case consumed(SessionID, weight: UInt64, outputs: [ConsumedOutput])
    /// So many updates have come to the client in this session, all before included.
    case updatesReceived(SessionID, UInt64)
    case watched(SessionID, GroupTarget)
    case queried(SessionID)

    case drainRequested
    /// Time has passed; `nextDeadline` has come.
    case timeReached
}

/// How far a client has dealt with the output of a task.
package struct ConsumedOutput: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32
    /// Counts the task's executions, from 1.
    package var attempt: UInt32
    /// In bytes of both streams together, from the attempt's first one.
    package var position: UInt64

    package init(group: GroupID, index: UInt32, attempt: UInt32, position: UInt64) {
        self.group = group
        self.index = index
        self.attempt = attempt
        self.position = position
    }
}
