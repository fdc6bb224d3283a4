/// Workers that go, and who is charged with it.
extension CoordinatorCore {
    /// What is known of an attempt whose worker is gone.
    private enum Verdict {
        /// It cannot have begun: back to the queue, unblamed.
        case unstarted
        /// It had begun.
        case executing
        /// It was handed over, and nobody can tell whether it had begun. To start it again might be once too often.
        case doubtful
    }

    mutating func workerDied(
        _ token: PeerToken,
        _ death: WorkerDeath,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        guard let place = workerTokens[token] else {
            // Its greeting may still be on its way: another connection brings that.
            if clientTokens[token] == nil { departedTokens.remember(token, .died) }
            return
        }
        workerEnded(place, .died(death), at: now, into: &actions)
    }

    /// A worker has gone. Exactly the tasks that were executing are charged with it; what cannot have begun goes back to the
    /// queue unblamed (promise 8), and what may have begun does not begin again unless retries allow it (promise 2).
    mutating func workerEnded(
        _ place: UInt32,
        _ end: SessionEnd,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        let worker = workers[Int(place)]
        if !worker.isAbsent { workerPlaces[worker.session] = nil }
        if worker.token != .none { workerTokens[worker.token] = nil }
        departedTokens.remember(worker.token, end.departure(from: worker.latestSession))
        depart(worker)
        workers[Int(place)].isGone = true
        let begun = record(of: end)
        var charged: [(task: UInt32, verdict: Verdict)] = []
        var returned: [UInt32] = []
        for task in held(by: place) {
            switch verdict(on: task, end, begun) {
            case .unstarted: returned.append(task)
            case let verdict: charged.append((task, verdict))
            }
        }
        for task in returned.reversed() {
            let group = tasks[Int(task)].group
            giveBack(task, at: now)
            closeIfDone(group, at: now)
        }
        for (task, verdict) in charged { charge(task, verdict, worker, end, at: now) }
        actions.append(
            .workerLost(worker.session, summary(of: worker), end, running: charged.count, returned: returned.count)
        )
        dirtyWorkers.removeAll { $0 == place }
        freeWorkers.append(place)
        mayAssign = true
        if !worker.isAbsent { actions.append(.closeSession(worker.session, end)) }
    }

    /// What a worker has, in the order of assignment.
    func held(by place: UInt32) -> [UInt32] {
        var held: [UInt32] = []
        var task = workers[Int(place)].head
        while task != TaskRecord.none {
            held.append(task)
            task = tasks[Int(task)].next
        }
        return held
    }

    /// Keeps the name of a worker that has left, for reports that are told later.
    private mutating func depart(_ worker: WorkerRecord) {
        departedWorkers.append(summary(of: worker))
        if keepsJournal { draft.batch.workers.append(journalRow(of: worker, departed: true)) }
        guard departedWorkers.count > limits.departedWorkers else { return }
        let forgotten = departedWorkers.removeFirst().number
        if keepsJournal { draft.batch.forgottenWorkers.append(forgotten) }
    }

    private func record(of end: SessionEnd) -> Set<AttemptRef>? {
        guard case .died(let death) = end else { return nil }
        return death.begun.map { Set($0) }
    }

    private func verdict(on task: UInt32, _ end: SessionEnd, _ begun: Set<AttemptRef>?) -> Verdict {
        let record = tasks[Int(task)]
        if record.flags.contains(.startTold) { return .executing }
        if let begun { return begun.contains(ref(task)) ? .executing : .unstarted }
        if record.state != .assigned { return .executing }
        // It has killed what ran, and said so; what it had not begun it will not begin any more.
        return end == .goodbye ? .unstarted : .doubtful
    }

    private mutating func charge(
        _ task: UInt32,
        _ verdict: Verdict,
        _ worker: WorkerRecord,
        _ end: SessionEnd,
        at now: Instant
    ) {
        var detail = AttemptDetail()
        if verdict == .doubtful {
            detail.message =
                "the task was handed to worker \(worker.offer.name), which \(Self.fate(of: worker, end, at: now))"
                + Self.doubt
        } else {
            detail.message = "worker \(worker.offer.name) \(Self.fate(of: worker, end, at: now))"
            if case .died(let death) = end {
                detail.exitCode = death.exitCode
                detail.signal = death.signal
                detail.coreDumped = death.coreDumped
                if death.signal == nil { detail.message += " while the task was running" }
                countCrash(of: task, &detail)
            } else if end == .goodbye {
                detail.message += " while the task was running"
            }
        }
        lose(task, detail, at: now)
    }

    /// What is added where nobody can tell whether an attempt had begun.
    static let doubt = "; whether it had begun is not known"

    /// Its worker does not have the attempt any more, which had begun, or may have.
    mutating func lose(_ task: UInt32, _ detail: AttemptDetail, at now: Instant) {
        let record = tasks[Int(task)]
        var detail = detail
        detail.type = "WorkerLost"
        if templates[Int(record.template)].template.function.isEmpty {
            let first = Int(record.offset)
            detail.command = commandReader.text(of: chunks[Int(record.chunk)].bytes[first..<first + Int(record.length)])
        }
        let elapsed = record.state == .assigned ? .zero : now.since(Instant(nanoseconds: record.startedAt))
        let attempt = FinishedAttempt(ref: ref(task), status: .lost, elapsed: elapsed)
        attemptEnded(task, attempt, detail: detail, value: [], at: now)
    }

    /// A task under which worker after worker dies must not take down the whole pool, whatever its retries say.
    private mutating func countCrash(of task: UInt32, _ detail: inout AttemptDetail) {
        let count = (crashes[task] ?? 0) + 1
        crashes[task] = count
        guard count >= limits.crashLimit else { return }
        tasks[Int(task)].flags.insert(.retriesOver)
        if count > 1 { detail.message += "; it has taken down \(count) workers and is not tried again" }
    }

    private static func fate(of worker: WorkerRecord, _ end: SessionEnd, at now: Instant) -> String {
        let silence = Int(now.since(worker.lastHeard).seconds.rounded())
        switch end {
        case .goodbye: return "left"
        case .leaseExpired: return "was not heard of for \(silence) s"
        case .unreachable: return "was not heard of for \(silence) s, for its connection broke off"
        case .died(let death):
            if let signal = death.signal {
                let evidence = (death.outOfMemory ? ", out of memory" : "") + (death.coreDumped ? ", core dumped" : "")
                return "was killed by signal \(signal)\(evidence)"
            }
            return death.exitCode.map { "exited with status \($0)" } ?? "died in an unknown way"
        }
    }
}
