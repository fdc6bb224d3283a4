internal import Synchronization

/// Whether a host, a process that somebody else than the process loop starts and ends, executes anything.
package final class HostActivity: Sendable {
    private let value = Atomic(false)

    package init() {}

    package var isBusy: Bool {
        get { value.load(ordering: .acquiring) }
        set { value.store(newValue, ordering: .releasing) }
    }
}
