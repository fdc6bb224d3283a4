internal import Cohort

/// One step of a program: a verb with its options. Times are seconds, not stretched.
indirect enum Step: Sendable, Equatable {
    case sleep(Double)
    case busy(Double)
    case log(JSONValue)
    case leave(JSONValue)
    case raise(type: String, message: String)
    case attempt(Attempt)
    case rethrow
    case exit(ProcessEnd)
    case group(GroupStep)
    case spawn(SpawnStep)
    case awaitTask(AwaitStep)
    case gather(GatherStep)
    case wait(WaitStep)
    case asCompleted(AsCompletedStep)
    case cancel(CancelStep)
    case deadline(DeadlineStep)
}

/// The type that `raise` takes for a cancellation rather than an error.
let cancelledType = "Cancelled"

/// `try` with its handlers.
struct Attempt: Sendable, Equatable {
    var body: [Step]
    var clauses: [CatchClause]
    /// `nil` lets a cancellation pass.
    var cancelled: [Step]?
    var finally: [Step]
}

/// A clause of `catch`.
struct CatchClause: Sendable, Equatable {
    /// `*` matches any type.
    var types: [String]
    var variable: String?
    var body: [Step]

    func matches(_ type: ErrorType) -> Bool {
        types.contains("*") || types.contains(type.rawValue)
    }
}

/// How `exit` ends the process of a task.
enum ProcessEnd: Sendable, Equatable {
    case code(Int32)
    case kill
}

/// `group`: opened, its body run, its tasks waited for.
struct GroupStep: Sendable, Equatable {
    var name: String
    var timeout: Double?
    var policy: FailurePolicy
    var limit: Int?
    var body: [Step]
}

/// `spawn`: one task, or several of one name.
struct SpawnStep: Sendable, Equatable {
    /// What the task does. Its steps travel as JSON and are decoded where they run.
    enum Work: Sendable, Equatable {
        case steps(JSONValue)
        case program(String)
    }

    /// Which group it is added to.
    enum Target: Sendable, Equatable {
        case innermost
        case group(String)
        case sibling
    }

    var name: String
    var work: Work
    var target: Target
    var timeout: Double?
    var isShielded: Bool
    var count: Int
}

/// `await`: the value of a task.
struct AwaitStep: Sendable, Equatable {
    var task: String
    var timeout: Double?
    var variable: String?
}

/// `gather`: the values, or brief outcomes, of tasks.
struct GatherStep: Sendable, Equatable {
    var tasks: [String]
    var returnsExceptions: Bool
    var variable: String?
}

/// `wait`: which of the tasks are done.
struct WaitStep: Sendable, Equatable {
    var tasks: [String]
    var until: WaitCondition
    var timeout: Double?
    var variable: String?
}

/// `as_completed`: steps for each task as it ends.
struct AsCompletedStep: Sendable, Equatable {
    var tasks: [String]
    var variable: String?
    var timeout: Double?
    var body: [Step]
}

/// `cancel` of a task or group.
struct CancelStep: Sendable, Equatable {
    var name: String
    var after: Double?
    var variable: String?
}

/// `deadline`: moves or removes that of a group.
struct DeadlineStep: Sendable, Equatable {
    var group: String
    /// From the moment the step is done; `nil` for never.
    var fromNow: Double?
    var after: Double?
}
