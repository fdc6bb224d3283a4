internal import DequeModule

/// What must hold between any two events. Checked after every step of tests and simulations, never in production.
extension CoordinatorCore {
    /// Cross-checks all tables.
    ///
    /// - Returns: one line for each thing that is wrong; empty when all is well.
    package func checkInvariants() -> [String] {
        var faults: [String] = []
        func check(_ condition: Bool, _ fault: @autoclosure () -> String) {
            if !condition { faults.append(fault()) }
        }
        checkQueues(check)
        checkWorkers(check)
        checkGroups(check)
        checkPlaces(check)
        return faults
    }

    private typealias Check = (Bool, @autoclosure () -> String) -> Void

    private func checkQueues(_ check: Check) {
        var queued = 0
        for place in openGroupPlaces() {
            let group = groups[Int(place)]
            for lane in group.lanes {
                var before = TaskRecord.none
                var order: UInt64?
                var task = lane.head
                while task != TaskRecord.none {
                    let record = tasks[Int(task)]
                    check(record.state == .queued, "task \(task) is \(record.state) in a queue")
                    check(record.group == place, "task \(task) is in another group's queue")
                    check(record.previous == before, "task \(task) has a wrong predecessor")
                    check(order.map { $0 < record.order } ?? true, "task \(task) is out of the order of spawning")
                    check(!record.flags.contains(.cancelRequested), "task \(task) is queued though cancelled")
                    order = record.order
                    queued += 1
                    before = task
                    task = record.next
                }
                check(lane.tail == before, "a queue of group \(group.id.value) has a wrong tail")
                if lane.head != TaskRecord.none, !group.isFull {
                    check(isAnnounced(place, lane), "group \(group.id.value) has a task that nobody will find")
                }
            }
        }
        check(queued == queuedTasks, "\(queued) tasks are queued, counted as \(queuedTasks)")
    }

    private func isAnnounced(_ place: UInt32, _ lane: Lane) -> Bool {
        let order = tasks[Int(lane.head)].order
        return groups[Int(groups[Int(place)].root)].ready.contains { ready in
            ready.requirement == lane.requirement
                && ready.contains(ReadyLanes.Entry(order: order, group: place))
        }
    }

    private func checkWorkers(_ check: Check) {
        for place in workers.indices where !workers[place].isGone {
            let worker = workers[place]
            var held: UInt32 = 0
            var running: UInt32 = 0
            var suspended: UInt32 = 0
            var before = TaskRecord.none
            var task = worker.head
            while task != TaskRecord.none {
                let record = tasks[Int(task)]
                check(record.state.isAtWorker, "worker holds task \(task), \(record.state)")
                check(record.worker == UInt32(place), "task \(task) is held by another worker")
                check(record.previous == before, "task \(task) has a wrong predecessor at its worker")
                if record.state.holdsSlot { held += 1 }
                if record.state == .running { running += 1 }
                if record.state.isSuspended { suspended += 1 }
                before = task
                task = record.next
            }
            check(worker.tail == before, "worker \(worker.number) has a wrong tail")
            check(held == worker.held, "worker \(worker.number) holds \(held), counted as \(worker.held)")
            check(suspended == worker.suspended, "worker \(worker.number) has \(suspended) waiting tasks")
            check(running == worker.running, "worker \(worker.number) runs \(running), counted as \(worker.running)")
        }
    }

    private func checkGroups(_ check: Check) {
        for place in openGroupPlaces() {
            let group = groups[Int(place)]
            let name = "group \(group.id.value)"
            check(groupPlaces[group.id] == place, "\(name) is not where it should be")
            check(group.phase != .closed, "\(name) is closed and among the open ones")
            let members = Array(group.members).filter { $0 != TaskRecord.none }
            check(
                members.count == group.unfinished,
                "\(name) has \(members.count) tasks, counted as \(group.unfinished)"
            )
            let held = members.filter { tasks[Int($0)].state.holdsSlot }.count
            check(held == group.held, "\(name) holds \(held) slots, counted as \(group.held)")
            let suspended = members.filter { tasks[Int($0)].state.isSuspended || tasks[Int($0)].state == .ending }
            check(suspended.count == group.suspended, "\(name) has \(suspended.count) suspended, \(group.suspended)")
            // Cancelled ones may go on beyond it, to clean up.
            let cleaning = members.count { tasks[Int($0)].flags.contains(.cancelRequested) }
            check(Int(group.held) - cleaning <= Int(group.limit), "\(name) is over its limit")
            check(group.members.first != TaskRecord.none, "\(name) keeps ended tasks at the front")
            for (offset, task) in group.members.enumerated() where task != TaskRecord.none {
                check(tasks[Int(task)].group == place, "task \(task) is a member of the wrong group")
                check(
                    tasks[Int(task)].index == group.firstUnfinished + UInt32(offset),
                    "task \(task) has a wrong number"
                )
            }
            if group.phase == .stopping { checkStopping(group, members, check) }
            check(
                !(group.sealed && group.unfinished == 0 && group.firstChild == GroupRecord.none),
                "\(name) is done and still open"
            )
        }
    }

    /// Every unshielded member of a group that stops has been asked to end, and none waits for a slot.
    private func checkStopping(_ group: GroupRecord, _ members: [UInt32], _ check: Check) {
        for task in members where !templates[Int(tasks[Int(task)].template)].template.shield {
            let record = tasks[Int(task)]
            let isReached = record.flags.contains(.cancelRequested) || record.state == .ending
            check(isReached, "task \(task) of a stopping group was not cancelled")
            check(record.state.isAtWorker || record.state == .ending, "task \(task) waits in a stopping group")
        }
        for child in children(of: groupPlaces[group.id] ?? GroupRecord.none) {
            let record = groups[Int(child)]
            let isExempt = record.shield || record.isCleanup || record.opener != TaskRecord.none
            check(record.phase == .stopping || isExempt, "a group goes on inside a stopping one")
        }
        for task in members {
            for nested in openedBy(task) where tasks[Int(task)].flags.contains(.cancelRequested) {
                check(groups[Int(nested)].phase == .stopping, "a cancelled task's group goes on")
            }
        }
    }

    private func checkPlaces(_ check: Check) {
        let live = tasks.filter { $0.state != .free }.count
        check(live == unfinishedTasks, "\(live) tasks are unfinished, counted as \(unfinishedTasks)")
        check(live + freeTasks.count == tasks.count, "places of tasks have leaked")
        var users: [UInt32: UInt32] = [:]
        for task in tasks where task.state != .free { users[task.chunk, default: 0] += 1 }
        for place in chunks.indices {
            check(chunks[place].users == users[UInt32(place)] ?? 0, "chunk \(place) has a wrong number of users")
        }
        for task in pendingFailures.keys.sorted() {
            check(
                tasks[Int(task)].state != .free,
                "failure of no task is kept"
            )
        }
        if let due = timers.nextDue { check(due.nanoseconds > 0, "a timer is due at the beginning of time") }
    }

    private func openGroupPlaces() -> [UInt32] {
        openRoots.flatMap { openTree(below: $0) }
    }
}
