internal import Synchronization

/// The cancel requests that a program has got, and whether it has been told of them.
///
/// Cancellation in Swift is a state that every suspension sees for ever after; in the language a request interrupts once.
/// So the program's steps run in tasks that are never cancelled, and the cancellation of what is around them is noted
/// here: scope 0 is the program itself, scope k the body of its k-th open group.
final class CancelRequests: Sendable {
    private struct Scope {
        var isRequested = false
        var isDelivered = false
        /// The cancellation of a group in this scope unwinds it, or is being handled in it.
        var isUnwinding = false
        /// A request was waiting to be delivered when this scope was opened: nobody has stopped its group.
        let wasOpenedUnderRequest: Bool
        /// The scopes around this one from here inwards were open and without a delivered request when it was opened.
        let firstOpenToRequests: Int

        var isPending: Bool { isRequested && !isDelivered }
    }

    private struct State {
        var scopes = [Scope(wasOpenedUnderRequest: false, firstOpenToRequests: 0)]
        var interrupt: (@Sendable () -> Void)?

        var hasPending: Bool { scopes.contains { $0.isPending } }

        var unstopped: Int? { scopes.firstIndex { $0.wasOpenedUnderRequest && !$0.isRequested } }
    }

    private let state = Mutex(State())

    // MARK: Scopes

    /// Opens a scope in the innermost one.
    ///
    /// - Returns: its number.
    func open() -> Int {
        state.withLock { state in
            let lastDelivered = state.scopes.lastIndex { $0.isDelivered }
            state.scopes.append(
                Scope(wasOpenedUnderRequest: state.hasPending, firstOpenToRequests: lastDelivered.map { $0 + 1 } ?? 0)
            )
            return state.scopes.count - 1
        }
    }

    /// Closes the innermost scope when its group has ended.
    ///
    /// A request that came from around the group while it was open is not spent with it: unless the group ended
    /// cancelled, and so goes on unwinding what is around it, the request interrupts the program again.
    func close(endedCancelled: Bool) {
        state.withLock { state in
            let closed = state.scopes.removeLast()
            for number in state.scopes.indices where state.scopes[number].isRequested {
                if endedCancelled {
                    state.scopes[number].isDelivered = true
                } else if number >= closed.firstOpenToRequests {
                    state.scopes[number].isDelivered = false
                }
            }
            if endedCancelled { state.scopes[state.scopes.count - 1].isUnwinding = true }
        }
    }

    /// A handler of the innermost scope has swallowed a cancellation.
    func swallow() {
        state.withLock { $0.scopes[$0.scopes.count - 1].isUnwinding = false }
    }

    // MARK: Requests

    /// Notes a request to a scope. It interrupts the program, unless that is handling one already.
    func request(_ scope: Int) {
        let interrupt = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.scopes.indices.contains(scope), !state.scopes[scope].isRequested else { return nil }
            state.scopes[scope].isRequested = true
            if state.scopes[scope...].contains(where: { $0.isDelivered || $0.isUnwinding }) {
                state.scopes[scope].isDelivered = true
                return nil
            }
            return state.interrupt
        }
        interrupt?()
    }

    /// What a program that is interrupted has to do.
    struct Delivery {
        /// The outermost open scope whose group was opened after the request and so has not been stopped by it.
        var unstopped: Int?
    }

    /// Delivers the requests that are pending: from the outermost of them inwards, every scope counts as told.
    ///
    /// - Returns: `nil` if there is none.
    func deliver() -> Delivery? {
        state.withLock { state -> Delivery? in
            guard let first = state.scopes.firstIndex(where: { $0.isPending }) else { return nil }
            let unstopped = state.unstopped
            for number in first..<state.scopes.count {
                state.scopes[number].isRequested = true
                state.scopes[number].isDelivered = true
            }
            return Delivery(unstopped: unstopped)
        }
    }

    /// What `deliver` would say of the innermost scope at its end, where the group is stopped in the program's place.
    var unstopped: Int? { state.withLock { $0.hasPending ? $0.unstopped : nil } }

    // MARK: Suspension points

    /// From now on the next request calls `interrupt`, at once if one is pending.
    func arm(_ interrupt: @escaping @Sendable () -> Void) {
        let isPending = state.withLock { state in
            state.interrupt = interrupt
            return state.hasPending
        }
        if isPending { interrupt() }
    }

    func disarm() {
        state.withLock { $0.interrupt = nil }
    }
}
