internal import CohortCore
package import Logging
internal import ZeroMQ

/// A running coordinator: a loop thread with the shell on it.
package final class Coordinator: Sendable {
    private let loop: LoopThread
    /// Endpoints as bound: a wildcard port is a number here.
    package let endpoints: [String]

    /// Binds and begins to serve.
    ///
    /// - Parameter notify: called on the loop thread.
    /// - Throws: `CoordinatorError` or `ZeroMQError`, which name the endpoint.
    package init(
        _ configuration: CoordinatorConfiguration,
        log: Logger,
        notify: @escaping @Sendable (CoordinatorNotice) -> Void
    ) throws {
        let bound = EndpointBox()
        loop = try LoopThread.start(name: "coordinator") { loop in
            let shell = try CoordinatorShell(configuration, log: log, loop: loop, notify: notify)
            bound.set(shell.boundEndpoints)
            return shell
        }
        endpoints = bound.value
    }

    /// Opens no group any more and cancels those that are open; `CoordinatorNotice.drained` follows when they have ended.
    package func drain() {
        loop.perform { handler in (handler as? CoordinatorShell)?.drain() }
    }

    /// Ends without a word: whoever is connected waits for it to come back.
    package func abandon() { loop.stop() }

    /// Says goodbye to all peers and ends.
    package func stop(reason: String) {
        loop.perform { handler in (handler as? CoordinatorShell)?.leave(reason: reason) }
        loop.stop()
    }
}
