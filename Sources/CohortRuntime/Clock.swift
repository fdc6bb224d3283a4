package import CohortCore
internal import FoundationEssentials
internal import Glibc
internal import ZeroMQ

extension Instant {
    /// The present on this process's monotonic clock.
    package static var now: Instant { Instant(nanoseconds: LoopThread.now) }
}

/// Facts about this machine and process, as they are told in greetings.
package enum Host {
    package static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package static var processID: UInt32 { UInt32(getpid()) }

    /// The program of this process, as a path.
    package static var executable: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Cores that this process may use.
    package static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// Where this process is; `nil` if the directory has gone.
    package static var workingDirectory: String? {
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    /// Random bytes from the kernel, for routing ids and epochs.
    package static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
