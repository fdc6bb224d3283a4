internal import CohortCore

/// After a while nothing goes wrong any more: then all must come to its end.
extension ModelCluster {
    mutating func heal() throws(Violation) {
        for _ in 0..<10 { try comeBack() }
        while let id = firstUnsealed() { try seal(id, .returned) }
        try joinWorker(slots: 20, credit: .max, runsCommands: true, functions: ["f", "g"])
        if clients.isEmpty { try joinClient() }
        for _ in 0..<400 {
            try finishAll()
            for place in clients.indices {
                let client = clients[place]
                clients[place].weight = 0
                clients[place].outputs = []
                try send(.consumed(client.session, weight: client.weight, outputs: client.outputs))
            }
            now = now.advanced(by: .milliseconds(200))
            try timePasses(silent: [])
            try flush()
            if try isQuiet(), clients.allSatisfy({ $0.weight == 0 }) { break }
        }
        try checkEnds()
    }

    private mutating func finishAll() throws(Violation) {
        for place in workers.indices {
            var report = WorkerReport()
            for attempt in workers[place].attempts {
                if !attempt.hasStarted { self[attempt.group].tasks[attempt.index].executions += 1 }
                report.finished.append(
                    FinishedAttempt(ref: attempt.ref, status: attempt.cancelRequested ? .cancelled : .ok)
                )
            }
            let ended = workers[place].attempts
            workers[place].attempts = []
            for attempt in ended { closeBodies(of: attempt) }
            try send(.workerReported(workers[place].session, report))
        }
        try flush()
    }

    /// No group is open, as the coordinator itself sees it.
    private func isQuiet() throws(Violation) -> Bool {
        guard let snapshot = core.snapshot(at: now) else { throw Violation("no answer to a query") }
        return snapshot.groups.allSatisfy { $0.outcome != nil }
    }

    private mutating func checkEnds() throws(Violation) {
        try check(isQuiet(), "groups have not closed: \(openGroups.map(\.value))")
        for id in groups.indices.map({ GroupID(UInt64($0) + 1) }) where !self[id].isDetached && isDriven(id) {
            try check(self[id].closed != nil, "the end of group \(id.value) was never told")
        }
        // What was detached is told to whoever asks, whole and once.
        try joinClient()
        let place = clients.count - 1
        var roots: [GroupID] = []
        for id in groups.indices.map({ GroupID(UInt64($0) + 1) }) where self[id].isDetached && self[id].parent == nil {
            roots.append(id)
            try watch(id, from: place)
        }
        for _ in 0..<400 where clients[place].caughtUp.count < roots.count {
            try flush()
            let weight = clients[place].weight
            clients[place].weight = 0
            try send(.consumed(clients[place].session, weight: weight, outputs: []))
        }
        try check(clients[place].caughtUp.sorted() == roots, "a watcher has not caught up")
        for (number, group) in groups.enumerated() where group.isDetached {
            try check(clients[place].told.contains("\(number + 1)"), "the end of group \(number + 1) was never told")
            for index in group.tasks.indices {
                try check(
                    clients[place].told.contains("\(number + 1)/\(index)"),
                    "task \(index) of group \(number + 1) was never told"
                )
            }
        }
        try check(
            workers.allSatisfy { $0.templates.isEmpty && $0.kept.isEmpty },
            "templates of closed groups are kept at workers"
        )
    }
}
