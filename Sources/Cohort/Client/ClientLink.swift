package import CohortCore
package import CohortRuntime
package import CohortWire
internal import ZeroMQ

/// What a client learns, in order.
package enum ClientNotice: Sendable {
    /// No coordinator has answered yet; `connected` or `lost` follows. Told once.
    case unanswered(explanation: String)
    /// The coordinator has answered.
    case connected
    case update(ClientUpdate)
    case snapshot(Snapshot)
    /// The coordinator does not answer, and may come back; `restored` or `lost` follows.
    case interrupted(explanation: String)
    case restored(Continuation)
    /// The session is over. What was open is cancelled by the coordinator, if that still lives.
    case lost(PeerSession.Loss, explanation: String)

    /// What is left of the session when there is a connection again.
    package enum Continuation: Sendable, Equatable {
        /// It goes on as if nothing had happened.
        case same
        /// Another session continues it: what was open goes on and is told again from the beginning. What was watched or
        /// asked for is to be asked for again, and credit begins anew.
        case resumed
        /// Nothing of it is known there, but the groups that others had are.
        case anew
        /// Nothing at all is known there: the coordinator was started anew without a journal. Its groups have the numbers of
        /// others that are gone.
        case forgotten
    }
}

/// Whether a client waits for a coordinator that has gone.
package enum ReturnPolicy: Sendable, Equatable {
    /// Its coordinator is its own, and does not come back.
    case never
    /// As long as the coordinator waits for it, which is the lease.
    case withinLease
    /// For so long: it owns nothing there. If it asks after groups that are there, not longer than they can come back.
    case patient(TimeSpan, asksAfterGroups: Bool)
}

/// A client's session with a coordinator, on a thread of its own.
///
/// All methods may be called from any thread. Requests made before the coordinator has answered are kept and sent then.
package final class ClientLink: Sendable {
    private let loop: LoopThread

    /// Begins to connect; `ClientNotice.connected` or `.lost` follows.
    ///
    /// - Parameters:
    ///   - keys: for a coordinator that wants them.
    ///   - patience: how long to wait for the coordinator's first answer.
    ///   - policy: what it does when the coordinator is gone.
    ///   - requests: asked at the end of each turn of the loop, on its thread, for what is to be sent; `wake` makes it turn.
    ///   - receive: called on the loop's thread.
    package init(
        endpoint: String,
        name: String,
        keys: PeerKeys?,
        patience: TimeSpan,
        policy: ReturnPolicy,
        requests: (@Sendable () -> [FrameBody])? = nil,
        receive: @escaping @Sendable (ClientNotice) -> Void
    ) throws {
        loop = try LoopThread.start(name: "client") { loop in
            try ClientShell(
                endpoint: endpoint,
                name: name,
                keys: keys,
                patience: patience,
                policy: policy,
                loop: loop,
                requests: requests,
                receive: receive
            )
        }
    }

    package func send(_ body: FrameBody) {
        loop.perform { handler in (handler as? ClientShell)?.send(body) }
    }

    package func extendDeadline(_ target: GroupTarget, by span: TimeSpan) {
        loop.perform { handler in (handler as? ClientShell)?.extendDeadline(target, by: span) }
    }

    /// There are requests to be sent.
    package func wake() {
        loop.perform { _ in }
    }

    /// Says goodbye and ends, at once and without waiting for the thread.
    package func leave() {
        let loop = loop
        loop.perform { handler in
            (handler as? ClientShell)?.leave()
            loop.stop()
        }
    }

    /// Says goodbye and ends. Blocks until what was said has been handed to the system.
    package func close() {
        loop.perform { handler in (handler as? ClientShell)?.leave() }
        loop.stop()
    }
}
