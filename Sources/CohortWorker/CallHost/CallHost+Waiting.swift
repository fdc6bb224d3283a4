internal import Synchronization

/// A call that waits for tasks of its own gives up its slot meanwhile, so that nesting never deadlocks.
///
/// No slot is held while any wait of the call blocks, though another part of it may still compute. Calls of these methods for
/// a call that has ended do nothing: a function may leave tasks behind.
extension CallHost {
    /// A wait of the call is about to block.
    func waitBegan(_ sequence: UInt64) {
        var returning: [CheckedContinuation<Void, Never>] = []
        state.withLock { state in
            guard state.running?.sequence == sequence else { return }
            state.running?.slot.waits += 1
            if state.running?.slot.isAway == true {
                // Whoever has waited before goes on at once, like all while another wait blocks.
                returning = state.running?.slot.takeReturning() ?? []
            } else {
                leaveSlot(&state)
            }
        }
        outbox.flush()
        for wait in returning { wait.resume() }
    }

    /// A wait of the call is over: the last one asks for a slot, and returns when there is one. A call that was cancelled
    /// goes on at once.
    func waitEnded(_ sequence: UInt64) async {
        let mustReturn = state.withLock { state in endWait(&state, sequence) }
        outbox.flush()
        guard mustReturn else { return }
        await withCheckedContinuation { continuation in
            let isLate = state.withLock { state in
                // Looked at again, for what it waits for may have come in between.
                guard let running = state.running, running.sequence == sequence, running.slot.isWanted,
                    running.slot.waits == 0, !running.scope.isCancelled
                else { return true }
                state.running?.slot.returning.append(continuation)
                return false
            }
            if isLate { continuation.resume() }
        }
    }

    /// Counts a wait out; returns whether it was the last one and has to get a slot.
    private func endWait(_ state: inout State, _ sequence: UInt64) -> Bool {
        guard let running = state.running, running.sequence == sequence, running.slot.waits > 0 else { return false }
        state.running?.slot.waits -= 1
        guard running.slot.waits == 1 else { return false }
        if !running.slot.isWanted {
            state.running?.slot.isWanted = true
            outbox.append(ReplyHeader(kind: .wanting, sequence: sequence))
        }
        return !running.scope.isCancelled
    }

    /// The pool has a slot for the call, on the reader's thread.
    func proceed(_ sequence: UInt64) {
        var returning: [CheckedContinuation<Void, Never>] = []
        state.withLock { state in
            guard let running = state.running, running.sequence == sequence, running.slot.isWanted else { return }
            returning = state.running?.slot.takeReturning() ?? []
            state.running?.slot.isWanted = false
            state.running?.slot.isAway = false
            // Something blocks again since it was asked for.
            if running.slot.waits > 0 { leaveSlot(&state) }
        }
        outbox.flush()
        for wait in returning { wait.resume() }
    }

    /// Gives up the running call's slot, and with it every call that waits for the same host.
    private func leaveSlot(_ state: inout State) {
        guard let running = state.running else { return }
        announce(&state)
        state.running?.slot.isAway = true
        outbox.append(ReplyHeader(kind: .waiting, sequence: running.sequence))
        recallAll(&state)
    }
}

extension CallHost.Slot {
    /// Those that are to go on now.
    mutating func takeReturning() -> [CheckedContinuation<Void, Never>] {
        defer { returning = [] }
        return returning
    }
}
