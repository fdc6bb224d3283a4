internal import Cohort
internal import CohortWorker
@preconcurrency internal import Glibc

/// Functions that open groups of their own, or add tasks to theirs.
enum GroupFunctions {
    static let nest = RemoteFunction<Int, Int>("fixture.nest")
    static let leaf = RemoteFunction<String, String>("fixture.leaf")
    static let inner = RemoteFunction<[String], [String]>("fixture.inner")
    static let hydra = RemoteFunction<Int, Int>("fixture.hydra")
    static let mark = RemoteFunction<String, String>("fixture.mark")

    static func register(in worker: inout Worker) throws {
        // Opens a group with one task, which does the same, so many deep; returns how deep it went.
        try worker.register(nest) { depth, context in
            if depth == 0 { return 0 }
            return try await context.withGroup("level \(depth)") { group in
                try await group.spawn(nest, depth - 1).value + 1
            }
        }
        // Returns its argument; fails with it if it starts with "fail".
        try worker.register(leaf) { text, context in
            if text.hasPrefix("fail") { throw TaskError(type: "LeafError", message: text) }
            return text
        }
        // Runs leaves in a group of its own.
        try worker.register(inner) { texts, context in
            try await context.withGroup("inner", GroupOptions(policy: .continue)) { group in
                let tasks = try texts.map { try group.spawn(leaf, $0, name: "leaf \($0)") }
                return await gatherEnds(tasks).compactMap(\.value)
            }
        }
        // The same, and handles what goes wrong.
        try worker.register(RemoteFunction<[String], String>("fixture.handled")) { texts, context in
            do throws(GroupError) {
                return try await context.withGroup("inner") { group in
                    for text in texts { _ = try group.spawn(leaf, text) }
                    return "ok"
                }
            } catch {
                return error.leaves.map(\.message).joined(separator: ",")
            }
        }
        // Adds two tasks like itself to its group, so many generations deep.
        try worker.register(hydra) { depth, context in
            if depth == 0 { return 0 }
            for _ in 0..<2 { _ = try await context.spawnSibling(hydra, depth - 1, name: "head \(depth - 1)") }
            return depth
        }
        // Adds a task to its group and waits for it, which must not take its own slot.
        try worker.register(RemoteFunction<String, String>("fixture.sibling")) { text, context in
            try await context.spawnSibling(leaf, text, name: "sibling").value
        }
        // Writes the number of its process to a file and waits until it is cancelled.
        try worker.register(mark) { path, _ in
            write(getpid(), to: path)
            try await Task.sleep(for: .seconds(1_000))
            return path
        }
        // A family: this process, a call and a command in a group of its own; each writes its number to a file.
        try worker.register(RemoteFunction<String, String>("fixture.family")) { directory, context in
            write(getpid(), to: directory + "/parent")
            return try await context.withGroup("family") { group in
                _ = try group.spawn(mark, directory + "/call")
                // The grandchild comes last: when its file is there, all are.
                let line =
                    "echo $$ > '\(directory)/.child' && mv '\(directory)/.child' '\(directory)/child'; "
                    + "sleep 1000 & echo $! > '\(directory)/.grandchild' && mv '\(directory)/.grandchild' "
                    + "'\(directory)/grandchild'; wait"
                _ = try group.run(.shell(line))
                return directory
            }
        }
        // Leaves a group open in a task of Swift's that nobody waits for.
        try worker.register(RemoteFunction<String, Bool>("fixture.leak")) { path, context in
            Task {
                try await context.withGroup("leaked") { group in
                    _ = try group.spawn(mark, path)
                }
            }
            while access(path, F_OK) != 0 { try await Task.sleep(for: .milliseconds(1)) }
            return true
        }
        // Fails in its first execution; returns the number of the one in which it does not.
        try worker.register(RemoteFunction<Int, Int>("fixture.attempt")) { good, context in
            guard context.attempt >= good else { throw TaskError(type: "NotYet", message: "\(context.attempt)") }
            return context.attempt
        }
        try worker.register(RemoteFunction<[String]?, Double?>("fixture.deadline")) { _, context in
            context.deadlineLeft.map { $0 / .seconds(1) }
        }
        // The propagated value of a key, here and in a task of its own.
        try worker.register(RemoteFunction<String, [String?]>("fixture.value")) { key, context in
            let below = try await context.withGroup("below") { group in
                try await group.spawn(RemoteFunction<String, String?>("fixture.ownvalue"), key).value
            }
            return [Propagated.value(key), below]
        }
        try worker.register(RemoteFunction<String, String?>("fixture.ownvalue")) { key, _ in Propagated.value(key) }
        // Cleans up with a task of its own after it was cancelled.
        try worker.register(RemoteFunction<String, Bool>("fixture.cleanup")) { path, context in
            write(getpid(), to: path)
            do {
                try await Task.sleep(for: .seconds(1_000))
            } catch {
                _ = try? await withCancellationShield {
                    try await context.withGroup("cleanup") { _ in }
                }
                write(getpid(), to: path + ".cleaned")
            }
            try context.checkCancellation()
            return true
        }
    }

    /// Whoever sees the file sees all of it.
    private static func write(_ number: Int32, to path: String) {
        guard let file = fopen(path + ".new", "w") else { return }
        fputs("\(number)\n", file)
        fclose(file)
        rename(path + ".new", path)
    }
}
