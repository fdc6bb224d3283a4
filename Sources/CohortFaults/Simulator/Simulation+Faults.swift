internal import CohortCore
internal import CohortWire

/// Processes that come, go, die and freeze, and connections that break.
extension Simulation {
    /// What a supervisor can say of a worker that has died.
    enum Obituary {
        case exactly
        /// That it died, but not what had begun.
        case withoutRecord
        case nothing
    }

    // MARK: Coming and going

    func joinClient() -> String {
        let client = addClient("client")
        return client.name
    }

    func addClient(_ name: String) -> SimulatedClient {
        let client = SimulatedClient(
            self,
            name: "\(name) \(truth.clients.count)",
            machine: nodes.count,
            program: nil,
            execution: nil
        )
        add(client)
        return client
    }

    /// The client through which a call opens its groups.
    func addHost(of worker: SimulatedWorker, program: Int, execution: Int) -> SimulatedClient {
        let client = SimulatedClient(
            self,
            name: "call host \(truth.clients.count)",
            machine: worker.machine,
            program: (worker.number, program),
            execution: execution
        )
        add(client)
        return client
    }

    private func add(_ peer: SimulatedPeer) {
        nodes.append(peer)
        connect(peer.connection)
        wakeSoon(peer)
    }

    func joinWorker() -> String { addWorker().name }

    @discardableResult
    func addWorker(slots: Int? = nil) -> SimulatedWorker {
        let worker = SimulatedWorker(
            self,
            name: "worker \(truth.workers.count)",
            machine: nodes.count,
            slots: slots ?? options.slotsPerWorker
        )
        add(worker)
        return worker
    }

    func leaveClient(_ generator: inout SeededGenerator) -> String {
        guard let client = generator.pick(liveClients.filter { !$0.isFrozen }) else { return "" }
        client.end(self, isKilled: false)
        return client.name
    }

    func drainWorker(_ generator: inout SeededGenerator) -> String {
        guard let worker = generator.pick(liveWorkers.filter { !$0.isFrozen }) else { return "" }
        worker.drain(self)
        return worker.name
    }

    // MARK: Deaths

    func killClient(_ generator: inout SeededGenerator) -> String {
        guard let client = generator.pick(liveClients) else { return "" }
        let isNoticed = generator.chance(70)
        client.end(self, isKilled: true, isNoticed: isNoticed)
        return "\(client.name), \(isNoticed ? "and its connection breaks" : "without a word")"
    }

    func killWorker(_ generator: inout SeededGenerator) -> String {
        guard let worker = generator.pick(liveWorkers) else { return "" }
        let obituary = generator.pick([Obituary.exactly, .exactly, .withoutRecord, .nothing]) ?? .nothing
        let signal: Int32 = generator.pick([6, 9, 11]) ?? 9
        kill(worker, signal: signal, tells: obituary)
        if generator.chance(80) {
            schedule(.workerReplaced, after: UInt64.random(in: 1_000_000...800_000_000, using: &generator))
        }
        switch obituary {
        case .exactly: return "\(worker.name), and its supervisor says what had begun"
        case .withoutRecord: return "\(worker.name), and its supervisor does not know what had begun"
        case .nothing: return "\(worker.name), without a word"
        }
    }

    func kill(_ worker: SimulatedWorker, signal: Int32, tells obituary: Obituary) {
        let session = worker.peer.session
        let record = worker.kill(signal: signal, isNoticed: obituary != .nothing, self)
        guard obituary != .nothing, session.session != 0 else { return }
        let death = WorkerDeath(signal: signal, begun: obituary == .exactly ? record : nil)
        let frames = FrameCodec.encode(
            FrameHeader(epoch: session.epoch, session: session.session),
            .obituary(worker: session.session, truth.workers[worker.life].token, death)
        )
        let exactly = obituary == .exactly ? worker.life : nil
        schedule(.obituary(frames: frames, worker: exactly), after: 2_000_000 + options.delay.upperBound)
    }

