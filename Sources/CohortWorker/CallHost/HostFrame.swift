/// What the pool and a call host say to each other.
///
/// They are joined by a stream socket. Each frame is a fixed header, little-endian and unpadded, and a body whose length
/// the header gives; as many frames as are ready go into one write. Both sides are the same executable, so there is one
/// version only, and a frame that makes no sense means that the stream is broken: the reader gives the connection up.
///
/// Orders, from the pool to a host (header of 40 bytes):
///
///     offset  size  field
///          0     4  length of the body
///          4     1  kind: 1 call, 2 cancel, 3 recall, 4 resume
///          5     1  flags: bit 0 the call has the host to itself, bit 1 it has a timeout, bit 2 its
///                   failure makes the host hold, bit 3 its success does
///          6     2  zero
///          8     8  sequence number of the call on this host: 1, 2, 3, … without gaps
///         16     8  call: timeout in ns
///         24     4  call: attempt
///         28     4  call: length of the function's name
///         32     4  call: length of the task's name
///         36     4  call: length of the group's name
///         40        call: function, task, group, payload; cancel: reason
///
/// Replies, from a host to the pool (header of 56 bytes):
///
///     offset  size  field
///          0     4  length of the body
///          4     1  kind: 1 ready, 2 started, 3 finished, 4 recalled
///          5     1  finished: 0 ok, 1 error, 2 cancelled, 3 cancelled before it started
///          6     2  zero
///          8     8  sequence number; 0 for ready
///         16     8  finished: elapsed ns
///         24     8  finished: bytes of stdout that were written in this host's life when the call ended
///         32     8  finished: the same for stderr
///         40     8  finished: user time in ns; all ones: not measured
///         48     8  finished: system time in ns; all ones: not measured
///         56        ok: value; error: u32 length of type, u32 length of message, type, message, trace
///
/// Replies about calls stand in the order in which the calls ended. A host starts calls in the order of their numbers.
///
/// A host that *holds* recalls every call that waits or arrives, until `resume`: the pool's answer to the reply that made
/// the host hold, so that calls sent before it are recalled and calls sent after it are run.
enum HostFrame {
    /// Greatest body of either direction.
    static let maximumBodyBytes = 64 << 20
    /// Greatest value that a function may return.
    static let maximumValueBytes = 16 << 20

    enum OrderKind: UInt8 {
        case call = 1
        case cancel = 2
        case recall = 3
        case resume = 4
    }

    enum ReplyKind: UInt8 {
        case ready = 1
        case started = 2
        case finished = 3
        case recalled = 4
    }

    enum Status: UInt8 {
        case ok = 0
        case error = 1
        case cancelled = 2
        case cancelledBeforeStart = 3
    }

    struct OrderFlags: OptionSet {
        let rawValue: UInt8
        static let exclusive = OrderFlags(rawValue: 1)
        static let hasTimeout = OrderFlags(rawValue: 2)
        static let holdAfterFailure = OrderFlags(rawValue: 4)
        static let holdAfterSuccess = OrderFlags(rawValue: 8)

        var hold: CallHold {
            contains(.holdAfterFailure) ? .afterFailure : contains(.holdAfterSuccess) ? .afterSuccess : .never
        }
    }
}

/// Header of a frame from the pool to a host.
struct OrderHeader {
    static let size = 40

    var bodyLength: UInt32 = 0
    var kind: HostFrame.OrderKind
    var flags: HostFrame.OrderFlags = []
    var sequence: UInt64
    var timeout: UInt64 = 0
    var attempt: UInt32 = 0
    var functionLength: UInt32 = 0
    var taskLength: UInt32 = 0
    var groupLength: UInt32 = 0
}

/// Header of a frame from a host to the pool.
struct ReplyHeader {
    static let size = 56
    /// A time that was not measured.
    static let unmeasured = UInt64.max

    var bodyLength: UInt32 = 0
    var kind: HostFrame.ReplyKind
    var status: HostFrame.Status = .ok
    var sequence: UInt64 = 0
    var elapsed: UInt64 = 0
    var outputEnd = OutputPosition()
    var userTime = Self.unmeasured
    var systemTime = Self.unmeasured
}

/// How many bytes a host has written in its life, per stream.
struct OutputPosition: Equatable {
    var standardOutput: UInt64 = 0
    var standardError: UInt64 = 0
}
