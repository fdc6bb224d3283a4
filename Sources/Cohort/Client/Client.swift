package import CohortCore
package import CohortRuntime
internal import CohortWire

/// A session with a coordinator: requests go out, notices come into a mailbox.
///
/// All methods may be called from any thread and return at once. Requests made before the coordinator has answered are kept
/// and sent then.
package final class Client: Sendable {
    private let link: ClientLink
    package let notices: Mailbox<ClientNotice>

    /// Begins to connect; `ClientNotice.connected` or `.lost` follows.
    ///
    /// - Parameters:
    ///   - keys: for a coordinator that wants them.
    ///   - patience: how long to wait for the coordinator's first answer.
    ///   - policy: what it does when the coordinator is gone.
    package init(
        endpoint: String,
        name: String,
        keys: PeerKeys? = nil,
        patience: TimeSpan,
        policy: ReturnPolicy
    ) throws {
        let notices = try Mailbox<ClientNotice>()
        self.notices = notices
        link = try ClientLink(endpoint: endpoint, name: name, keys: keys, patience: patience, policy: policy) {
            notices.put($0)
        }
    }

    package func open(_ spec: GroupSpec) { link.send(.openGroup(spec)) }

    package func submit(_ submission: TaskSubmission) { link.send(.submit(submission)) }

    /// No more will come into the group from here.
    package func seal(_ group: GroupKey, _ end: BodyEnd = .returned) { link.send(.seal(group, end)) }

    package func cancel(_ target: GroupTarget, grace: TimeSpan? = nil, reason: String) {
        link.send(.cancelGroup(target, grace: grace, reason: reason))
    }

    /// The deadline is now so far away; `nil` for none.
    package func setDeadline(_ target: GroupTarget, _ span: TimeSpan?) { link.send(.setDeadline(target, span)) }

    /// Gives back the weight of updates that have been dealt with, and credit for the output of tasks that still run.
    package func consumed(weight: UInt64, _ outputs: [ConsumedOutput]) {
        link.send(.consumed(weight: weight, outputs))
    }

    /// The deadline is later by so much than it was. An answer follows.
    package func extendDeadline(_ target: GroupTarget, by span: TimeSpan) {
        link.extendDeadline(target, by: span)
    }

    package func watch(_ target: GroupTarget) { link.send(.watch(target)) }

    package func query() { link.send(.query) }

    /// Says goodbye and ends.
    package func close() { link.close() }
}
