extension JournalCheck {
    /// All tasks that were ever added to a group, in their order, which may be many.
    struct Roll {
        private(set) var count = 0
        /// Those that are not shielded: neither touching nor overlapping, ascending.
        private(set) var unshielded: [Range<Int>] = []

        mutating func add(_ more: Int, isShielded: Bool) {
            let added = count..<(count + more)
            count += more
            if isShielded { return }
            if let last = unshielded.last, last.upperBound == added.lowerBound {
                unshielded[unshielded.count - 1] = last.lowerBound..<added.upperBound
            } else {
                unshielded.append(added)
            }
        }
    }

    // MARK: Submissions

    /// How the tasks of a client that joins groups are numbered.
    private struct JoinPlace: Hashable {
        var client: PeerToken
        var key: GroupKey
        var task: AttemptRef?
    }

    mutating func checkSubmissions() throws(Fault) {
        var known: Set<TemplateID> = []
        var orders: [(first: UInt64, end: UInt64)] = []
        for (id, submissions) in state.submissions {
            try require(open[id] != nil, "tasks were added to group \(id.value), which is not open")
            var own: [TemplateID: TaskTemplate] = [:]
            var all = Roll()
            var joined: [JoinPlace: UInt64] = [:]
            for submission in submissions {
                let name = "the tasks from number \(submission.first) of group \(id.value)"
                try require(
                    submission.group == id && Int(submission.first) == all.count,
                    "\(name) do not follow those before them"
                )
                for row in submission.templates {
                    try require(
                        row.id.value < state.counters.nextTemplate && known.insert(row.id).inserted,
                        "a template of \(name) is that of others"
                    )
                    own[row.id] = row.template
                }
                var bytes = 0
                for run in submission.runs {
                    guard let template = own[run.template] else {
                        throw Fault(text: "\(name) have no template \(run.template.value)")
                    }
                    for length in run.lengths { bytes += Int(length) }
                    all.add(run.lengths.count, isShielded: template.shield)
                }
                let count = all.count - Int(submission.first)
                try require(count > 0 && all.count < Int(UInt32.max), "\(name) are none, or too many")
                try require(bytes == submission.payload.count, "the payloads of \(name) do not add up")
                try require(submission.order < Self.most, "\(name) are out of order")
                orders.append((submission.order, submission.order + UInt64(count)))
                guard let origin = submission.joined else { continue }
                try require(origin.templates.allSatisfy { own[$0] != nil }, "\(name) have templates of others")
                guard origin.client != .none else { continue }
                let place = JoinPlace(client: origin.client, key: origin.key, task: origin.task)
                let expected = joined[place] ?? 0
                try require(
                    origin.first == 0 || UInt64(origin.first) == expected,
                    "\(name) do not follow those that their client has added before"
                )
                joined[place] = UInt64(origin.first) + UInt64(count)
            }
            rolls[id] = all
        }
        orders.sort { $0.first < $1.first }
        for (order, next) in zip(orders, orders.dropFirst()) {
            try require(order.end <= next.first, "two tasks have one place in the order of spawning")
        }
        try require(orders.last.map { $0.end <= state.counters.nextOrder } ?? true, "a task has not been added yet")
        for (id, submissions) in state.submissions {
            let isAscending = zip(submissions, submissions.dropFirst()).allSatisfy { $0.order < $1.order }
            try require(isAscending, "the tasks of group \(id.value) are out of the order of spawning")
        }
        for (id, numbers) in ended where open[id] != nil {
            let count = rolls[id]?.count ?? 0
            try require(numbers.allSatisfy { $0 < count }, "a task of group \(id.value) has ended that never was")
        }
    }

    // MARK: Tasks

    /// What a group lets run.
    private struct Load {
        var held = 0
        var cleaning = 0
    }

