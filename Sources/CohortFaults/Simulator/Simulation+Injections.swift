internal import CohortCore
internal import CohortWire

/// What is injected, drawn from the seed: when, what, and to whom.
extension Simulation {
    /// The first workers and clients, and the beginning of both streams.
    func begin() {
        for _ in 0..<options.workers { injectNext(.workerJoins) }
        for _ in 0..<options.clients { injectNext(.clientJoins) }
        scheduleNext(.requests)
        scheduleNext(.faults)
    }

    private func scheduleNext(_ stream: SimulatedEvent.Stream) {
        if stream == .faults, options.faults.isEmpty { return }
        let isBurst = stream == .faults && faults.chance(options.bursts)
        let interval = isBurst ? latency.nanoseconds : options.faultInterval
        let mean = stream == .requests ? options.requestInterval : interval
        let span =
            stream == .requests
            ? UInt64.random(in: 0...(2 * mean), using: &requests) : UInt64.random(in: 0...(2 * mean), using: &faults)
        schedule(.injection(stream), after: span)
    }

    func inject(_ stream: SimulatedEvent.Stream) {
        guard !isHealed else { return }
        let kinds = Injection.Kind.allCases.filter { $0.isFault == (stream == .faults) }
        let weights = kinds.map(options.weight)
        let total = weights.reduce(0, +)
        var point =
            stream == .requests
            ? Int.random(in: 0..<total, using: &requests) : Int.random(in: 0..<total, using: &faults)
        for (kind, weight) in zip(kinds, weights) {
            if point < weight {
                injectNext(kind)
                break
            }
            point -= weight
        }
        scheduleNext(stream)
    }

    private func injectNext(_ kind: Injection.Kind) {
        let number = injections.count + 1
        var injection = Injection(number: number, at: now, kind: kind, effect: "")
        if !settings.without.contains(number) {
            var generator = SeededGenerator(seed: seed, stream: 0x6_0000_0000 + UInt64(number))
            injection.effect = apply(kind, &generator)
            if !injection.effect.isEmpty {
                count(kind.name)
                note(injection.description)
            }
        }
        injections.append(injection)
    }

    /// - Returns: what it came to, in words; empty if there was nobody to whom it could happen.
    private func apply(_ kind: Injection.Kind, _ generator: inout SeededGenerator) -> String {
        switch kind {
        case .openTree: openTree(&generator)
        case .addTasks: addTasks(&generator)
        case .seal: seal(&generator)
        case .cancelGroup: cancelGroup(&generator)
        case .cancelTask: cancelTask(&generator)
        case .moveDeadline: moveDeadline(&generator)
        case .watch: watch(&generator)
        case .clientJoins: joinClient()
        case .clientLeaves: leaveClient(&generator)
        case .clientDies: killClient(&generator)
        case .workerJoins: joinWorker()
        case .workerDrains: drainWorker(&generator)
        case .workerDies: killWorker(&generator)
        case .coordinatorDies: killCoordinator(&generator)
        case .freezes: freeze(&generator)
        case .connectionBreaks: breakConnection(&generator)
        case .connectionStalls: stallConnection(&generator)
        case .partition: partition(&generator)
        case .diskStalls: stallDisk(&generator)
        }
    }

    // MARK: Who is there

    var liveClients: [SimulatedClient] {
        nodes.compactMap { $0 as? SimulatedClient }.filter { !$0.isDead && $0.program == nil && $0 !== auditor }
    }

    var liveWorkers: [SimulatedWorker] { nodes.compactMap { $0 as? SimulatedWorker }.filter { !$0.isDead } }

    /// Groups of a client to which something can be added.
    func unsealed(of client: SimulatedClient) -> [Int] {
        client.opened.filter { group in
            let record = truth.groups[group]
            return record.body == nil && !record.isRefused && !record.isAbandoned && record.closed == nil
        }
    }

    private func anyUnsealed(_ generator: inout SeededGenerator) -> (SimulatedClient, Int)? {
        guard let client = generator.pick(liveClients.filter { !$0.isFrozen }) else { return nil }
        guard let group = generator.pick(unsealed(of: client)) else { return nil }
        return (client, group)
    }

    private var unfinished: Int {
        truth.groups.reduce(0) { sum, group in
            group.closed == nil && !group.isRefused && !group.isAbandoned ? sum + group.tasks.count : sum
        }
    }

    // MARK: Requests

