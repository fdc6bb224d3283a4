internal import CohortCore

/// When a group's deadline comes, as far as those can tell who have asked for it.
///
/// A request counts from when the coordinator deals with it, which is at some moment between the request and the answer.
struct KnownDeadline {
    enum Move {
        case none
        case later(TimeSpan)
        /// From when the request is dealt with.
        case new(TimeSpan)
    }

    /// A request of which it is not known what has become.
    private struct Request {
        /// 0 if it is not answered.
        var token: UInt32
        var move: Move
        var asked: Instant
        /// The deadline was set just before, and is set again if that request comes again. This one counts once, and is lost
        /// with what it had extended.
        var mayBeUndone = false
    }

    /// As the answered requests have it; `nil` for none.
    private var first: Instant?
    private var last: Instant?
    private var requests: [Request] = []

    /// - Parameter timeout: the one that the group is opened with.
    init(timeout: TimeSpan?, asked: Instant) {
        first = timeout.map { asked.advanced(by: $0) }
    }

    /// The group is told to be open.
    mutating func opened(timeout: TimeSpan?, at now: Instant) { last = timeout.map { now.advanced(by: $0) } }

    /// It cannot come before this; `nil` if it cannot come at all.
    var earliest: Instant? {
        requests.reduce(first) { earliest, request in
            guard case .new(let span) = request.move else { return earliest }
            let due = request.asked.advanced(by: span)
            return earliest.map { min($0, due) } ?? due
        }
    }

    /// It has come by then; `nil` if there may be none, or nobody can tell.
    var latest: Instant? { requests.isEmpty ? last : nil }

    mutating func request(_ move: Move, token: UInt32, at now: Instant) {
        let mayBeUndone = requests.contains { if case .new = $0.move { true } else { false } }
        requests.append(Request(token: token, move: move, asked: now, mayBeUndone: mayBeUndone))
    }

    /// What was asked for without a wish for an answer has been dealt with, one way or the other.
    mutating func settleUnanswered(at now: Instant) {
        while let next = requests.first, next.token == 0 { settleFirst(isSure: false, at: now) }
    }

    mutating func answered(_ token: UInt32, isAccepted: Bool, at now: Instant) {
        guard let asked = requests.first(where: { $0.token == token })?.asked else { return }
        // They are dealt with in the order in which they were made.
        while let next = requests.first, next.token != token { settleFirst(isSure: false, at: now) }
        if isAccepted { return settleFirst(isSure: true, at: now) }
        // One that came again may be refused for what the first one has brought about.
        if case .new(let span) = requests.removeFirst().move {
            let due = asked.advanced(by: span)
            first = min(first ?? due, due)
        }
    }

    private mutating func settleFirst(isSure: Bool, at now: Instant) {
        let request = requests.removeFirst()
        switch request.move {
        case .none:
            if isSure { first = nil }
            last = nil
        case .later(let span):
            if isSure, !request.mayBeUndone { first = first?.advanced(by: span) }
            last = last?.advanced(by: span)
        case .new(let span):
            let due = request.asked.advanced(by: span)
            first = isSure ? due : min(first ?? due, due)
            last = now.advanced(by: span)
        }
    }
}
