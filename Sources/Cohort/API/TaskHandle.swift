/// What a task is doing, as far as is known here.
public enum TaskState: Sendable, Equatable {
    /// It waits for a slot.
    case queued
    /// Its program runs.
    case running
    /// It has its outcome.
    case ended
}

/// How far a running task says that it is.
public struct TaskProgress: Sendable, Equatable {
    /// From 0 to 1; `nil` if it cannot tell.
    public var fraction: Double?
    /// For people.
    public var note: String

    /// Progress as a task reports it.
    public init(fraction: Double?, note: String) {
        self.fraction = fraction
        self.note = note
    }
}

/// A task that can be waited for, whatever its value is.
public protocol AwaitableTask: Sendable {
    /// What it is called in errors and reports.
    var name: String { get }
    /// The task itself, for those who wait for it.
    var reference: TaskReference { get }
}

extension AwaitableTask {
    /// Identifies the task at its coordinator; `nil` until that has answered.
    public var id: String? {
        guard let group = reference.home.groupID, let index = reference.cell.index else { return nil }
        return TaskAccount.id(group, index)
    }

    /// What it is doing, as far as is known here.
    public var state: TaskState { reference.cell.phase }

    /// The latest word of its program on how far it is.
    public var progress: TaskProgress? { reference.cell.progress }

    /// What became of it. Waits for its end even if the waiting task is cancelled.
    public var result: TaskResult {
        get async { await reference.result }
    }

    /// Cancels the task, and no other.
    ///
    /// - Returns: whether the request came before its end.
    @discardableResult
    public func cancel(reason: String = "") async -> Bool {
        await reference.session.cancel(reference, reason: reason)
    }
}

/// A task of a group. Waiting for it never ties fates: neither does the end of the wait end the task, nor the end of the
/// task the one who waits (ruling R4).
public struct TaskHandle<Output: Codable & Sendable>: AwaitableTask {
    /// The task itself, for those who wait for it.
    public let reference: TaskReference
    private let read: @Sendable (TaskAccount) throws -> Output

    init(_ reference: TaskReference, read: @escaping @Sendable (TaskAccount) throws -> Output) {
        self.reference = reference
        self.read = read
    }

    /// What it is called in errors and reports.
    public var name: String { reference.cell.name }

    /// What it returns, once it has.
    ///
    /// Throws ``TaskFailure`` if it fails, ``TaskCancelled`` if it is cancelled, `CancellationError` if the waiting task is
    /// (or both are), and ``PoolError`` if the connection is lost.
    public var value: Output {
        get async throws { try await value(within: nil) }
    }

    /// The same, with a limit to the wait: throws ``WaitTimeout`` after it. The task is left alone.
    public func value(timeout: Duration) async throws -> Output { try await value(within: timeout) }

    private func value(within timeout: Duration?) async throws -> Output {
        if !reference.cell.hasEnded {
            let watch = EndWatch([reference])
            defer { watch.end() }
            switch await watch.run(timeout: timeout, { _ in true }) {
            case .satisfied: break
            case .expired: throw WaitTimeout()
            case .cancelled: throw CancellationError()
            }
        }
        // The request that has ended it may be on its way to whoever waits.
        if reference.cell.outcome == .cancelled { await reference.session.ledger.wakeupsPassed() }
        return try endedValue()
    }

    /// What became of it, whatever that is. Waits even if the waiting task is cancelled.
    public var end: TaskEnd<Output> {
        get async {
            await reference.waitForEnd()
            return await ended
        }
    }

    /// Of a task that has ended.
    var ended: TaskEnd<Output> {
        get async {
            let result = await reference.result
            var end = TaskEnd<Output>(outcome: result.outcome, value: nil, error: result.error, result: result)
            guard case .reported(let account, _) = reference.cell.end else { return end }
            do {
                // A task that has timed out may have returned all the same, if late.
                if end.outcome == .ok || !account.value.isEmpty { end.value = try read(account) }
            } catch  where end.outcome == .ok {
                end.outcome = .error
                end.error = ThrownError(error).node(task: name)
            } catch {
                // No late value, then.
            }
            return end
        }
    }

    func endedValue() throws -> Output {
        switch reference.cell.end {
        case .reported(let account, let reason):
            switch account.outcome {
            case .ok: return try read(account)
            case .cancelled: throw cancelled(reason)
            case .error, .timeout, .lost: throw failure(account)
            }
        case .refused(let reason): throw cancelled(reason)
        case .lost(let error, _): throw error
        case nil: throw WaitTimeout()
        }
    }

    /// Where whoever waits is cancelled as well, that comes first: most often one request has reached both.
    private func cancelled(_ reason: String?) -> any Error {
        Task.isCancelled ? CancellationError() : TaskCancelled(task: name, reason: reason)
    }

    private func failure(_ account: TaskAccount) -> TaskFailure {
        let result = account.result()
        let leaf = ErrorNode.Leaf(task: name, id: result.id, type: .workerLost, message: "")
        return TaskFailure(task: name, tree: result.error ?? .leaf(leaf), result: result)
    }
}

/// What became of a task.
public struct TaskEnd<Output: Sendable>: Sendable {
    /// What became of it; `error` too if it returned something else than its caller expects.
    public var outcome: TaskOutcome
    /// What it returned, even if that came after its timeout.
    public var value: Output?
    /// Why it failed.
    public var error: ErrorNode?
    /// All that is known of it.
    public var result: TaskResult
}

extension TaskEnd: CustomStringConvertible {
    /// One line: `fetch: ok: 42`, `fetch: error: CommandFailed: exit status 22`.
    public var description: String {
        var text = "\(result.name): \(outcome.rawValue)"
        switch error {
        case .leaf(let leaf): text += ": \(leaf.type.rawValue)" + (leaf.message.isEmpty ? "" : ": \(leaf.message)")
        case .group(let group): text += ": \(group.message)"
        case nil: if let value { text += ": \(value)" }
        }
        return text
    }
}