    func obituaryArrives(_ frames: [[UInt8]], of worker: Int?) {
        guard coordinator.isUp else { return }
        if let worker { truth.noteDeath(of: worker, at: now) }
        coordinator.arrived(frames, at: [2] + withUnsafeBytes(of: UInt64(steps).littleEndian, Array.init))
        if !coordinator.isFrozen { wakeSoon(coordinator) }
    }

    func killCoordinator(_ generator: inout SeededGenerator) -> String {
        guard coordinator.isUp else { return "" }
        let spans: [UInt64] = [1_000_000, 500_000_000, 5_000_000_000, 15_000_000_000]
        let span = generator.pick(spans.filter { $0 <= options.longestOutage }) ?? 0
        killCoordinator(for: span)
        return "for \(Double(span) / 1e9) s"
    }

    func killCoordinator(for span: UInt64) {
        guard coordinator.isUp, !isHealed else { return }
        stopCoordinator()
        schedule(.coordinatorRestarts, after: span)
    }

    /// The coordinator dies soon.
    func strike(_ generator: inout SeededGenerator, within most: UInt64) -> String {
        guard options.strikes > 0, generator.chance(options.strikes) else { return "" }
        let span = UInt64.random(in: 0...most, using: &generator)
        schedule(.coordinatorDies(span: options.longestOutage), after: span)
        return ", and the coordinator is killed \(Double(span) / 1e9) s later"
    }

    private func stopCoordinator() {
        coordinator.die(self)
        truth.coordinatorDied = now
        for connection in network.open where network[connection].isUp {
            if network[connection].isLeft {
                close(connection)
                continue
            }
            network.disconnect(connection)
            network[connection].hasBroken = true
            let span = UInt64.random(in: 1_000_000...300_000_000, using: &network[connection].generator)
            schedule(.connected(connection: connection, generation: network[connection].generation), after: span)
            tellPeer(connection)
        }
    }

    func restartCoordinator() {
        guard !coordinator.isUp else { return }
        coordinator.start(self)
        truth.coordinatorDied = nil
        truth.coordinatorLives += 1
        note("the coordinator is back")
        wakeSoon(coordinator)
        guard !options.isDurable else { return }
        // Nothing is known of what was: the numbers of groups begin anew.
        for group in truth.groups.indices where truth.groups[group].id != nil {
            truth.groups[group].isForgotten = true
        }
    }

    // MARK: Freezes

    func freeze(_ generator: inout SeededGenerator) -> String {
        let candidates = nodes.filter { !$0.isDead && !$0.isFrozen }
        guard let node = generator.pick(candidates) else { return "" }
        let lease = options.limits.lease.nanoseconds
        let span = generator.pick([lease / 20, lease / 2, lease + lease / 2, 3 * lease]) ?? lease
        node.isFrozen = true
        if let worker = node as? SimulatedWorker { truth.workers[worker.life].isFrozen = true }
        node.conditionsChanged(self)
        schedule(.thaw(node: node.number), after: span)
        return
            "\(node.number == 0 ? "the coordinator" : (node as? SimulatedPeer)?.name ?? "") for \(Double(span) / 1e9) s"
    }

    func thaw(_ node: SimulatedNode) {
        guard node.isFrozen else { return }
        node.isFrozen = false
        node.thawedAt = now
        if let worker = node as? SimulatedWorker { truth.workers[worker.life].wake(at: now) }
        node.conditionsChanged(self)
        if !node.isDead { wakeSoon(node) }
    }

    // MARK: Connections

    private func someConnection(_ generator: inout SeededGenerator) -> Int? {
        generator.pick(
            network.open.filter { number in
                let peer = nodes[network[number].peer]
                guard network[number].isUp, !network[number].isLeft, !peer.isDead else { return false }
                return !options.hitsReaders || peer is SimulatedClient
            }
        )
    }

    private func span(_ generator: inout SeededGenerator) -> UInt64 {
        let lease = options.limits.lease.nanoseconds
        if options.hitsReaders { return generator.pick([lease / 4, 2 * lease, 2 * lease]) ?? lease }
        return generator.pick([1_000_000, 100_000_000, lease / 4, lease, 2 * lease]) ?? lease
    }

