internal import Cohort
internal import CohortWorker

/// Errors of nested groups are a tree that mirrors the groups. It is taken apart by type or by task, with the structure kept.
enum ErrorTrees: Example {
    static let name = "error-trees"
    private static let fail = RemoteFunction<String, Int>("error-trees.fail")
    private static let thumbnails = RemoteFunction<[String], Int>("error-trees.thumbnails")

    static func register(in worker: inout Worker) throws {
        try worker.register(fail) { type, _ in
            throw TaskError(type: ErrorType(rawValue: type), message: "as it was told to")
        }
        try worker.register(thumbnails) { types, context in
            // What leaves the function is its task's error, in the task's place in the tree.
            // One at a time: errors come in the order in which they happen.
            try await context.withGroup("thumbnails", GroupOptions(policy: .continue, limit: 1)) { group in
                for (number, type) in types.enumerated() { try group.spawn(fail, type, name: "thumbnail \(number)") }
                return types.count
            }
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            try await pool.withGroup("nightly", GroupOptions(policy: .continue)) { group in
                let fetch = try group.spawn(fail, "ValueError", name: "fetch")
                _ = await fetch.end
                try group.spawn(thumbnails, ["KeyError", "ValueError"], name: "pictures")
            }
        } catch {
            draw(error.tree)
            // `except* ValueError`, and what is left over.
            let (values, rest) = error.split(types: .valueError)
            print("value errors:")
            draw(values?.tree)
            print("others:")
            draw(rest?.tree)
            let second = error.filter(task: "thumbnail 1")
            print("of thumbnail 1: \(second?.leaves.map(\.type.rawValue) ?? [])")
        }
    }

    /// `GroupError.description` draws a tree too, with more about each task.
    private static func draw(_ node: ErrorNode?, indent: String = "  ") {
        switch node {
        case .leaf(let leaf): print("\(indent)\(leaf.task ?? "group"): \(leaf.type.rawValue)")
        case .group(let group):
            print("\(indent)\(group.task.map { "\($0): " } ?? "")\(group.message)")
            for error in group.errors { draw(error, indent: indent + "  ") }
        case nil: print("\(indent)none")
        }
    }
}

/// A shielded task is not stopped by what stops its group, and the group waits for it.
enum Shielded: Example {
    static let name = "shield"
    private static let work = RemoteFunction<Job, String>("shield.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            if job.name == "bad" { throw TaskError(type: .valueError, message: "no luck") }
            return job.name
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            try await pool.withGroup("orders") { group in
                try group.spawn(work, Job(name: "charge", seconds: 3), name: "charge", TaskOptions(shield: true))
                try group.spawn(work, Job(name: "search", seconds: 30), name: "search")
                try group.spawn(work, Job(name: "bad", seconds: 1), name: "bad")
            }
        } catch {
            for task in error.document?.tasks ?? [] { print("\(task.name): \(task.outcome)") }
        }
    }
}
