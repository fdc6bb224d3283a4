/// What the shell must do, in order.
package enum CoordinatorAction: Sendable, Equatable {
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
    /// For the log: a worker has been lost with so many tasks running and so many merely assigned.
    case workerLost(SessionID, SessionEnd, running: Int, returned: Int)
    /// Draining has come to its end: no group is left.
    case drained
}
