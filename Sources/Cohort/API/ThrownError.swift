internal import CohortCore

/// What it means for a group or a task that its program has ended with an error.
package enum ThrownError: Sendable {
    /// It ends as cancelled.
    case cancelled
    /// It fails with errors that have been told of before: they keep their names and places.
    case tree(ErrorNode)
    /// It fails with an error of its own.
    case plain(type: ErrorType, message: String)

    package init(_ error: any Error) {
        switch error {
        case is CancellationError: self = .cancelled
        case let error as GroupError: self.init(error)
        case let error as TaskFailure: self = .tree(error.tree)
        case let error as TaskCancelled: self = .plain(type: .taskCancelled, message: error.task)
        case let error as TaskError: self = .plain(type: error.type, message: error.message)
        case is WaitTimeout: self = .plain(type: .waitTimeout, message: "")
        case let error as SpawnRefused: self = .plain(type: .spawnRefused, message: error.message)
        case let error as DeadlineRefused: self = .plain(type: .deadlineRefused, message: error.message)
        case let error as PoolError: self = .plain(type: .connectionLost, message: error.message)
        default:
            self = .plain(type: ErrorType(naming: type(of: error)), message: String(describing: error))
        }
    }

    private init(_ error: GroupError) {
        switch error.kind {
        case .errors:
            self = error.tree.map(ThrownError.tree) ?? .plain(type: "ErrorGroup", message: error.message)
        case .cancelled: self = .cancelled
        case .timeout: self = .plain(type: .groupTimeout, message: error.group)
        case .refused: self = .plain(type: .groupRefused, message: error.message)
        case .lost: self = .plain(type: .connectionLost, message: error.message)
        }
    }
}

extension ThrownError {
    /// The error as a node of a tree; `nil` if it is none.
    ///
    /// - Parameter task: whose error it is, if it has not been told of before.
    func node(task: String) -> ErrorNode? {
        switch self {
        case .cancelled: nil
        case .tree(let node): node
        case .plain(let type, let message): .leaf(ErrorNode.Leaf(task: task, type: type, message: message))
        }
    }

    /// The error as it travels.
    var detail: AttemptDetail {
        var detail = AttemptDetail()
        switch self {
        case .cancelled: break
        case .tree(.group(let group)):
            detail.type = "ErrorGroup"
            detail.message = group.message
        case .tree(.leaf(let leaf)):
            detail.type = leaf.type.rawValue
            detail.message = leaf.message
        case .plain(let type, let message):
            detail.type = type.rawValue
            detail.message = message
        }
        return detail
    }
}

extension ErrorType {
    /// The name of a Swift type without its module: `Module.Outer.Inner` as `Outer.Inner`. The compiler's notes on where a
    /// private type was declared go as well.
    package init(naming type: Any.Type) {
        var name = String(reflecting: type)[...]
        if let dot = name.firstIndex(of: "."), !name[..<dot].contains("<") {
            name = name[name.index(after: dot)...]
        }
        var result = ""
        while let start = name.firstIndex(of: "("), let end = name[start...].firstIndex(of: ")") {
            result += name[..<start]
            name = name[name.index(after: end)...]
            if name.first == "." { name = name.dropFirst() }
        }
        self.init(rawValue: result + name)
    }
}
