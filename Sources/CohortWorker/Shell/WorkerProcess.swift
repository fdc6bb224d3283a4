internal import ZeroMQ

/// A running worker: a loop thread with the shell on it.
package final class WorkerProcess: Sendable {
    private let loop: LoopThread

    /// Connects and begins to take tasks.
    ///
    /// - Parameter notify: called on the loop thread.
    package init(
        _ configuration: WorkerConfiguration,
        notify: @escaping @Sendable (WorkerNotice) -> Void
    ) throws {
        loop = try LoopThread.start(name: "worker") { loop in
            try WorkerShell(configuration, loop: loop, notify: notify)
        }
    }

    /// Takes no new task, hands back what has not begun, lets the rest finish; `WorkerNotice.drained` follows.
    package func drain() {
        loop.perform { handler in (handler as? WorkerShell)?.drain() }
    }

    /// Asks why no coordinator has answered yet; `WorkerNotice.unanswered` follows.
    package func explainSilence() {
        loop.perform { handler in (handler as? WorkerShell)?.explainSilence() }
    }

    /// Kills what runs, says goodbye and ends.
    package func stop(reason: String) {
        loop.perform { handler in (handler as? WorkerShell)?.leave(reason: reason) }
        loop.stop()
    }
}