    func checkTasks() throws(Fault) {
        var places: Set<Int> = []
        for (id, rows) in state.tasks {
            var load = Load()
            for (index, row) in rows {
                let name = "task \(index) of group \(id.value)"
                guard let all = rolls[id], row.group == id, row.index == index, index < all.count,
                    ended[id]?.contains(index) != true
                else { throw Fault(text: "\(name) is not among those that have not ended") }
                try require(
                    row.key.index < max(limits.unfinishedTasks, all.count) && row.key.generation > 0
                        && row.key.generation <= state.counters.generation && places.insert(row.key.index).inserted,
                    "\(name) has the place of another one"
                )
                try check(row, name)
                let isCleaning = row.flags.contains(.cancelRequested)
                if isCleaning { load.cleaning += 1 }
                if row.state.holdsSlot { load.held += 1 }
                guard row.state.isAtWorker else { continue }
                try checkWorker(of: row, name)
            }
            let limit = Int(open[id]?.limit ?? .max)
            try require(load.held - load.cleaning <= limit, "group \(id.value) is over its limit")
        }
        for (id, rows) in state.failures {
            try require(
                rows.keys.allSatisfy { state.tasks[id]?[$0] != nil },
                "a task of group \(id.value) has failed, and nothing says where it stands"
            )
        }
        try checkNested()
        try checkStops()
    }

    /// What a task's row says by itself.
    private func check(_ row: JournalTask, _ name: String) throws(Fault) {
        let isOver = row.flags.contains(.cancelRequested)
        let isSound =
            switch row.state {
            case .free: false
            case .queued: !isOver && row.executions < .max
            case .delayed:
                !isOver && row.executions < .max && state.failures[row.group]?[row.index]?.retryAt != nil
            case .assigned: row.executions < min(row.attempt, UInt32(UInt16.max))
            case .running, .waiting, .wanting: row.executions > 0
            case .ending: row.end != nil
            }
        try require(
            isSound && (row.end == nil || row.state == .ending) && row.attempt < .max
                && UInt32(row.executions) <= row.attempt && row.crashes < .max,
            "what is said of \(name) does not fit together"
        )
    }

    /// What the worker offers need not fit what it has: it may have come back with another offer.
    private func checkWorker(of row: JournalTask, _ name: String) throws(Fault) {
        let isKnown = state.workers[row.worker].map { !$0.departed } ?? false
        try require(isKnown, "\(name) is at worker \(row.worker), which is not known")
    }

    /// Groups that tasks have opened.
    private func checkNested() throws(Fault) {
        var openers: Set<TaskKey> = []
        for (id, group) in open {
            guard let index = group.opener, let parent = group.parent else { continue }
            guard let row = state.tasks[parent]?[index], row.state.isAtWorker || row.state == .ending else {
                throw Fault(text: "the task that has opened group \(id.value) does not run")
            }
            openers.insert(row.key)
            let isReached = row.flags.contains(.cancelRequested) && !group.isCleanup && !group.shield
            try require(
                !isReached || group.phase == .stopping,
                "group \(id.value) goes on, though its task was cancelled"
            )
        }
        for row in state.tasks.values.lazy.flatMap(\.values) where row.state == .ending {
            try require(
                openers.contains(row.key),
                "task \(row.index) of group \(row.group.value) waits for groups that it does not have"
            )
        }
    }

    /// Groups that stop, and groups that should have closed.
    private func checkStops() throws(Fault) {
        var parents: Set<GroupID> = []
        for group in open.values { if let parent = group.parent { parents.insert(parent) } }
        for (id, group) in open {
            let all = rolls[id] ?? Roll()
            let unfinished = all.count - (ended[id]?.count ?? 0)
            try require(
                unfinished > 0 || !group.sealed || parents.contains(id),
                "group \(id.value) is open, and all in it has ended"
            )
            guard group.phase == .stopping, unfinished > 0 else { continue }
            for index in all.unshielded.lazy.joined() {
                guard ended[id]?.contains(UInt32(index)) != true else { continue }
                let row = state.tasks[id]?[UInt32(index)]
                let isReached = row.map {
                    $0.state == .ending || $0.state.isAtWorker && $0.flags.contains(.cancelRequested)
                }
                try require(isReached == true, "task \(index) goes on in group \(id.value), which stops")
            }
        }
    }
}
