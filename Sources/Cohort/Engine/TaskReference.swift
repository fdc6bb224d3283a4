internal import CohortCore

/// A task for those who wait for it, whatever its value is.
public struct TaskReference: Sendable {
    let cell: TaskCell
    let home: TaskHome
    let session: GroupSession
    /// Of the task that waits, if a task does.
    let slots: (any SlotHolder)?

    /// Waits for the end, whatever becomes of the waiting task.
    func waitForEnd() async {
        guard !cell.hasEnded else { return }
        let watch = EndWatch([self])
        defer { watch.end() }
        _ = await watch.run(isCancellable: false) { _ in true }
    }

    /// What became of the task, once it has ended.
    var result: TaskResult {
        get async {
            await waitForEnd()
            // Ended tasks have a result.
            return cell.result ?? TaskResult(name: cell.name, id: "", outcome: .lost)
        }
    }
}

/// Where a task belongs.
enum TaskHome: Sendable {
    /// A group that this session has opened.
    case group(GroupCell)
    /// The group of the task that has added it.
    case joined(JoinedCell)

    var key: GroupKey {
        switch self {
        case .group(let cell): cell.key
        case .joined(let cell): cell.key
        }
    }

    var groupID: GroupID? {
        switch self {
        case .group(let cell): cell.id
        case .joined(let cell): cell.id
        }
    }
}
