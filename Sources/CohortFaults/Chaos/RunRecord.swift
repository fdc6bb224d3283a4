package import Cohort
package import CohortBatch
package import CohortCore
package import CohortProcess

/// All that was seen of a run under faults: what the verdict is made from.
package struct RunRecord: Sendable {
    /// A process that was there when none should have been.
    package struct Leftover: Sendable, Equatable {
        package var pid: Int32
        package var command: String
        /// The worker below which it was started, from 0, if it is known.
        package var worker: Int?

        package init(pid: Int32, command: String, worker: Int? = nil) {
            self.pid = pid
            self.command = command
            self.worker = worker
        }
    }

    package let batch: ChaosBatch
    package let plan: FaultPlan
    /// How long the batch was given.
    package var limit: Duration
    /// When the batch was handed over.
    package var begun: Instant
    /// When its client had ended; `nil` if it was still there at the end of the limit.
    package var ended: Instant?
    /// When the run asked its client to end, as its time was over.
    package var stopped: Instant?
    /// How its client ended, by itself or not.
    package var status: ExitStatus?
    /// What its client has said.
    package var message = ""
    package var document: OutcomeDocument?
    package var evidence: [Evidence] = []
    package var incidents: [Incident] = []
    /// Executions that were seen to have gone without a word.
    package var gone: [Execution: Instant] = [:]
    /// Processes of tasks that were there when the client had been told that all had ended.
    package var leftAtClose: [Leftover] = []
    /// Processes that were there 2 s after everything had been ended.
    package var survivors: [Leftover] = []
    package var messages = MessageCounts()
    /// The coordinator keeps a journal, and goes on where it was after a restart.
    package var keepsState = false
    /// Somebody stopped the run.
    package var isInterrupted = false

    package init(batch: ChaosBatch, plan: FaultPlan, limit: Duration, begun: Instant) {
        self.batch = batch
        self.plan = plan
        self.limit = limit
        self.begun = begun
    }
}

/// One execution of a task.
package struct Execution: Sendable, Hashable, Comparable {
    /// The task's place among all tasks of the batch.
    package var task: Int
    /// From 1.
    package var attempt: Int

    package init(task: Int, attempt: Int) {
        self.task = task
        self.attempt = attempt
    }

    package static func < (left: Execution, right: Execution) -> Bool {
        (left.task, left.attempt) < (right.task, right.attempt)
    }
}

/// Something that happened to a process of the pool.
package struct Incident: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// By the plan; with what was executing there at that moment, as far as could be seen.
        case killed(executing: [Execution], unknown: Int)
        /// By the plan, for so long.
        case frozen(Duration)
        case thawed
        /// By itself, or after it had been killed.
        case ended(ExitStatus, expected: Bool)
        case restarted
        /// The restart budget is spent.
        case givenUp
        /// By the plan, for so long: nothing more could be written to the state.
        case filled(Duration)
        /// The plan wanted something of a process that was not there.
        case missed
    }

    package var kind: Kind
    package var target: ProcessFault.Target
    /// Which worker, or whose supervisor, from 0.
    package var worker: Int?
    /// The processes that it happened to.
    package var processes: [Int32]
    package var at: Instant
    /// The rule of the plan.
    package var rule: Int?

    package init(
        _ kind: Kind,
        _ target: ProcessFault.Target,
        worker: Int? = nil,
        processes: [Int32] = [],
        at: Instant,
        rule: Int? = nil
    ) {
        self.kind = kind
        self.target = target
        self.worker = worker
        self.processes = processes
        self.at = at
        self.rule = rule
    }

    /// `worker 2`, `the supervisor of worker 2`, `the coordinator`.
    package var subject: String {
        switch target {
        case .coordinator: "the coordinator"
        case .worker: "worker \((worker ?? 0) + 1)"
        case .supervisor: "the supervisor of worker \((worker ?? 0) + 1)"
        }
    }
}

/// What the proxy did to messages.
package struct MessageCounts: Sendable, Equatable {
    package var passed = 0
    package var dropped = 0
    package var delayed = 0
    package var duplicated = 0
    package var corrupted = 0
    package var disconnected = 0

    package init() {}

    package static func += (left: inout MessageCounts, right: MessageCounts) {
        left.passed += right.passed
        left.dropped += right.dropped
        left.delayed += right.delayed
        left.duplicated += right.duplicated
        left.corrupted += right.corrupted
        left.disconnected += right.disconnected
    }

    /// Whether anything was done to any.
    package var hasFaults: Bool { dropped + delayed + duplicated + corrupted + disconnected > 0 }
}
