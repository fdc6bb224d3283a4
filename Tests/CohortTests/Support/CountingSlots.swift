internal import Cohort
internal import Synchronization

/// Counts how often a program gives up its slot.
final class CountingSlots: SlotHolder {
    private let state = Mutex((waits: 0, depth: 0))

    var waits: Int { state.withLock { $0.waits } }
    var isWaiting: Bool { state.withLock { $0.depth > 0 } }

    func waitBegan() {
        state.withLock { state in
            state.waits += 1
            state.depth += 1
        }
    }

    func waitEnded() async {
        state.withLock { $0.depth -= 1 }
    }
}
