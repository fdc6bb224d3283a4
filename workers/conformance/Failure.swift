internal import Cohort

/// An error of the language. Two are the same only if they are the same object: `rethrow` raises the one it handles.
final class Failure: Error {
    /// A bare error or the errors of a group. A leaf without a task has crossed no boundary yet.
    let tree: ErrorNode
    /// The error of the library that it stands for, to be raised again as it came; `nil` for one raised by a step.
    private let source: Source?

    private enum Source {
        case group(GroupError)
        case task(TaskFailure)
        case other(any Error)
    }

    private init(_ tree: ErrorNode, from source: Source?) {
        self.tree = tree
        self.source = source
    }

    /// An error that a step raises.
    init(type: ErrorType, message: String = "") {
        tree = .leaf(ErrorNode.Leaf(type: type, message: message))
        source = nil
    }

    /// The error that a program sees when the library throws `error`.
    ///
    /// A group that ended cancelled throws an ``Interruption`` instead, which is up to the caller.
    convenience init(_ error: any Error) {
        switch error {
        case let error as Failure: self.init(error.tree, from: error.source)
        case let error as GroupError: self.init(group: error)
        case let error as TaskFailure: self.init(error.tree, from: .task(error))
        case let error as TaskCancelled: self.init("TaskCancelled", error.task, from: error)
        case let error as WaitTimeout: self.init("WaitTimeout", from: error)
        case let error as SpawnRefused: self.init("SpawnRefused", Self.message(of: error), from: error)
        case is DeadlineRefused: self.init(type: "DeadlineRefused")
        default: self.init(type: ErrorType(rawValue: "\(Swift.type(of: error))"), message: String(describing: error))
        }
    }

    private convenience init(_ type: ErrorType, _ message: String = "", from error: any Error) {
        self.init(.leaf(ErrorNode.Leaf(type: type, message: message)), from: .other(error))
    }

    private convenience init(group error: GroupError) {
        switch (error.kind, error.tree) {
        case (.errors, let tree?): self.init(tree, from: .group(error))
        case (.timeout, _): self.init(.groupTimeout, error.group, from: error)
        default: self.init(type: "GroupError", message: error.message)
        }
    }

    private static func message(of error: SpawnRefused) -> String {
        switch error.code {
        case .shuttingDown: "shutting down"
        case .finished: "finished"
        default: error.message
        }
    }

    /// What a program or body that ends by this error throws to the library.
    var thrown: any Error {
        switch (source, tree) {
        case (.group(let error)?, _): error
        case (.task(let error)?, _): error
        case (.other(let error)?, _): error
        case (nil, .leaf(let leaf)): TaskError(type: leaf.type, message: leaf.message)
        case (nil, .group): self
        }
    }

    // MARK: Parts

    /// How many leaves it has.
    var count: Int { tree.leaves.count }

    /// The types of its leaves, in their order.
    var types: [ErrorType] { tree.leaves.map(\.type) }

    /// The part with the leaves of these numbers, the groups around them kept; `nil` if there are none.
    func part(_ leaves: Set<Int>) -> Failure? {
        if leaves.isEmpty { return nil }
        if leaves.count == count { return self }
        var next = 0
        let isIn: (ErrorNode.Leaf) -> Bool = { _ in
            defer { next += 1 }
            return leaves.contains(next)
        }
        switch source {
        case .group(let error)?:
            return error.filter(isIn).map { Failure(group: $0) }
        case .task(let error)?:
            return tree.filter(isIn).map { tree in
                var part = error
                part.tree = tree
                return Failure(tree, from: .task(part))
            }
        case .other?, nil:
            return tree.filter(isIn).map { Failure($0, from: nil) }
        }
    }

    // MARK: JSON

    /// The error as scenarios write it. A bare error that has no origin yet gets the one given.
    func json(origin: String? = nil) -> JSONValue { tree.inLanguage(origin: origin) }
}

/// A cancellation that unwinds a program.
struct Interruption: Error {}

extension ErrorNode {
    /// The error as scenarios write it: `origin: Type: message`, or the errors of a group with its flags.
    func inLanguage(origin: String? = nil) -> JSONValue {
        switch self {
        case .leaf(let leaf):
            let parts = [leaf.task ?? origin ?? "", leaf.type.rawValue, leaf.messageInLanguage]
            return .string(parts.filter { !$0.isEmpty }.joined(separator: ": "))
        case .group(let group):
            var object = JSONObject()
            object["group"] = .string(group.group)
            object["errors"] = .array(group.errors.map { $0.inLanguage() })
            if group.timedOut { object["timed_out"] = true }
            if group.cancelled { object["cancelled"] = true }
            return .object(object)
        }
    }
}

extension ErrorNode.Leaf {
    /// The library's own errors explain themselves to people; the language has a fixed message for each.
    fileprivate var messageInLanguage: String {
        switch type {
        case .taskTimeout, .workerLost, "WaitTimeout", "DeadlineRefused": ""
        case .groupTimeout: group ?? message
        case "TaskExited": exitCode.map(String.init) ?? message
        default: message
        }
    }
}
