internal import CohortCore
internal import CohortWire

/// The second phase: everything works, and everything must come to its end.
extension Simulation {
    /// What that may take at most, in simulated time.
    private static let bound = TimeSpan.seconds(300)

    /// Mends what is broken. What is not known to be dead is found out in time.
    func recover() {
        restartCoordinator()
        diskStalls = 0
        for node in nodes where node.isFrozen { thaw(node) }
        changeDiskStalls(by: 0)
        for connection in network.open {
            if !network[connection].isUp {
                let span = UInt64.random(in: 1_000_000...200_000_000, using: &network[connection].generator)
                let generation = network[connection].generation
                schedule(.connected(connection: connection, generation: generation), after: span)
            } else if !network[connection].isClear {
                release(connection, network[connection].generation)
            }
        }
        addWorker(slots: 8)
        auditor = addClient("auditor")
        if options.lingering > 0 { schedule(.bodiesEnd, after: options.lingering) } else { sealAll() }
    }

    /// Whoever has a group open has nothing more to add to it.
    func sealAll() {
        for client in liveClients {
            for group in unsealed(of: client) { client.seal(group, .returned, self) }
            wakeSoon(client)
        }
    }

    /// Detached trees that the coordinator must still know.
    private var auditedRoots: [Int] {
        truth.groups.indices.filter { group in
            let record = truth.groups[group]
            return record.isDetached && record.parent == nil && record.opener == nil && !record.isRefused
                && !record.isForgotten && record.id != nil
        }
    }

    func lookForTheEnd() {
        guard let auditor, let healedAt else { return }
        if auditor.peer.isOpen {
            for root in auditedRoots { auditor.watch(root, self) }
        }
        wakeSoon(auditor)
        if isQuiet(auditor) {
            quietSince = quietSince ?? now
        } else {
            quietSince = nil
        }
        let lease = options.limits.lease.nanoseconds
        if let quietSince, now.since(quietSince).nanoseconds > 2 * lease {
            observe(.end)
            checkLeftovers()
            finish()
        } else if now.since(healedAt) > Self.bound {
            observe(.end)
            broke(
                BrokenPromise(
                    promise: .noSilentHang,
                    message: "not everything came to its end within \(Self.bound.seconds) s after all was healed",
                    evidence: []
                )
            )
        }
    }

    private func isQuiet(_ auditor: SimulatedClient) -> Bool {
        guard truth.running.isEmpty, auditor.caughtUp.count >= auditor.watching.count else { return false }
        // A client that has not had an answer yet may still ask for something.
        guard liveClients.allSatisfy({ $0.peer.isOpen }) else { return false }
        return truth.groups.indices.allSatisfy { group in
            let record = truth.groups[group]
            if record.closed != nil || record.isRefused || record.isForgotten { return true }
            return record.isDetached ? record.id == nil && record.isAbandoned : !truth.isAwaited(group)
        }
    }

    private func checkLeftovers() {
        if let node = coordinator.node, let fault = InvariantsOfTheCore.checkEmptiness(node.core, at: now) {
            broke(fault)
        }
        for worker in liveWorkers {
            if let fault = InvariantsOfTheCore.checkEmptiness(worker.core, of: worker.name) { broke(fault) }
        }
        coordinator.check(self)
    }
}
