/// What must be left when every group has closed and time has passed: nothing but what is remembered on purpose.
extension CoordinatorCore {
    /// To be asked when no group is open, and no later than the last timer of those that have been.
    ///
    /// - Returns: one line for each thing that was left behind; empty when all is well.
    package func checkEmptiness(at now: Instant) -> [String] {
        var leftovers: [String] = []
        func check(_ count: Int, _ what: String) {
            if count > 0 { leftovers.append("\(count) \(what) left behind") }
        }
        check(tasks.count { $0.state != .free }, "tasks")
        check(openRoots.count, "open groups")
        let remembered = closedRoots.count + clients.reduce(0) { $0 + $1.closedHeads.count }
        check(groups.count - freeGroups.count - remembered, "records of groups")
        check(groupPlaces.count - remembered, "entries of groups")
        check(templates.count - freeTemplates.count, "templates")
        check(chunks.count { $0.users > 0 || !$0.bytes.isEmpty }, "payloads")
        check(chunks.count - freeChunks.count, "records of payloads")
        check(nestedGroups.count, "entries of nested groups")
        check(pendingEnds.count, "pending ends")
        check(pendingFailures.count, "pending failures")
        check(spawners.count, "spawners")
        check(crashes.count, "counts of crashes")
        check(queries.count, "unanswered queries")
        check(queuedTasks, "queued tasks")
        check(unfinishedTasks, "unfinished tasks")
        for worker in workers where !worker.isGone {
            let name = "worker \(worker.number)"
            check(Int(worker.held + worker.running + worker.suspended), "tasks at \(name)")
            check(worker.unseenCancels.count { executingTask($0.ref) != nil }, "unseen cancels at \(name)")
            check(worker.knownTemplates.count, "templates known to \(name)")
            check(
                worker.assignBox.tasks.count + worker.cancelBox.count + worker.grantBox.count + worker.proceedBox.count,
                "messages to \(name)"
            )
        }
        for client in clients where !client.isGone {
            let name = "client \(client.id.value)"
            check(client.groups.count, "groups of \(name)")
            check(client.joined.count, "joined groups of \(name)")
        }
        return leftovers
    }
}
