package import CohortCore
internal import CohortProcess
package import CohortRuntime
internal import CohortWire
internal import FoundationEssentials

/// One connection to a coordinator, with the groups that are opened through it.
package final class GroupSession: Sendable {
    let ledger: SessionLedger
    private let link: ClientLink

    /// Connects, and waits until the coordinator has answered.
    ///
    /// - Parameters:
    ///   - name: what the coordinator calls this client; `nil` for the program's name and process id.
    ///   - keys: for a coordinator that wants them.
    ///   - patience: how long to wait for the answer.
    package init(
        endpoint: String,
        name: String?,
        keys: PeerKeys? = nil,
        patience: Duration
    ) async throws(PoolError) {
        let ledger = SessionLedger(endpoint: endpoint)
        self.ledger = ledger
        do {
            link = try ClientLink(
                endpoint: endpoint,
                name: name ?? Self.defaultName,
                keys: keys,
                patience: TimeSpan(patience),
                policy: .withinLease,
                requests: { ledger.outbox.takeAll() },
                receive: { ledger.take($0) }
            )
        } catch {
            throw PoolError(kind: .unreachable, endpoint: endpoint, message: "cannot connect to \(endpoint): \(error)")
        }
        await ledger.waitUntilConnected()
        if let loss = ledger.loss {
            link.leave()
            throw loss
        }
    }

    deinit { link.leave() }

    private static var defaultName: String {
        let program = CommandLine.arguments.first.flatMap { $0.split(separator: "/").last } ?? "client"
        return "\(program)-\(Host.processID)"
    }

    package var endpoint: String { ledger.endpoint }

    func wake() { link.wake() }

    // MARK: Its end

    /// Says goodbye: the coordinator cancels what is open. Everything that waits here ends as lost.
    ///
    /// Returns when the goodbye has been handed to the system.
    package func close() async {
        ledger.lose(.closed(endpoint))
        let link = link
        await withCheckedContinuation { continuation in
            do {
                try BlockingThread.start(named: "close") {
                    link.close()
                    continuation.resume()
                }
            } catch {
                link.leave()
                continuation.resume()
            }
        }
    }

    /// The same, without waiting.
    package func abandon() {
        ledger.lose(.closed(endpoint))
        link.leave()
    }

    /// What the coordinator knows of itself.
    package func query() async throws(PoolError) -> Snapshot {
        guard let snapshot = await ledger.query(wake) else { throw ledger.loss ?? .closed(endpoint) }
        return snapshot
    }

    // MARK: Requests

    /// Cancels a group from outside, if it has not ended.
    ///
    /// - Returns: whether it came before the end.
    func cancel(_ cell: GroupCell, reason: String) async -> Bool {
        guard cell.requestCancel().isInTime else { return false }
        let answer = await ledger.ask(wake) { token in
            .cancelGroup(.key(cell.key), grace: nil, reason: reason, token: token)
        }
        return answer?.isAccepted ?? false
    }

    func cancel(_ task: TaskReference, reason: String) async -> Bool {
        guard !task.cell.hasEnded, let index = await task.cell.waitForIndex() else { return false }
        task.cell.cancelling(reason)
        let key = task.home.key
        let answer = await ledger.ask(wake) { token in
            .cancelTask(key, index: index, reason: reason, token: token)
        }
        return answer?.isAccepted ?? false
    }

    func setDeadline(of cell: GroupCell, to span: TimeSpan?) async throws(DeadlineRefused) {
        switch cell.end {
        case .closed, .refused: throw DeadlineRefused(code: .finished, message: "finished")
        case .lost(let error): throw DeadlineRefused(code: .lost, message: error.message)
        case nil: break
        }
        let answer = await ledger.ask(wake) { token in .setDeadline(.key(cell.key), span, token: token) }
        guard let answer else { throw DeadlineRefused(code: .lost, message: ledger.loss?.message ?? "lost") }
        guard !answer.isAccepted else { return }
        if answer.code == .shuttingDown { throw DeadlineRefused(code: .shuttingDown, message: "shutting down") }
        throw DeadlineRefused(code: .finished, message: "finished")
    }
}
