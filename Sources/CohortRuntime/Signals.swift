internal import CCohortProcess
internal import Glibc

/// Signals taken as events instead of interruptions: blocked in every thread, read from a descriptor.
///
/// To be made by the main thread before any other is started, so that all inherit the mask.
package struct SignalDescriptor {
    package let descriptor: Int32

    /// - Parameter signals: such as `SIGTERM` and `SIGINT`.
    package init(_ signals: [Int32]) throws(DescriptorError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard descriptor >= 0 else { throw DescriptorError(kind: "a signalfd", errno: errno) }
    }

    /// The next signal that has come; `nil` if none waits.
    package func next() -> Int32? {
        var info = signalfd_siginfo()
        let count = read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size)
        return count == MemoryLayout<signalfd_siginfo>.size ? Int32(info.ssi_signo) : nil
    }
}
