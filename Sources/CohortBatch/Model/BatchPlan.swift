/// What a batch file asks for, checked and expanded: nothing in it can be wrong any more except what only a run can tell.
package struct BatchPlan: Sendable, Equatable {
    package var root: GroupPlan
    /// Legal but probably not meant, in the order of the file.
    package var warnings: [BatchDiagnostic]

    package init(root: GroupPlan, warnings: [BatchDiagnostic] = []) {
        self.root = root
        self.warnings = warnings
    }
}

/// One group: tasks and child groups with one outcome.
package struct GroupPlan: Sendable, Equatable {
    /// What a group does about the end of a child (`on_error`).
    package enum FailurePolicy: String, Sendable, CaseIterable {
        case cancel
        case `continue`
        case first
    }

    /// Unique among the tasks and groups of the enclosing group.
    package var name: String
    /// Of the whole group, from its opening; `nil` for none.
    package var timeout: Duration?
    package var policy: FailurePolicy
    /// At most so many of its tasks run at once, 1 or more; `nil` for as many as there are slots.
    package var limit: Int?
    /// How long a cancelled task may clean up; `nil` inherits the enclosing group's.
    package var grace: Duration?
    package var shield: Bool
    /// In the order of the file, never empty.
    package var items: [PlanItem]
    package var location: SourceLocation

    package init(
        name: String,
        timeout: Duration? = nil,
        policy: FailurePolicy = .cancel,
        limit: Int? = nil,
        grace: Duration? = nil,
        shield: Bool = false,
        items: [PlanItem],
        location: SourceLocation
    ) {
        self.name = name
        self.timeout = timeout
        self.policy = policy
        self.limit = limit
        self.grace = grace
        self.shield = shield
        self.items = items
        self.location = location
    }

    /// Tasks in this group and in all groups below it.
    package var taskCount: Int {
        var count = 0
        for item in items {
            switch item {
            case .task: count += 1
            case .group(let group): count += group.taskCount
            }
        }
        return count
    }
}

/// What can stand in a group.
package enum PlanItem: Sendable, Equatable {
    case task(TaskPlan)
    case group(GroupPlan)
}

/// Where something stands in a text file. Line and column count from 1, columns in Unicode scalars.
package struct SourceLocation: Sendable, Equatable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}
