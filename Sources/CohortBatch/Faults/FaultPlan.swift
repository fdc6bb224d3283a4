/// What is to go wrong while a batch runs, as a plan file says it: checked, and in the order of the file.
package struct FaultPlan: Sendable, Equatable {
    package var faults: [Fault]
    package var pool: Pool

    package init(faults: [Fault], pool: Pool = Pool()) {
        self.faults = faults
        self.pool = pool
    }

    /// What happens to messages, in the order of the file.
    package var frameFaults: [FrameFault] {
        faults.compactMap { if case .frames(let fault) = $0.kind { fault } else { nil } }
    }

    /// The processes that the batch runs on.
    package struct Pool: Sendable, Equatable {
        package var workers: Int
        /// Tasks that each worker runs at once.
        package var slots: Int
        /// How often a process that has died is started again before the pool does without it.
        package var restarts: Restarts

        package init(workers: Int = 2, slots: Int = 2, restarts: Restarts = Restarts()) {
            self.workers = workers
            self.slots = slots
            self.restarts = restarts
        }
    }

    /// A restart budget: so many in so long.
    package struct Restarts: Sendable, Equatable, CustomStringConvertible {
        package var count: Int
        package var period: Duration

        package init(count: Int = 5, period: Duration = .seconds(60)) {
            self.count = count
            self.period = period
        }

        package var description: String { "\(count)/\(CohortDuration.format(period))" }
    }

    /// One entry under `faults`.
    package struct Fault: Sendable, Equatable {
        package var kind: Kind
        package var location: SourceLocation

        package init(_ kind: Kind, at location: SourceLocation) {
            self.kind = kind
            self.location = location
        }
    }

    package enum Kind: Sendable, Equatable {
        case process(ProcessFault)
        case task(TaskFault)
        case frames(FrameFault)
        case fill(FillFault)
    }
}

/// A process that is killed or stopped.
package struct ProcessFault: Sendable, Equatable {
    package enum Target: String, Sendable, CaseIterable {
        case worker, supervisor, coordinator
    }

    package enum Action: Sendable, Equatable {
        /// SIGKILL.
        case kill
        /// SIGSTOP, and SIGCONT after so long.
        case freeze(Duration)
    }

    /// When it happens, counted from the moment at which the batch is handed over.
    package enum Moments: Sendable, Equatable {
        case at(Duration)
        case every(Duration)
        /// Once in each second with this probability.
        case perSecond(Double)
    }

    package var action: Action
    package var target: Target
    package var moments: Moments
    /// At most so often; `nil` for as long as the batch runs.
    package var times: Int?

    package init(_ action: Action, _ target: Target, _ moments: Moments, times: Int? = nil) {
        self.action = action
        self.target = target
        self.moments = moments
        self.times = times
    }
}

/// Tasks that fail, are late or never end, although their own programs would do nothing of the kind.
package struct TaskFault: Sendable, Equatable, Codable {
    package enum Action: Sendable, Equatable, Codable {
        /// A command exits with `status`, a call throws `message`; what the task would have run does not run.
        case fail(status: Int, message: String)
        /// The task begins so much later, while it has its slot.
        case delay(Duration)
        /// The task never begins, and ends only when it is stopped.
        case hang
    }

    package var action: Action
    /// A shell pattern for the task's name, or, if it has a slash, for the names of the groups around it and its own.
    package var pattern: String
    /// For each attempt.
    package var probability: Double
    /// Only this attempt, counted from 1; `nil` for each.
    package var attempt: Int?

    package init(_ action: Action, pattern: String, probability: Double = 1, attempt: Int? = nil) {
        self.action = action
        self.pattern = pattern
        self.probability = probability
        self.attempt = attempt
    }
}

/// What happens to messages between the coordinator and its peers.
package struct FrameFault: Sendable, Equatable {
    /// Probabilities, for each message.
    package var drop: Double
    package var duplicate: Double
    package var corrupt: Double
    /// Each message arrives so much later.
    package var delay: Duration
    /// Connections break with this probability in each second.
    package var disconnect: Double
    package var from: Duration
    /// `nil` for as long as the batch runs.
    package var length: Duration?

    package init(
        drop: Double = 0,
        duplicate: Double = 0,
        corrupt: Double = 0,
        delay: Duration = .zero,
        disconnect: Double = 0,
        from: Duration = .zero,
        length: Duration? = nil
    ) {
        self.drop = drop
        self.duplicate = duplicate
        self.corrupt = corrupt
        self.delay = delay
        self.disconnect = disconnect
        self.from = from
        self.length = length
    }
}

/// The disk with the coordinator's state takes no more.
package struct FillFault: Sendable, Equatable {
    package var at: Duration
    package var length: Duration

    package init(at: Duration, length: Duration) {
        self.at = at
        self.length = length
    }
}
