package import CohortCore
package import ZeroMQ

/// What a coordinator is started with.
package struct CoordinatorConfiguration: Sendable {
    /// The keys that a coordinator shows and wants to see.
    package struct Security: Sendable {
        package var keys: Curve.KeyPair
        package var allowed: AllowList

        package init(keys: Curve.KeyPair, allowed: AllowList) {
            self.keys = keys
            self.allowed = allowed
        }
    }

    /// `tcp://…` and `ipc://…`, one socket for all.
    package var endpoints: [String]
    package var limits = Limits()
    /// What it calls itself in answers.
    package var name = "cohort"
    /// `nil` lets everybody in who can connect.
    package var security: Security?
    /// Bind to addresses that other machines can reach, though there are no keys.
    package var isInsecure = false

    /// Where its state is kept; `nil` if it ends with the process.
    package var journal: (any JournalSink)?
    /// What the journal held: the coordinator goes on from there.
    package var state = JournalState()

    package init(endpoints: [String]) {
        self.endpoints = endpoints
    }
}

/// Why a coordinator cannot start.
package struct CoordinatorError: Error, Sendable, CustomStringConvertible {
    package let description: String
}
