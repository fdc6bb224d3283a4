internal import DequeModule

/// Ends of whole trees, of which nobody is left to wait for anything.
extension CoordinatorCore {
    /// Stops a whole tree, shields or not: its owner, or this coordinator, will not be there to wait for it (promise 5).
    ///
    /// - Parameter grace: what is being cancelled already gets no more than this, either; `nil` leaves every grace as it is.
    mutating func stopWhole(
        _ root: UInt32,
        _ cause: CancelCause,
        reason: String,
        grace: TimeSpan? = nil,
        at now: Instant
    ) {
        let id = groups[Int(root)].id
        let late = grace.map { shorten(below: root, to: $0) } ?? []
        stop(root, cause, reason: reason, fromOutside: true, at: now)
        guard groupPlaces[id] == root, groups[Int(root)].phase != .closed else { return }
        let tree = openTree(below: root)
        for place in tree where groups[Int(place)].phase == .open {
            stop(place, cause, reason: reason, fromOutside: true, at: now)
        }
        for place in tree where groups[Int(place)].phase != .closed {
            // Also what has been asked to end for its own timeout only, and would be tried again.
            for task in Array(groups[Int(place)].members)
            where task != TaskRecord.none && !tasks[Int(task)].flags.isSuperset(of: [.cancelRequested, .retriesOver]) {
                requestCancel(task, cause, reason: reason, at: now)
            }
        }
        for ref in late {
            guard let task = executingTask(ref) else { continue }
            send(task, cause: tasks[Int(task)].cause, reason: reason, repeating: true, at: now)
        }
        if groupPlaces[id] == root, groups[Int(root)].phase != .closed { closeStopped(below: root, at: now) }
    }

    /// Bounds the grace of every group of a tree.
    ///
    /// - Returns: what has been asked to end before and must be told of the shorter grace.
    private mutating func shorten(below root: UInt32, to grace: TimeSpan) -> [AttemptRef] {
        var late: [AttemptRef] = []
        for place in openTree(below: root) where groups[Int(place)].grace > grace {
            groups[Int(place)].grace = grace
            changed(group: place)
            let isOpen = groups[Int(place)].phase == .open
            for task in groups[Int(place)].members where task != TaskRecord.none {
                let record = tasks[Int(task)]
                guard record.flags.contains(.cancelRequested), record.state.isAtWorker else { continue }
                // The stop of an open group reaches all of its tasks but the shielded ones.
                if !isOpen || templates[Int(record.template)].template.shield { late.append(ref(task)) }
            }
        }
        return late
    }

    /// Nobody can add anything to these groups any more.
    mutating func sealTree(below root: UInt32) {
        for place in openTree(below: root) where !groups[Int(place)].sealed {
            groups[Int(place)].sealed = true
            changed(group: place)
        }
    }

    /// The client that was the body of these groups is gone: those that it has not sealed stop, and so do all that are not
    /// detached.
    ///
    /// - Parameter grace: the longest that tasks of attached groups are left; `nil` for their own.
    mutating func orphan(_ open: [UInt32], grace: TimeSpan?, at now: Instant) {
        for group in open where groups[Int(group)].phase != .closed {
            groups[Int(group)].owner = GroupRecord.none
            groups[Int(group)].key = GroupKey(0)
            groups[Int(group)].orphaned = true
            changed(group: group)
        }
        var broken: [UInt32] = []
        for group in open where groups[Int(group)].phase != .closed && !groups[Int(group)].sealed {
            groups[Int(group)].sealed = true
            if groups[Int(group)].detached { broken.append(group) }
        }
        for group in broken where groups[Int(group)].phase != .closed {
            // A submission that broke off in the middle must not run as if it were whole.
            stop(group, .ownerLost, reason: "its client is gone", fromOutside: true, at: now)
        }
        for group in open where groups[Int(group)].phase != .closed && !groups[Int(group)].detached {
            stopWhole(group, .ownerLost, reason: "its client is gone", grace: grace, at: now)
        }
        for group in open { closeIfDone(group, at: now) }
    }
}
