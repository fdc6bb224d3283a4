package import CohortCore

/// What a coordinator is started with.
package struct CoordinatorConfiguration: Sendable {
    /// `tcp://…` and `ipc://…`, one socket for all.
    package var endpoints: [String]
    package var limits = Limits()
    /// What it calls itself in answers.
    package var name = "cohort"

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
