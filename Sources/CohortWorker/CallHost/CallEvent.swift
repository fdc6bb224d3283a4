package import CohortProcess
internal import Glibc

/// What a ``CallPool`` tells of its calls.
///
/// Every call ends in exactly one `finished` or `returned`, after all of its output.
package enum CallEvent: Sendable, Equatable {
    /// The function runs. Left out for a prefetchable call that took less than about a millisecond.
    case started(UInt64)
    /// Bytes that the function has printed.
    case output(UInt64, ProcessEvent.Stream, [UInt8])
    /// It waits for tasks of its own from now on: its slot is free.
    case waiting(UInt64)
    /// It has waited, and goes on with the next `CallPool.proceed`.
    case wanting(UInt64)
    /// How far it says it has come: from 0 to 1, if it told that.
    case progress(UInt64, fraction: Double?, note: String)
    case finished(UInt64, CallReport)
    /// These never began, through no fault of theirs: their host is gone, or they were recalled. To be run elsewhere.
    case returned([UInt64])
}

/// How a call ended, and what it took.
package struct CallReport: Sendable, Equatable {
    package var result: CallResult
    /// From the function's start to its end.
    package var elapsedNanoseconds: UInt64
    /// Processor time of the host and its threads meanwhile, if it was measured.
    package var userNanoseconds: UInt64?
    package var systemNanoseconds: UInt64?

    package init(result: CallResult, elapsedNanoseconds: UInt64 = 0) {
        self.result = result
        self.elapsedNanoseconds = elapsedNanoseconds
    }
}

package enum CallResult: Sendable, Equatable {
    /// The function returned this payload.
    case ok([UInt8])
    /// It threw, or could not be called: `InvalidArguments`, `UnknownFunction`, `ResultTooLarge`, `StartFailed`.
    case error(CallFailure)
    /// It gave way to a cancel (or threw `CancellationError` unasked); `forced` says that its host had to be killed. One that
    /// had not started never will.
    case cancelled(started: Bool, forced: Bool)
    /// Its host died while it ran; `forced` says that the pool killed the host, which had stopped to answer.
    case lost(ExitStatus, forced: Bool)
}

/// A system call that failed while a pool or one of its hosts was set up.
package struct CallPoolError: Error, CustomStringConvertible {
    let step: String
    let errno: Int32

    package var description: String { "\(step): \(String(cString: strerror(errno)))" }
}
