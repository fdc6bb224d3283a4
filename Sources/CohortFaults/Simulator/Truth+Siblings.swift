internal import CohortCore

/// Tasks of groups that others than their owners add tasks to: which of them has which number, people learn from the news.
extension Truth {
    /// The task of that number in a group; `nil` if there is none, or nobody was told which one it is.
    func task(_ index: UInt32, of group: Int) -> Int? {
        let record = groups[group]
        if record.spec.acceptsSiblings { return record.places[index] }
        return record.tasks.indices.contains(Int(index)) ? record.tasks[Int(index)] : nil
    }

    /// Somebody was told which number a task has in a group to which others add tasks, too.
    ///
    /// - Returns: how that contradicts what was told before, if it does.
    func place(_ task: Int, at index: UInt32, of group: Int) -> BrokenPromise? {
        guard groups[group].spec.acceptsSiblings else { return nil }
        let known = groups[group].places.updateValue(task, forKey: index) ?? task
        let isNew = tasks[task].index ?? index == index
        tasks[task].index = index
        if known == task, isNew, tasks[task].group == group { return nil }
        return BrokenPromise(
            promise: .oneOutcome,
            message: "\(name(task: task)) has the number of another one, or had another one before",
            evidence: evidence(task: task) + evidence(task: known)
        )
    }

    /// Whether a task must be among those of its group: where others add tasks too, only what was told to be accepted.
    func isCertain(_ task: Int) -> Bool {
        let isAlone = !groups[tasks[task].group].spec.acceptsSiblings
        return tasks[task].told != nil || tasks[task].isAccepted || isAlone && !tasks[task].isRefused
    }
}
