/// What the pool and a call host say to each other.
///
/// They are joined by a stream socket. Each frame is a fixed header, little-endian and unpadded, and a body whose length
/// the header gives; as many frames as are ready go into one write. Both sides are the same executable, so there is one
/// version only, and a frame that makes no sense means that the stream is broken: the reader gives the connection up.
///
/// Orders, from the pool to a host (header of 72 bytes):
///
///     offset  size  field
///          0     4  length of the body
///          4     1  kind: 1 call, 2 cancel, 3 recall, 4 resume, 5 proceed
///          5     1  flags: bit 0 the call has the host to itself, bit 1 it has a timeout, bit 2 its
///                   failure makes the host hold, bit 3 its success does, bit 4 it has a deadline
///          6     2  zero
///          8     8  sequence number of the call on this host: 1, 2, 3, … without gaps
///         16     8  call: timeout in ns
///         24     8  call: ns until the nearest deadline of the groups around it
///         32     8  call: task, the coordinator's key of it
///         40     4  call: fence, the number of this assignment of the task
///         44     4  call: attempt, the number of this start of the task's program
///         48     4  call: length of the function's name
///         52     4  call: length of the task's name
///         56     4  call: length of the group's name
///         60     4  call: length of the settings
///         64     4  call: its place in the record of attempts; all ones: none
///         68     4  zero
///         72        call: function, task, group, settings, payload; cancel: reason
///
/// Replies, from a host to the pool (header of 56 bytes):
///
///     offset  size  field
///          0     4  length of the body
///          4     1  kind: 1 ready, 2 started, 3 finished, 4 recalled, 5 waiting, 6 wanting, 7 progress
///          5     1  finished: 0 ok, 1 error, 2 cancelled, 3 cancelled before it started
///          6     2  zero
///          8     8  sequence number; 0 for ready
///         16     8  finished: elapsed ns
///         24     8  finished: bytes of stdout that were written in this host's life when the call ended
///         32     8  finished: the same for stderr
///         40     8  finished: user time in ns; all ones: not measured
///         48     8  finished: system time in ns; all ones: not measured
///         56        ok: value; error: u32 length of type, u32 length of message, u32 length of trace, type, message,
///                   trace, tree; progress: f64 fraction (NaN: not told), note of at most 1 KiB
///
/// Replies about calls stand in the order in which the calls ended. A host starts calls in the order of their numbers.
///
/// A host that *holds* recalls every call that waits or arrives, until `resume`: the pool's answer to the reply that made
/// the host hold, so that calls sent before it are recalled and calls sent after it are run.
///
/// A call that waits for tasks of its own says `waiting` and later `wanting`, to which `proceed` is the answer; these three
/// follow one another strictly, any number of times. From `waiting` to `proceed`, or to the end of the call, the host recalls
/// every other call. A call that was cancelled does not wait for the answer.
enum HostFrame {
    /// Greatest body of either direction.
    static let maximumBodyBytes = 64 << 20
    /// Greatest value that a function may return.
    static let maximumValueBytes = 16 << 20
    /// Greatest note of a call's progress.
    static let maximumNoteBytes = 1 << 10

    enum OrderKind: UInt8 {
        case call = 1
        case cancel = 2
        case recall = 3
        case resume = 4
        case proceed = 5
    }

    enum ReplyKind: UInt8 {
        case ready = 1
        case started = 2
        case finished = 3
        case recalled = 4
        case waiting = 5
        case wanting = 6
        case progress = 7
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
        static let hasDeadline = OrderFlags(rawValue: 16)

        var hold: CallHold {
            contains(.holdAfterFailure) ? .afterFailure : contains(.holdAfterSuccess) ? .afterSuccess : .never
        }
    }
}

/// Header of a frame from the pool to a host.
struct OrderHeader {
    static let size = 72

    var bodyLength: UInt32 = 0
    var kind: HostFrame.OrderKind
    var flags: HostFrame.OrderFlags = []
    var sequence: UInt64
    var timeout: UInt64 = 0
    var deadline: UInt64 = 0
    var task: UInt64 = 0
    var fence: UInt32 = 0
    var attempt: UInt32 = 0
    var functionLength: UInt32 = 0
    var taskLength: UInt32 = 0
    var groupLength: UInt32 = 0
    var settingsLength: UInt32 = 0
    var record = AttemptRecord.noEntry
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
