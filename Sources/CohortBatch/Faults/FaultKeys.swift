/// The keys of every object of a fault plan. `protocols/faults.schema.json` describes the same ones.
package enum FaultKeys {
    package static let plan = ["faults", "pool"]
    package static let pool = ["workers", "slots", "restarts"]
    /// The keys that say what an entry of `faults` does; it has one of them.
    package static let actions = ["kill", "freeze", "fail", "delay", "hang", "frames", "fill"]
    package static let moments = ["at", "every", "p", "times"]
    package static let entry = actions + moments + ["for"]
    package static let fail = ["task", "p", "attempt", "status", "message"]
    package static let delay = ["task", "by", "p", "attempt"]
    package static let hang = ["task", "p", "attempt"]
    package static let frames = ["drop", "delay", "duplicate", "corrupt", "disconnect", "from", "for"]

    /// What may stand beside an action.
    static func companions(of action: String) -> [String] {
        switch action {
        case "kill": moments
        case "freeze": moments + ["for"]
        case "fill": ["at", "for"]
        default: []
        }
    }
}
