extension JournalState {
    /// What in it contradicts something else in it, for people; `nil` if nothing does. Only a journal that was damaged, or
    /// changed by something else than a coordinator, does; nothing can go on from it.
    ///
    /// - Parameter limits: those of the coordinator that is to go on from it.
    package func contradiction(limits: Limits = Limits()) -> String? {
        do throws(JournalCheck.Fault) {
            var check = JournalCheck(self, limits)
            try check.run()
            return nil
        } catch {
            return error.text
        }
    }
}

/// Holds the rows of a journal against each other, so that whoever goes on with it need not.
///
/// It looks at everything that a place, a number or a sum is taken from later. What stands for itself alone, such as a name
/// or a time, is taken as it is.
struct JournalCheck {
    struct Fault: Error { var text: String }

    /// Beyond any number that a coordinator gets to, with room to count on.
    static let most: UInt64 = 1 << 62

    let state: JournalState
    let limits: Limits
    /// All groups there are that have not closed.
    private(set) var open: [GroupID: JournalGroup] = [:]
    /// The tasks of each of those to which some have been added.
    var rolls: [GroupID: Roll] = [:]
    /// Of each group that has ends, the numbers of the tasks that have ended.
    private(set) var ended: [GroupID: Set<UInt32>] = [:]
    private var outcomes: [GroupID: TaskCounts] = [:]

    init(_ state: JournalState, _ limits: Limits) {
        self.state = state
        self.limits = limits
    }

    mutating func run() throws(Fault) {
        open = state.groups.filter { $0.value.phase != .closed }
        try checkPeers()
        try checkClosings()
        try checkGroups()
        try checkKeys()
        try checkEnds()
        try checkSubmissions()
        try checkTasks()
    }

    func require(_ condition: Bool, _ text: @autoclosure () -> String) throws(Fault) {
        guard condition else { throw Fault(text: text()) }
    }

    // MARK: Peers

    private func checkPeers() throws(Fault) {
        let counters = state.counters
        let numbers = [counters.nextGroup, counters.nextTemplate, counters.nextOrder, counters.nextSequence]
        try require(numbers.allSatisfy { $0 < Self.most } && counters.nextWorker < .max, "a counter is out of bounds")
        for (token, client) in state.clients {
            try require(token == client.token && token != .none, "a client has no token")
            for (range, next) in zip(client.keys, client.keys.dropFirst()) {
                try require(
                    range.upperBound < next.lowerBound,
                    "the keys of client \(token.value) are out of order"
                )
            }
            let refused = client.extensions.refused.map(\.token)
            try require(
                zip(refused, refused.dropFirst()).allSatisfy { $0 < $1 }
                    && (refused.last ?? 0) <= client.extensions.latest
                    && refused.count <= DecidedExtensions.mostRefused,
                "the answers to client \(token.value) do not add up"
            )
        }
        var tokens: Set<PeerToken> = []
        for (number, worker) in state.workers {
            try require(
                number == worker.number && number > 0 && number < counters.nextWorker,
                "there is no worker \(number) yet"
            )
            guard !worker.departed, worker.token != .none else { continue }
            try require(tokens.insert(worker.token).inserted, "worker \(number) is there twice")
        }
    }

    // MARK: Groups

    private func checkClosings() throws(Fault) {
        var closed: Set<GroupID> = []
        for (head, closings) in state.closings {
            try require(state.groups[head]?.head == head, "group \(head.value) is no head, and has closed groups")
            for closing in closings {
                let id = closing.report.group
                try require(closed.insert(id).inserted, "group \(id.value) has closed twice")
                try require(
                    closing.sequence < state.counters.nextSequence && id.value < state.counters.nextGroup,
                    "group \(id.value) has closed, and has not been opened yet"
                )
                try require(open[id] == nil, "group \(id.value) has closed, and is open")
                let isHead = state.groups[id].map { $0.outcome == closing.report.outcome && $0.id == head }
                try require(isHead ?? (id != head), "group \(id.value) has closed in two ways")
            }
        }
        for (id, group) in state.groups where group.phase == .closed {
            try require(
                group.head == id && group.parent == nil && group.opener == nil && group.closedAt != nil
                    && state.closings[id]?.contains { $0.report.group == id } == true,
                "nothing says how group \(id.value) has closed"
            )
        }
    }

