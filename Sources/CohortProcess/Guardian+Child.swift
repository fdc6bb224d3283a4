internal import CCohortProcess
internal import Glibc

extension Guardian {
    /// Whether this process was started by a guardian.
    package static var isGuarded: Bool { descriptor != nil }

    /// The descriptor that reaches its end when the guardian of this process has died; nil without a guardian.
    ///
    /// Close-on-exec from here on. It never holds a byte: poll it, for POLLHUP.
    package static var descriptor: Int32? {
        guard let value = getenv(guardedVariable).map({ String(cString: $0) }) else { return nil }
        let parts = value.split(separator: ":")
        guard parts.count == 2, let descriptor = Int32(parts[0]), let inode = UInt64(parts[1]) else { return nil }
        // The variable may have come down from a process further up, where the number meant something else.
        guard inode != 0, inode == Self.inode(of: descriptor) else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    /// Calls `onGuardianDeath` once, on a thread of its own, when the guardian has died; at once if it is dead already.
    ///
    /// The process has to end its own descendants then, and leave: nobody else will. Returns whether there is a guardian.
    @discardableResult
    package static func watchFromChild(onGuardianDeath: @escaping @Sendable () -> Void) throws(SpawnError) -> Bool {
        guard let descriptor else { return false }
        try startThread(named: "cohort-guarded") {
            while !waitForEnd(descriptor, milliseconds: -1) {}
            onGuardianDeath()
        }
        return true
    }

    private static func waitForEnd(_ descriptor: Int32, milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&polled, 1, milliseconds) > 0
    }
}
