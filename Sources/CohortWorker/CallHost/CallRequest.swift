/// Which end of a call keeps its host from beginning the next one.
///
/// Calls that wait behind it are handed back (`CallEvent.returned`), for their group may be stopping: a stop takes effect
/// before the slot of the call that caused it is used again.
package enum CallHold: Sendable {
    case never
    case afterFailure
    case afterSuccess

    func isTriggered(by status: HostFrame.Status) -> Bool {
        switch self {
        case .never: false
        case .afterFailure: status == .error
        case .afterSuccess: status == .ok
        }
    }
}

/// A call for a ``CallPool`` to run.
package struct CallRequest: Sendable {
    /// What the caller knows the call by, the coordinator's key of the task; not used again before the call's last event.
    package var id: UInt64
    package var function: String
    /// At most 63 MiB, together with the names and the settings.
    package var payload: [UInt8]
    package var taskName: String
    package var groupName: String
    /// The number of this assignment of the task, which fences what the call asks of the coordinator.
    package var fence: UInt32
    /// Which start of the task's program this is, from 1: what the function is told.
    package var attempt: UInt32
    /// What travels with the call for its host: a JSON object of propagated values; empty for none.
    package var settings: [UInt8]
    /// Until the nearest deadline of the groups around the call, for the function to know.
    package var deadlineNanoseconds: UInt64?
    /// What the function is told of its timeout. The pool does not enforce it: `cancel` does.
    package var timeoutNanoseconds: UInt64?
    /// It may wait in a host behind another call. If not, it goes to an idle host only, is always reported as started, and
    /// its processor time is measured.
    package var prefetchable: Bool
    package var hold: CallHold
    /// Its place in the record of attempts.
    package var record: UInt32
    /// Bytes of output that may be delivered before `CallPool.grant` allows more.
    package var outputCredit: UInt64

    package init(
        id: UInt64,
        function: String,
        payload: [UInt8],
        taskName: String = "",
        groupName: String = "",
        fence: UInt32 = 1,
        attempt: UInt32 = 1,
        settings: [UInt8] = [],
        deadlineNanoseconds: UInt64? = nil,
        timeoutNanoseconds: UInt64? = nil,
        prefetchable: Bool = true,
        hold: CallHold = .never,
        record: UInt32 = AttemptRecord.noEntry,
        outputCredit: UInt64 = 64 << 10
    ) {
        self.id = id
        self.function = function
        self.payload = payload
        self.taskName = taskName
        self.groupName = groupName
        self.fence = fence
        self.attempt = attempt
        self.settings = settings
        self.deadlineNanoseconds = deadlineNanoseconds
        self.timeoutNanoseconds = timeoutNanoseconds
        self.prefetchable = prefetchable
        self.hold = hold
        self.record = record
        self.outputCredit = outputCredit
    }
}
