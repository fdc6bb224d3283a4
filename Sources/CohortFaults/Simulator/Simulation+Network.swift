internal import CohortCore
internal import CohortWire

/// Messages on their way, and connections that break and come back.
extension Simulation {
    /// A new connection begins to be made.
    func connect(_ connection: Int) {
        let span = UInt64.random(in: 50_000...2_000_000, using: &network[connection].generator)
        schedule(.connected(connection: connection, generation: network[connection].generation), after: span)
    }

    func connected(_ connection: Int, _ generation: Int) {
        guard !network[connection].isClosed, !network[connection].isUp, network[connection].generation == generation
        else { return }
        guard coordinator.isUp else {
            // Nobody listens; it is tried again.
            let span = UInt64.random(in: 20_000_000...300_000_000, using: &network[connection].generator)
            return schedule(.connected(connection: connection, generation: generation), after: span)
        }
        network[connection].isUp = true
        let isSpared = options.hitsReaders && !(nodes[network[connection].peer] is SimulatedClient)
        if !isHealed, !isSpared, network[connection].generator.chance(options.slowStarts) { startSlowly(connection) }
        let isAgain = network[connection].hasBroken
        if isAgain { repeatLatest(connection) }
        let waiting = network[connection].waiting
        network[connection].waiting = []
        for frames in waiting { sendToCoordinator(frames, over: connection) }
        network[connection].hasBroken = false
        nodes[network[connection].peer].conditionsChanged(self)
        if isAgain { (nodes[network[connection].peer] as? SimulatedPeer)?.connectionRestored(self) }
    }

    /// Holds up what comes first, such as a greeting.
    private func startSlowly(_ connection: Int) {
        let ways: [(Bool, Bool)] = [(true, true), (true, false), (false, true)]
        let way = ways.randomElement(using: &network[connection].generator) ?? (true, true)
        // A reader that is so late that it is given up is no reader any more.
        let most = options.limits.lease.nanoseconds / (options.hitsReaders ? 3 : 1)
        let span = UInt64.random(in: 0...most, using: &network[connection].generator)
        stall(connection, toPeer: way.0, toCoordinator: way.1, for: span)
    }

    /// The peer closes its end, or its process is gone. What is on its way to the coordinator may arrive all the same, as
    /// the kernel sends what it has been given.
    func leave(_ connection: Int) {
        let isLate = network[connection].generator.chance(options.lateness)
        guard isLate, network[connection].isUp, !network[connection].isLost else { return close(connection) }
        network[connection].isLeft = true
        // What is held back comes first.
        if !network[connection].isStalled.toCoordinator { closeAfterLast(connection) }
    }

    private func closeAfterLast(_ connection: Int) {
        schedule(.closed(connection: connection), at: max(now, network[connection].lastArrival.toCoordinator))
    }

    /// The connection is over at both ends.
    func close(_ connection: Int) {
        guard !network[connection].isClosed else { return }
        network.close(connection)
        coordinator.connectionBroke(self)
    }

    /// What was under way when the connection broke comes twice, sometimes.
    private func repeatLatest(_ connection: Int) {
        guard network[connection].generator.chance(options.duplicates) else { return }
        let latest = network[connection].latest
        if !latest.toPeer.isEmpty { dispatch(latest.toPeer, connection, toPeer: true) }
        if !latest.toCoordinator.isEmpty { dispatch(latest.toCoordinator, connection, toPeer: false) }
        count("message twice")
    }

    func sendToCoordinator(_ frames: [[UInt8]], over connection: Int) {
        guard !network[connection].isClosed, !network[connection].isLost else { return }
        if !network[connection].isUp {
            network[connection].waiting.append(frames)
        } else if network[connection].isStalled.toCoordinator {
            network[connection].heldBack.toCoordinator.append(frames)
        } else {
            dispatch(frames, connection, toPeer: false)
        }
    }

    /// - Returns: whether there is a connection to send it over.
    func sendToPeer(_ frames: [[UInt8]], at route: [UInt8]) -> Bool {
        guard let connection = network.connection(at: route) else { return false }
        if network[connection].isLost || network[connection].isLeft { return true }
        guard network[connection].isUp else { return false }
        if network[connection].isStalled.toPeer {
            network[connection].heldBack.toPeer.append(frames)
        } else {
            dispatch(frames, connection, toPeer: true)
        }
        return true
    }

    private func dispatch(_ frames: [[UInt8]], _ connection: Int, toPeer: Bool) {
        let due = network.arrival(connection, toPeer: toPeer, at: now)
        let generation = network[connection].generation
        schedule(.arrival(connection: connection, generation: generation, toPeer: toPeer, frames: frames), at: due)
    }

    func arrived(_ connection: Int, _ generation: Int, _ toPeer: Bool, _ frames: [[UInt8]]) {
        guard network[connection].generation == generation, !network[connection].isLost else { return }
        add(toHash: frames)
        if toPeer {
            if network[connection].isLeft { return }
            network[connection].latest.toPeer = frames
            let node = nodes[network[connection].peer]
            guard !node.isDead else { return }
            node.arrived(frames, from: connection)
            if !node.isFrozen { wakeSoon(node) }
        } else {
            network[connection].latest.toCoordinator = frames
            guard coordinator.isUp else { return }
            coordinator.arrived(frames, at: network[connection].route)
            if !coordinator.isFrozen { wakeSoon(coordinator) }
        }
    }

    // MARK: Disturbances

    /// Breaks a connection, which is made again after a while.
    func breakConnection(_ connection: Int, for span: UInt64) {
        guard network[connection].isUp else { return }
        if network[connection].isLeft { return close(connection) }
        network.disconnect(connection)
        network[connection].hasBroken = true
        coordinator.connectionBroke(self)
        tellPeer(connection)
        schedule(.connected(connection: connection, generation: network[connection].generation), after: span)
    }

    /// The peer's end notices that its connection is gone.
    func tellPeer(_ connection: Int) {
        let node = nodes[network[connection].peer]
        node.conditionsChanged(self)
        (node as? SimulatedPeer)?.connectionBroke(self)
    }

    func stall(_ connection: Int, toPeer: Bool, toCoordinator: Bool, for span: UInt64) {
        guard network[connection].isUp, !network[connection].isLeft, !network[connection].isStalled.toPeer,
            !network[connection].isStalled.toCoordinator
        else { return }
        network[connection].isStalled = (toPeer, toCoordinator)
        nodes[network[connection].peer].conditionsChanged(self)
        schedule(.released(connection: connection, generation: network[connection].generation), after: span)
    }

    func release(_ connection: Int, _ generation: Int) {
        guard network[connection].generation == generation else { return }
        let held = network[connection].heldBack
        network[connection].isStalled = (false, false)
        network[connection].heldBack = ([], [])
        for frames in held.toPeer { dispatch(frames, connection, toPeer: true) }
        for frames in held.toCoordinator { dispatch(frames, connection, toPeer: false) }
        if network[connection].isLeft { closeAfterLast(connection) }
        nodes[network[connection].peer].conditionsChanged(self)
    }
}
