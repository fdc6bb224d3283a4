/// A call for a ``CallPool`` to run.
package struct CallRequest: Sendable {
    /// What the caller knows the call by; not used again before the call's last event.
    package var id: UInt64
    package var function: String
    /// At most 63 MiB, together with the names.
    package var payload: [UInt8]
    package var taskName: String
    package var groupName: String
    package var attempt: UInt32
    /// What the function is told of its timeout. The pool does not enforce it: `cancel` does.
    package var timeoutNanoseconds: UInt64?
    /// It may wait in a host behind another call. If not, it goes to an idle host only, is always reported as started, and
    /// its processor time is measured.
    package var prefetchable: Bool
    /// Bytes of output that may be delivered before `CallPool.grant` allows more.
    package var outputCredit: UInt64

    package init(
        id: UInt64,
        function: String,
        payload: [UInt8],
        taskName: String = "",
        groupName: String = "",
        attempt: UInt32 = 1,
        timeoutNanoseconds: UInt64? = nil,
        prefetchable: Bool = true,
        outputCredit: UInt64 = 64 << 10
    ) {
        self.id = id
        self.function = function
        self.payload = payload
        self.taskName = taskName
        self.groupName = groupName
        self.attempt = attempt
        self.timeoutNanoseconds = timeoutNanoseconds
        self.prefetchable = prefetchable
        self.outputCredit = outputCredit
    }
}
