internal import Synchronization

/// Who is to go on, or to stop, once all locks are free.
struct Wakeups: Sendable {
    private var cancels: [@Sendable () -> Void] = []
    private var ends: [(watch: EndWatch, position: Int)] = []
    private var resumptions: [@Sendable () -> Void] = []

    /// Whether code of the program may be run: its handlers for cancellation.
    var runsForeignCode: Bool { !cancels.isEmpty }

    mutating func cancel(_ body: (@Sendable () -> Void)?) {
        if let body { cancels.append(body) }
    }

    mutating func ended(_ registrations: [EndWatch.Registration]) {
        for registration in registrations { ends.append((registration.watch, registration.position)) }
    }

    mutating func resume(_ continuation: CheckedContinuation<Void, Never>?) {
        if let continuation { resumptions.append { continuation.resume() } }
    }

    mutating func resume(_ resumption: @escaping @Sendable () -> Void) {
        resumptions.append(resumption)
    }

    /// A body that waits for a task of a group that stops is cancelled before it sees that the task was.
    func perform() {
        for cancel in cancels { cancel() }
        for (watch, position) in ends { watch.ended(position) }
        for resume in resumptions { resume() }
    }
}

/// Performs wakeups one after the other: at once, unless that would run the program's code on the loop's thread.
final class WakeupQueue: Sendable {
    private struct State {
        var waiting = FIFO<Wakeups>()
        /// A task is performing what waits.
        var isBusy = false
    }

    private let state = Mutex(State())

    func perform(_ wakeups: Wakeups) {
        let (isInline, mustStart) = state.withLock { state in
            if !state.isBusy, !wakeups.runsForeignCode { return (true, false) }
            state.waiting.append(wakeups)
            defer { state.isBusy = true }
            return (false, !state.isBusy)
        }
        if isInline { wakeups.perform() }
        if mustStart { Task.detached { self.drain() } }
    }

    /// Returns when all that was to be performed before has been.
    func pass() async {
        await withCheckedContinuation { continuation in
            var mark = Wakeups()
            mark.resume(continuation)
            perform(mark)
        }
    }

    private func drain() {
        while let next = next() { next.perform() }
    }

    private func next() -> Wakeups? {
        state.withLock { state in
            let next = state.waiting.popFirst()
            if next == nil { state.isBusy = false }
            return next
        }
    }
}
