internal import CCohortProcess
internal import Glibc
internal import Synchronization

/// Starts programs, and knows which children of this process it has started.
package enum Spawn {
    /// Children that were started here and not yet reaped. Tells them from adopted orphans.
    ///
    /// Held as well while children are reaped and while their lists are read: the kernel may pass over a child in a list
    /// that becomes shorter while it is read.
    private static let children = Mutex<Set<Int32>>([])

    /// Starts a program; returns once it runs.
    ///
    /// The program has an empty signal mask, default dispositions, and no descriptor but those of the request. With a
    /// `parentDeathSignal` call this from a thread that lives as long as the program may.
    package static func spawn(_ request: SpawnRequest) throws(SpawnError) -> SpawnedProcess {
        let first = request.words.first.map { String(decoding: $0, as: UTF8.self) }
        guard let name = request.program ?? first, !name.isEmpty else {
            throw .invalidRequest("the command is empty")
        }
        for (index, word) in request.words.enumerated() where word.contains(0) {
            throw .invalidRequest("argument \(index) of '\(name)' contains a NUL byte")
        }
        if let directory = request.workingDirectory, directory.holdsNUL {
            throw .invalidRequest("the working directory of '\(name)' contains a NUL byte")
        }
        if let problem = request.environment.problem {
            throw .invalidRequest("cannot run '\(name)': \(problem)")
        }
        if name.holdsNUL {
            throw .invalidRequest("the name of the program contains a NUL byte")
        }
        let path = try programPath(of: name, request)
        let result = start(path, request)
        guard result.step == COHORT_SPAWN_DONE else {
            throw failure(of: name, path, request, result)
        }
        return SpawnedProcess(pid: result.pid, pidfd: result.pidfd)
    }

    /// Collects the wait status of a child that `spawn` started: waits for its end unless it has ended.
    ///
    /// Returns nil if `pid` is not a child of this process (any more).
    package static func reap(_ pid: Int32) -> ExitStatus? {
        while !cohort_wait_for_end(pid) && errno == EINTR {}
        return collect(pid)?.status
    }

    /// Reaps a child if it has ended, whoever started it.
    static func collect(_ pid: Int32) -> (status: ExitStatus, usage: rusage)? {
        children.withLock { children in
            var status: Int32 = 0
            var usage = rusage()
            let result = wait4(pid, &status, WNOHANG, &usage)
            if result != 0 {
                // Reaped now, or already by someone else.
                children.remove(pid)
            }
            return result == pid ? (status: ExitStatus(waitStatus: status), usage: usage) : nil
        }
    }

    /// Those children that were not started here, of all that `read` finds.
    static func strangers(_ read: () -> [Int32]) -> [Int32] {
        children.withLock { children in read().filter { !children.contains($0) } }
    }

    private static func start(_ path: String, _ request: SpawnRequest) -> cohort_spawn_result {
        var arguments = CStrings()
        for word in request.words {
            arguments.append(word)
        }
        var mappings = [
            cohort_descriptor_mapping(from: request.standardInput, to: 0),
            cohort_descriptor_mapping(from: request.standardOutput, to: 1),
            cohort_descriptor_mapping(from: request.standardError, to: 2),
        ]
        for (from, to) in request.passedDescriptors {
            mappings.append(cohort_descriptor_mapping(from: from, to: to))
        }
        return path.withCString { path in
            arguments.withPointers { argv in
                request.environment.withPointers { envp in
                    withOptionalCString(request.workingDirectory) { directory in
                        mappings.withUnsafeMutableBufferPointer { mappings in
                            var call = cohort_spawn_request()
                            call.path = path
                            call.argv = argv
                            call.envp = envp
                            call.directory = directory
                            call.descriptors = mappings.baseAddress
                            call.descriptor_count = mappings.count
                            call.death_signal = request.parentDeathSignal
                            call.new_process_group = request.newProcessGroup
                            call.new_session = request.newSession
                            // Under the lock: whoever sees the new child in /proc finds it in the set as well.
                            return children.withLock { children in
                                let result = cohort_spawn(&call)
                                if result.step == COHORT_SPAWN_DONE {
                                    children.insert(result.pid)
                                }
                                return result
                            }
                        }
                    }
                }
            }
        }
    }
}

private func withOptionalCString<Result>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let string else { return body(nil) }
    return string.withCString(body)
}
