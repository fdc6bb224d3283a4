/// What the shell must do, in order.
package enum CoordinatorAction: Sendable, Equatable {
    /// What follows, up to the end of this and all later bursts, may be told only once this is on disk. At most one in a
    /// flush, before everything else.
    case record(JournalBatch)
    /// The answer to a join. `resumed` says that what the peer had in an earlier session goes on; of the attempts that a
    /// worker has, the `unwanted` ones are over.
    case welcome(SessionID, resumed: Bool, unwanted: [AttemptRef])
    case assign(SessionID, AssignBatch)
    case cancel(SessionID, [CancelOrder])
    case grant(SessionID, [OutputGrant])
    /// These have waited and may go on, each in the next slot that is free at the worker.
    case proceed(SessionID, [AttemptRef])
    /// These templates will not be used again.
    case forget(SessionID, [TemplateID])
    case update(SessionID, ClientUpdate)
    case answer(SessionID, Snapshot)
    case heartbeat(SessionID)
    /// The session is over for the coordinator; the shell says goodbye to it and forgets its address.
    case closeSession(SessionID, SessionEnd)
    /// For the log: a worker has left or been lost, so many tasks have been charged with it, running or in doubt,
    /// and so many went back to the queue. The session is 0 if it had none at the time.
    case workerLost(SessionID, WorkerSummary, SessionEnd, running: Int, returned: Int)
    /// Draining has come to its end: no group is left.
    case drained

    /// Whom it sends something; `nil` if nobody.
    package var recipient: SessionID? {
        switch self {
        case .record, .workerLost, .drained: nil
        case .welcome(let session, _, _), .assign(let session, _), .cancel(let session, _), .grant(let session, _),
            .proceed(let session, _), .forget(let session, _), .update(let session, _), .answer(let session, _),
            .heartbeat(let session), .closeSession(let session, _):
            session
        }
    }
}
