internal import CohortRuntime
internal import Glibc

/// The signals that ask a client to stop, and how often they have come.
struct Interruption {
    let signals: SignalDescriptor
    /// The first one that came.
    private(set) var first: Int32?
    private(set) var count = 0

    init() throws { signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP]) }

    /// Takes in what has come. Returns whether anything has.
    mutating func poll() -> Bool {
        var isNew = false
        while let signal = signals.next() {
            first = first ?? signal
            count += 1
            isNew = true
        }
        return isNew
    }
}
