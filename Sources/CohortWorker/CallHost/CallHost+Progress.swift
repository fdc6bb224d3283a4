internal import Synchronization

/// How far calls have come, told at a pace that the way to whoever watches can bear.
extension CallHost {
    /// Least time between two notes of one call.
    private static let progressInterval: UInt64 = 100_000_000

    /// Takes a note of the call's progress: sent at once if the last one is long ago, else when its time has come. A newer one
    /// takes its place; the last one is sent before the end of the call. After that nothing is taken.
    func report(_ note: ProgressNote, of sequence: UInt64) {
        var isFirst = false
        state.withLock { state in
            guard let running = state.running, running.sequence == sequence else { return }
            isFirst = running.progress.pending == nil
            state.running?.progress.pending = note
            if reportProgress(&state) == nil { isFirst = false }
        }
        if isFirst { attention.post() } else { outbox.flush() }
    }

    /// Sends the note that is pending if its time has come; returns that time otherwise.
    func reportProgress(_ state: inout State) -> UInt64? {
        guard let progress = state.running?.progress, progress.pending != nil else { return nil }
        let now = MonotonicClock.nanoseconds()
        guard now >= progress.nextAt else { return progress.nextAt }
        finishProgress(&state)
        state.running?.progress.nextAt = now.saturatingAdd(Self.progressInterval)
        return nil
    }

    /// Sends the note that is pending now.
    func finishProgress(_ state: inout State) {
        guard let running = state.running, let note = running.progress.pending else { return }
        state.running?.progress.pending = nil
        announce(&state)
        let body = note.encoded()
        let header = ReplyHeader(bodyLength: UInt32(body.count), kind: .progress, sequence: running.sequence)
        body.withUnsafeBytes { outbox.append(header, body: $0) }
    }
}
