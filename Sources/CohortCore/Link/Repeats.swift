/// How often the other side of a session may have what it was sent once more.
///
/// Who has lost something asks for all from there on, and again when a heartbeat shows that it still lacks it. Each request
/// costs it a few bytes; the answer may be all that waits for an acknowledgement, and stands in memory until it is read. So
/// everything is sent again once for the asking, and from then on a stretch at a time: as fast as stretches arrive while
/// what was acknowledged pays for it, else twice in a heartbeat's interval. Who does not even take that is given up.
package struct Repeats: Sendable, Equatable {
    /// Messages, and about how many bytes, that are sent again in one go when that is not the first time.
    package static let stretchMessages = 64
    package static let stretchBytes = 1 << 20
    /// The most that may be sent again without a pause, in bytes, and how much of it each acknowledged byte gives back.
    private static let mostCredit = 4 << 20
    private static let creditFactor = 4
    /// After so many answers with nothing acknowledged in between there is no further one.
    package static let mostInVain = 64
    /// Requests that may come too soon before something is acknowledged: of heartbeats that were on their way when the first
    /// one was made, each brings one about.
    static let mostDeclined: UInt64 = 1_000
    /// What a message costs besides its bytes.
    private static let overhead = 64

    /// What has been sent again at least once ends here.
    private var end: UInt64 = 0
    /// The highest number that was asked for and given.
    private var furthest: UInt64 = 0
    private var credit = mostCredit
    private var notBefore = Instant(nanoseconds: 0)
    private var inVain = 0
    /// Requests that were not answered, since something was acknowledged.
    package private(set) var declined: UInt64 = 0

    /// How much of what is kept goes out once more.
    enum Verdict: Equatable {
        case all
        case stretch
        case declined
        case endless
    }

    /// - Parameters:
    ///   - first: the first that is asked for and kept.
    ///   - pause: how long to wait for what was sent again to come through.
    mutating func judge(first: UInt64, pause: TimeSpan, at now: Instant) -> Verdict {
        let isProgress = first > furthest
        guard isProgress && (first > end || credit > 0) || now >= notBefore else {
            declined += 1
            return .declined
        }
        inVain += 1
        if inVain > Self.mostInVain { return .endless }
        furthest = max(furthest, first)
        notBefore = now.advanced(by: pause)
        return first > end ? .all : .stretch
    }

    /// What a message costs that is sent again.
    static func cost(of frames: [[UInt8]]) -> Int { frames.reduce(overhead) { $0 + $1.count } }

    /// A message is sent again.
    mutating func sends(_ sequence: UInt64, cost: Int) {
        if sequence <= end { credit = max(credit - cost, 0) }
        end = max(end, sequence)
    }

    /// The other side has shown that a message of so many bytes has come.
    mutating func acknowledged(bytes: Int) {
        credit = min(credit + min(bytes + Self.overhead, Self.mostCredit) * Self.creditFactor, Self.mostCredit)
        inVain = 0
        declined = 0
    }
}
