internal import Glibc

/// Why a run under faults could not be made: nothing is said of any promise then.
package enum ChaosError: Error, Sendable, CustomStringConvertible {
    /// Something that was asked for does not fit.
    case usage(String)
    /// Something that this needs cannot be had.
    case failed(String)

    static func system(_ what: String, _ number: Int32) -> ChaosError {
        .failed("cannot \(what): \(String(cString: strerror(number)))")
    }

    package var description: String {
        switch self {
        case .usage(let message), .failed(let message): message
        }
    }
}
