internal import CCohortProcess
@preconcurrency internal import Glibc

/// The reading ends of a host's own stdout and stderr.
struct OutputDescriptors {
    let standardOutput: Int32
    let standardError: Int32
}

/// Tells how much a host has printed in its life.
///
/// Neither side knows that alone: the pool has taken `taken` bytes out of a pipe, and some are still in it. Both can be had
/// consistently because the pool marks the time in which it reads.
struct OutputMeter: Sendable {
    private let descriptors: [Int32]
    private let page: HostPage

    init(descriptors: OutputDescriptors, page: HostPage) {
        self.descriptors = [descriptors.standardOutput, descriptors.standardError]
        self.page = page
    }

    /// Writes out what is buffered and says how far the streams have come.
    func position() -> OutputPosition {
        fflush(stdout)
        while true {
            let before = (page.taken(0), page.taken(1))
            let left = unread()
            // Odd while the pool is between taking bytes and saying so.
            if before.0 & 1 == 0, before.1 & 1 == 0, before == (page.taken(0), page.taken(1)) {
                return OutputPosition(
                    standardOutput: before.0 / 2 + left.standardOutput,
                    standardError: before.1 / 2 + left.standardError
                )
            }
            sched_yield()
        }
    }

    private func unread() -> OutputPosition {
        withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { descriptors in
            for index in 0..<2 {
                descriptors[index] = pollfd(fd: self.descriptors[index], events: Int16(POLLIN), revents: 0)
            }
            // Most calls print nothing, and one call tells that of both.
            guard poll(descriptors.baseAddress, 2, 0) > 0 else { return OutputPosition() }
            return OutputPosition(
                standardOutput: UInt64(max(cohort_bytes_readable(self.descriptors[0]), 0)),
                standardError: UInt64(max(cohort_bytes_readable(self.descriptors[1]), 0))
            )
        }
    }
}
