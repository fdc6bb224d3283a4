internal import CohortCore
internal import CohortWire
internal import Synchronization

/// Requests on their way to the loop, in order. Tasks that come one after the other travel in one message.
final class Outbox: Sendable {
    /// Bytes and tasks of one submission.
    private static let payloadLimit = 4 << 20
    private static let taskLimit = 65_536

    private struct State {
        var bodies: [FrameBody] = []
        /// Comes after `bodies`, and can take more tasks.
        var open: TaskSubmission?
        var openTasks = 0

        mutating func closeSubmission() {
            if let open { bodies.append(.submit(open)) }
            open = nil
            openTasks = 0
        }
    }

    private let state = Mutex(State())

    /// - Returns: whether the loop must be woken.
    func append(_ body: FrameBody) -> Bool {
        state.withLock { state in
            let wasEmpty = state.bodies.isEmpty && state.open == nil
            state.closeSubmission()
            state.bodies.append(body)
            return wasEmpty
        }
    }

    /// Adds a task to a group.
    ///
    /// - Parameters:
    ///   - place: the numbers of the task and of its template.
    ///   - newTemplate: the template itself, if it is the first task of it.
    /// - Returns: whether the loop must be woken.
    func submit(_ key: GroupKey, _ place: SubmissionLane.Place, newTemplate: TaskTemplate?, payload: [UInt8]) -> Bool {
        state.withLock { state in
            let wasEmpty = state.bodies.isEmpty && state.open == nil
            let bytes = (state.open?.payload.count ?? 0) + payload.count
            if state.open?.group != key || state.openTasks >= Self.taskLimit || bytes > Self.payloadLimit {
                state.closeSubmission()
                state.open = TaskSubmission(
                    group: key,
                    first: place.number,
                    firstTemplate: place.knownTemplates,
                    runs: []
                )
            }
            if let newTemplate { state.open?.templates.append(newTemplate) }
            let length = UInt32(payload.count)
            if let last = state.open?.runs.indices.last, state.open?.runs[last].template == place.template {
                state.open?.runs[last].lengths.append(length)
            } else {
                state.open?.runs.append(TaskRun(template: place.template, lengths: [length]))
            }
            state.open?.payload.append(contentsOf: payload)
            state.openTasks += 1
            return wasEmpty
        }
    }

    /// Everything, in order.
    func takeAll() -> [FrameBody] {
        state.withLock { state in
            state.closeSubmission()
            var bodies: [FrameBody] = []
            swap(&bodies, &state.bodies)
            return bodies
        }
    }
}
