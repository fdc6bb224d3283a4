internal import CohortCore

/// What a checker may see happen, by numbers of `Truth`.
enum Observation {
    case programBegan(execution: Int)
    case programEnded(execution: Int)
    /// A client was told what became of a task. For the first time, unless `isRepeated`.
    case taskTold(task: Int, TaskReport, AttemptDetail?, value: [UInt8], client: Int)
    /// A client was told the number of a group that it had asked for.
    case groupOpened(group: Int, client: Int)
    case groupClosed(group: Int, GroupReport, client: Int)
    /// A worker was given an attempt.
    case assigned(task: Int, AttemptRef, worker: Int)
    /// A worker has a session again that goes on, for which it has asked since then, and has done as it was told.
    case resumed(worker: Int, asked: Instant)
    /// The simulated clock has gone on: a look at everything.
    case sweep
    /// All is healed and has had time to end.
    case end
}

/// The promises, as the checkers know them.
package enum Promise: String, Sendable, CaseIterable {
    case oneOutcome = "one outcome"
    case atMostOnce = "at most once"
    case structure = "structure"
    case boundedCancellation = "bounded cancellation"
    case noSurvivors = "nothing survives its scope"
    case noSilentHang = "no silent hang"
    case everyErrorTold = "every error is told"
    case exactBlame = "exact blame"
    case exactOutput = "exact output"
    case invariants = "invariants of the core"
    case emptiness = "nothing is left behind"
}

/// A promise that was not kept.
package struct BrokenPromise: Sendable, Equatable {
    package var promise: Promise
    package var message: String
    package var evidence: [String]
}

/// Watches over one promise.
protocol Checker {
    var promise: Promise { get }

    /// - Returns: how the promise was broken, if it was.
    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise?
}

extension Checker {
    func broken(_ message: String, _ evidence: [String]) -> BrokenPromise {
        BrokenPromise(promise: promise, message: message, evidence: evidence)
    }
}

/// What a checker looks at.
struct Scene {
    let truth: Truth
    let now: Instant
    /// How long a message and its handling may take when nothing is disturbed.
    let latency: TimeSpan

    /// How long lost messages may stay unnoticed once nothing is disturbed any more: numbers are compared with each
    /// heartbeat, and cancels are repeated.
    var settling: TimeSpan {
        TimeSpan(nanoseconds: noticing.nanoseconds + 2 * truth.limits.cancelResend.nanoseconds)
    }

    /// The same for messages that are no cancels.
    var noticing: TimeSpan {
        TimeSpan(nanoseconds: 3 * truth.limits.heartbeat.nanoseconds + 4 * latency.nanoseconds)
    }

    /// Since when worker and coordinator have been able to hear each other; `nil` if they are not.
    func calm(worker: Int) -> Instant? {
        guard let coordinator = truth.coordinatorCalmSince, let own = truth.workers[worker].calmSince else {
            return nil
        }
        return max(coordinator, own).advanced(by: settling)
    }

    /// Since when client and coordinator have been able to hear each other; `nil` if they are not.
    func calm(client: Int) -> Instant? {
        guard let coordinator = truth.coordinatorCalmSince, let own = truth.clients[client].calmSince else {
            return nil
        }
        return max(coordinator, own)
    }

    /// Whether worker and coordinator have been able to hear each other for long enough to agree on what the worker has.
    func isInReach(worker: Int) -> Bool { calm(worker: worker).map { $0 < now } ?? false }
}