    private func openTree(_ generator: inout SeededGenerator) -> String {
        guard let client = generator.pick(liveClients.filter { !$0.isFrozen }), unfinished < options.mostUnfinished
        else {
            return ""
        }
        let count = Int.random(in: 1...4, using: &generator)
        var groups: [Int] = []
        for place in 0..<count {
            let parent = place == 0 ? nil : generator.pick(groups)
            let draft = GroupDraft.draw(options, isRoot: place == 0, isNested: false, &generator)
            groups.append(client.open(draft, parent: parent, owner: nil, self))
        }
        for group in groups {
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let template = TaskTemplate.draw(options, mayNest: true, &generator)
                client.add(Int.random(in: 1...5, using: &generator), template, to: group, self)
            }
        }
        for group in groups.reversed() where generator.chance(options.sealing) { client.seal(group, .returned, self) }
        wakeSoon(client)
        return "\(client.name) opens \(groups.count) groups from g\(groups[0])"
    }

    private func addTasks(_ generator: inout SeededGenerator) -> String {
        guard let (client, group) = anyUnsealed(&generator), unfinished < options.mostUnfinished else { return "" }
        let template = TaskTemplate.draw(options, mayNest: true, &generator)
        let count = Int.random(in: 1...8, using: &generator)
        client.add(count, template, to: group, self)
        wakeSoon(client)
        return "\(count) tasks into g\(group)"
    }

    private func seal(_ generator: inout SeededGenerator) -> String {
        guard let (client, group) = anyUnsealed(&generator) else { return "" }
        let end: BodyEnd =
            generator.pick([.returned, .returned, .returned, .cancelled, .failed(AttemptDetail())]) ?? .returned
        client.seal(group, end, self)
        wakeSoon(client)
        return "g\(group), its body \(end.word)"
    }

    private func openGroup(_ generator: inout SeededGenerator, of client: SimulatedClient?) -> Int? {
        generator.pick(
            truth.groups.indices.filter { group in
                let record = truth.groups[group]
                return record.closed == nil && record.id != nil && !record.isAbandoned && !record.isForgotten
                    && (client == nil || record.client == client?.life)
            }
        )
    }

    private func cancelGroup(_ generator: inout SeededGenerator) -> String {
        guard let client = generator.pick(liveClients.filter { !$0.isFrozen }) else { return "" }
        // A number means something else to another life of a coordinator without a journal: nobody keeps one for later.
        let isOwn = generator.chance(60) || !client.peer.isOpen
        guard let group = openGroup(&generator, of: isOwn ? client : nil), let id = truth.groups[group].id else {
            return ""
        }
        let grace: TimeSpan? = generator.chance(30) ? .milliseconds(generator.pick([0, 200]) ?? 0) : nil
        let key = truth.groups[group].spec.key
        truth.groups[group].cancelSent = now
        client.request(.cancelGroup(isOwn ? .key(key) : .id(id), grace: grace, reason: "on a whim"))
        wakeSoon(client)
        return "g\(group) by \(client.name)"
    }

    private func cancelTask(_ generator: inout SeededGenerator) -> String {
        guard let client = generator.pick(liveClients.filter { !$0.isFrozen }),
            let group = openGroup(&generator, of: client),
            let task = generator.pick(truth.groups[group].tasks), let index = truth.tasks[task].index
        else { return "" }
        truth.tasks[task].cancelSent = now
        client.request(
            .cancelTask(truth.groups[group].spec.key, index: index, reason: "on a whim")
        )
        wakeSoon(client)
        return "task \(index) of g\(group)"
    }

    private func moveDeadline(_ generator: inout SeededGenerator) -> String {
        guard let client = generator.pick(liveClients.filter { !$0.isFrozen }),
            let group = openGroup(&generator, of: client)
        else { return "" }
        let span = TimeSpan.milliseconds(generator.pick(options.deadlineMoves) ?? 0)
        let moves: [KnownDeadline.Move] = [.none, .later(span), .new(span)]
        let kinds = options.extendsOnly ? 1...1 : 0...2
        client.moveDeadline(of: group, moves[Int.random(in: kinds, using: &generator)], self)
        wakeSoon(client)
        return "of g\(group)" + strike(&generator, within: 2 * options.delay.upperBound)
    }

    private func watch(_ generator: inout SeededGenerator) -> String {
        guard let client = generator.pick(liveClients.filter { !$0.isFrozen && $0.peer.isOpen }) else { return "" }
        let roots = truth.groups.indices.filter { group in
            let record = truth.groups[group]
            return record.isDetached && record.parent == nil && record.id != nil && record.client != client.life
                && record.closed == nil && !record.isForgotten
        }
        guard let group = generator.pick(roots) else { return "" }
        client.watch(group, self)
        wakeSoon(client)
        return "g\(group) by \(client.name)"
    }
}
