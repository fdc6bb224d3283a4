internal import Glibc
internal import Synchronization

/// How many descriptors this process may open.
package enum DescriptorLimit {
    /// What it was before it was raised; 0 if it was not.
    private static let former = Atomic<UInt64>(0)

    /// Lets this process open as many as the system allows it at most, which is mostly many more than it gets unasked.
    ///
    /// What it starts afterwards has the limit that this process had: a program may take a high one for a reason to close
    /// a million descriptors, or fail with numbers that `select` cannot take.
    package static func raise() {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        // Refused only if the system's own bound has changed in between; what there was remains.
        if setrlimit(kind, &limit) == 0 { former.store(UInt64(before), ordering: .releasing) }
    }

    /// For programs that are started here; 0 for that of this process.
    static var ofPrograms: UInt64 { former.load(ordering: .acquiring) }
}