    private func name(of connection: Int) -> String {
        (nodes[network[connection].peer] as? SimulatedPeer)?.name ?? ""
    }

    func breakConnection(_ generator: inout SeededGenerator) -> String {
        guard let connection = someConnection(&generator) else { return "" }
        if options.flickering > 0, generator.chance(options.flickering) {
            return flicker(connection, &generator)
        }
        let span = span(&generator)
        var effect = "of \(name(of: connection)) for \(Double(span) / 1e9) s"
        if generator.chance(40) {
            // All that is sent in a while before is lost with it.
            let before = UInt64.random(in: 0...(options.limits.lease.nanoseconds / 4), using: &generator)
            let ways = generator.pick([(true, true), (true, false), (false, true)]) ?? (true, true)
            schedule(
                .broken(connection: connection, generation: network[connection].generation, span: span),
                after: before
            )
            stall(connection, toPeer: ways.0, toCoordinator: ways.1, for: before + 1)
            effect += ", \(Double(before) / 1e9) s later, with what was to it \(ways.0), from it \(ways.1)"
        } else {
            breakConnection(connection, for: span)
        }
        return effect
    }

    /// What is on its way is lost, what comes next arrives, and then the peer hears nothing for so long that it gives its
    /// session up.
    private func flicker(_ connection: Int, _ generator: inout SeededGenerator) -> String {
        breakConnection(connection, for: 1_000_000)
        let before = UInt64.random(in: 0...(2 * options.delay.upperBound), using: &generator)
        let span = 2 * options.limits.lease.nanoseconds
        schedule(
            .silenced(connection: connection, generation: network[connection].generation, span: span),
            after: 1_000_000 + before
        )
        return
            "of \(name(of: connection)) for a moment, and \(Double(before) / 1e9) s later with nothing to it for \(Double(span) / 1e9) s"
    }

    func stallConnection(_ generator: inout SeededGenerator) -> String {
        guard let connection = someConnection(&generator) else { return "" }
        let span = span(&generator)
        let all = [(true, true), (true, false), (false, true)]
        let ways = generator.pick(options.hitsReaders ? [(true, false)] : all) ?? (true, true)
        stall(connection, toPeer: ways.0, toCoordinator: ways.1, for: span)
        return "of \(name(of: connection)) for \(Double(span) / 1e9) s, to it \(ways.0), from it \(ways.1)"
            + strike(&generator, within: min(span, options.limits.lease.nanoseconds))
    }

    /// Some machines are cut off from the coordinator's.
    func partition(_ generator: inout SeededGenerator) -> String {
        let span = span(&generator)
        let breaks = generator.chance(40)
        let ways = generator.pick([(true, true), (true, true), (true, false), (false, true)]) ?? (true, true)
        var names: [String] = []
        var machines: [Int: Bool] = [:]
        for connection in network.open where network[connection].isUp {
            let machine = nodes[network[connection].peer].machine
            let isCut = machines[machine] ?? generator.chance(50)
            machines[machine] = isCut
            guard isCut else { continue }
            names.append(name(of: connection))
            if breaks {
                breakConnection(connection, for: span)
            } else {
                stall(connection, toPeer: ways.0, toCoordinator: ways.1, for: span)
            }
        }
        return names.isEmpty
            ? "" : "\(names.joined(separator: ", ")) for \(Double(span) / 1e9) s\(breaks ? "" : ", stalled")"
    }

    // MARK: Disk

    func stallDisk(_ generator: inout SeededGenerator) -> String {
        guard options.isDurable else { return "" }
        let span = span(&generator)
        changeDiskStalls(by: 1)
        schedule(.diskRecovers, after: span)
        return "for \(Double(span) / 1e9) s"
    }

    func changeDiskStalls(by change: Int) {
        diskStalls = max(0, diskStalls + change)
        coordinator.conditionsChanged(self)
        coordinator.beginCommit(self)
    }
}