    private func checkGroups() throws(Fault) {
        for (id, group) in state.groups {
            let name = "group \(id.value)"
            try require(
                id == group.id && id.value > 0 && id.value < state.counters.nextGroup,
                "\(name) has not been opened yet"
            )
            let counts = [group.counts, group.closedBelow, group.closedInside].flatMap {
                [$0.queued, $0.running, $0.ok, $0.error, $0.timeout, $0.cancelled, $0.lost]
            }
            let isCountable = counts.allSatisfy { $0 >= 0 && $0 < Int(Self.most) }
            try require(
                isCountable && group.failures < Self.most && group.omitted < Self.most && group.limit > 0,
                "a number of \(name) is out of bounds"
            )
            guard group.phase != .closed else { continue }
            try require(group.closedAt == nil && group.outcome == nil, "\(name) is open, and has an outcome")
            try require(group.deadline?.nanoseconds != 0, "\(name) has a deadline before all time")
            try require(
                !group.orphaned || group.owner == .none && (group.phase == .stopping || group.detached && group.sealed),
                "\(name) has lost its owner, and goes on"
            )
            try checkPlace(of: group, name)
        }
    }

    /// Where a group stands in its tree.
    private func checkPlace(of group: JournalGroup, _ name: String) throws(Fault) {
        guard let id = group.parent else {
            return try require(
                group.head == group.id && group.opener == nil,
                "\(name) is a root, and below another one"
            )
        }
        guard let parent = open[id], id < group.id else { throw Fault(text: "\(name) is in no group that is open") }
        if group.opener == nil {
            try require(
                group.head == parent.head && group.detached == parent.detached,
                "\(name) is of another tree than the group around it"
            )
            let isExempt = group.shield || group.isCleanup
            try require(
                parent.phase == .open || group.phase == .stopping || isExempt,
                "\(name) goes on inside a group that stops"
            )
        } else {
            try require(group.head == group.id && !group.detached, "\(name) is of another tree than its task's")
        }
    }

    /// What clients call their groups.
    private func checkKeys() throws(Fault) {
        var keys: [PeerToken: Set<GroupKey>] = [:]
        for (id, group) in open where group.owner != .none {
            guard let owner = state.clients[group.owner] else {
                throw Fault(text: "the owner of group \(id.value) is not known")
            }
            try require(
                KeyRanges(owner.keys).contains(group.key.value)
                    && keys[group.owner, default: []].insert(group.key).inserted,
                "the key of group \(id.value) is that of another one"
            )
            let join = state.joins[ClientKey(client: group.owner, key: group.key)]
            let isJoined = join.map { $0.group == id && $0.task == nil } ?? false
            try require(isJoined == group.acceptsSiblings, "group \(id.value) counts the tasks of its owner wrongly")
        }
        for (key, join) in state.joins {
            let isOwn = open[join.group].map { $0.owner == key.client && $0.key == key.key } == true
            let isFree = keys[key.client]?.contains(key.key) != true
            try require(
                key == join.key && state.clients[key.client] != nil && open[join.group]?.acceptsSiblings == true
                    && (join.task == nil ? isOwn : isFree),
                "client \(key.client.value) adds tasks to group \(join.group.value), which takes none of it"
            )
        }
        for (id, group) in state.groups where group.phase == .closed && group.owner != .none {
            try require(state.clients[group.owner] != nil, "the owner of group \(id.value) is not known")
        }
    }

    // MARK: Ends

    private mutating func checkEnds() throws(Fault) {
        var closed: [GroupID: TaskCounts] = [:]
        for closing in state.closings.values.joined() { closed[closing.report.group] = closing.report.counts }
        for (head, ends) in state.ends {
            let here = Set((state.closings[head] ?? []).map(\.report.group))
            let received = state.groups[head]?.receivedUpTo ?? 0
            for end in ends {
                let id = end.report.group
                let name = "task \(end.report.index) of group \(id.value)"
                try require(open[id]?.head == head || here.contains(id), "\(name) has ended in no group of its tree")
                try require(
                    ended[id, default: []].insert(end.report.index).inserted,
                    "\(name) has ended twice"
                )
                try require(
                    end.sequence < state.counters.nextSequence && end.report.detail < 0
                        && (end.isOmitted || end.sequence < received || Int(end.report.valueLength) == end.value.count),
                    "the end of \(name) does not add up"
                )
                outcomes[id, default: TaskCounts()].count(end.report.outcome)
            }
        }
        for (id, group) in open {
            try require(outcomes[id] ?? TaskCounts() == group.counts, "the counts of group \(id.value) are wrong")
        }
        for (id, counts) in closed {
            try require(outcomes[id] ?? TaskCounts() == counts, "the counts of group \(id.value) are wrong")
        }
    }
}
