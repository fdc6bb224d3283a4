package import CohortCore
internal import Dispatch
internal import Synchronization

/// Writes a coordinator's batches to its store, on a queue of its own.
///
/// Whatever has come while one transaction was written goes into the next one together. A transaction that fails, for want
/// of room for example, is tried again every second: until then nothing is reported as committed, and so nothing is told to
/// anybody. When `patience` is over, writing ends for good.
package final class JournalWriter: JournalSink {
    private struct State {
        var waiting: [JournalEntry] = []
        /// The queue has been asked to write, and will look at `waiting` again before it rests.
        var isScheduled = false
        var notify: (@Sendable (JournalNotice) -> Void)?
        /// When the transaction that is tried again failed first.
        var stalledSince: ContinuousClock.Instant?
        var hasFailed = false
    }

    private static let retryDelay = DispatchTimeInterval.seconds(1)

    private let store: JournalStore
    private let patience: Duration
    private let queue = DispatchQueue(label: "journal", qos: .userInitiated)
    private let state = Mutex(State())

    /// - Parameter patience: how long a transaction is tried again before writing ends.
    package init(_ store: JournalStore, patience: Duration) {
        self.store = store
        self.patience = patience
    }

    package func start(_ notify: @escaping @Sendable (JournalNotice) -> Void) {
        state.withLock { $0.notify = notify }
    }

    package func append(_ entries: [JournalEntry]) {
        let mustSchedule = state.withLock { state in
            guard !state.hasFailed else { return false }
            state.waiting += entries
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { queue.async { self.write() } }
    }

    /// Waits until what has been handed over is on disk, or has failed once more, and ends.
    package func finish() {
        queue.sync {
            let rest = state.withLock { state in
                state.notify = nil
                defer { state.waiting = [] }
                return state.waiting
            }
            if !rest.isEmpty { try? store.write(rest.map(\.batch)) }
        }
    }

    /// On the queue: writes until nothing waits.
    private func write() {
        while true {
            let entries = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isScheduled = false }
                return state.waiting
            }
            guard let last = entries.last else { return }
            do {
                try store.write(entries.map(\.batch))
            } catch {
                return retry(entries, after: error)
            }
            tell(committed: last.ticket)
            if entries.contains(where: { !$0.batch.forgotten.isEmpty }) { tidy() }
        }
    }

    private func tell(committed ticket: UInt64) {
        let (notify, wasStalled) = state.withLock { state in
            defer { state.stalledSince = nil }
            return (state.notify, state.stalledSince != nil)
        }
        if wasStalled { notify?(.recovered) }
        notify?(.committed(ticket))
    }

    private func retry(_ entries: [JournalEntry], after error: JournalError) {
        let now = ContinuousClock.now
        let (notify, notice): ((@Sendable (JournalNotice) -> Void)?, JournalNotice?) = state.withLock { state in
            // Before all that has come since: each batch builds on those before it.
            state.waiting = entries + state.waiting
            guard let since = state.stalledSince else {
                state.stalledSince = now
                return (state.notify, .stalled(error.description))
            }
            guard since.duration(to: now) >= patience else { return (state.notify, nil) }
            state.hasFailed = true
            state.waiting = []
            return (state.notify, .failed(error.description))
        }
        if let notice { notify?(notice) }
        if case .failed = notice { return }
        queue.asyncAfter(deadline: .now() + Self.retryDelay) { self.write() }
    }

    /// Room that is not given back now is taken by what is written next.
    private func tidy() {
        for _ in 0..<16 {
            let isIdle = state.withLock { $0.waiting.isEmpty }
            guard isIdle, (try? store.tidy()) == true else { return }
        }
    }
}
