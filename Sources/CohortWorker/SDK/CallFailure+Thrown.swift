internal import Cohort

extension CallFailure {
    /// What becomes of a call that throws `error`: nil if it ends as cancelled.
    ///
    /// Errors of groups and of tasks are told as trees, so that what failed below the task stands in its place in the tree of
    /// its own group. A cancel that came from outside makes the task a cancelled one, whoever was the first to see it.
    static func ending(with error: any Error) -> CallFailure? {
        if let failure = error as? CallFailure { return failure }
        switch ThrownError(error) {
        case .cancelled: return nil
        case .tree(let tree): return CallFailure(tree)
        case .plain(let type, let message):
            let described = CallFailure(describing: error)
            // Errors of the library, and those that take their type from somebody else, have said all there is to say.
            let saysMore = described.type != type.rawValue || described.message != message
            return saysMore ? CallFailure(type: type.rawValue, message: message) : described
        }
    }

    private init(_ tree: ErrorNode) {
        switch tree {
        case .group(let group):
            self.init(type: "ErrorGroup", message: group.message, tree: tree.wireBytes)
        case .leaf(let leaf):
            self.init(
                type: leaf.type.rawValue,
                message: leaf.message,
                trace: leaf.trace ?? "",
                tree: tree.wireBytes
            )
        }
    }
}
