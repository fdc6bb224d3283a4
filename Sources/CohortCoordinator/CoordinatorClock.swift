internal import CohortCore
internal import Glibc
internal import ZeroMQ

/// The coordinator's instants.
///
/// They are steady within one life. With a journal they count from the beginning of 1970, so that those of one life mean
/// something in the next, whether or not the machine has been started anew in between.
struct CoordinatorClock {
    private let shift: UInt64

    init(followsTimeOfDay: Bool) {
        guard followsTimeOfDay else {
            shift = 0
            return
        }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let timeOfDay = UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(clamping: time.tv_nsec)
        let steady = LoopThread.now
        shift = timeOfDay > steady ? timeOfDay - steady : 0
    }

    var now: Instant { Instant(nanoseconds: LoopThread.now + shift) }

    /// The same instant in the terms of the loop.
    func loopTime(of instant: Instant) -> UInt64 {
        instant.nanoseconds > shift ? instant.nanoseconds - shift : 0
    }
}
