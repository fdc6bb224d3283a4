internal import CCohortProcess
internal import Glibc
internal import Synchronization

/// Starts programs, and knows which children of this process it has started.
package enum Spawn {
    private struct State {
        /// Children that were started here and not yet reaped. Tells them from adopted orphans.
        var children: Set<Int32> = []
        /// Threads that are about to have a child more, which may be seen before it is known.
        var spawning: Set<Int32> = []
    }

    /// Held while children are reaped and while their lists are read: the kernel may pass over a child in a list that
    /// becomes shorter while it is read. Not held while a program is started, which takes as long as the program's loading.
    private static let state = Mutex(State())

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
        if let number = request.contestedDescriptor {
            throw .invalidRequest("cannot run '\(name)': two descriptors would be passed as number \(number)")
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
        state.withLock { state in
            var status: Int32 = 0
            var usage = rusage()
            let result = wait4(pid, &status, WNOHANG, &usage)
            if result != 0 {
                // Reaped now, or already by someone else.
                state.children.remove(pid)
            }
            return result == pid ? (status: ExitStatus(waitStatus: status), usage: usage) : nil
        }
    }

    /// Children that were not started here, or, where `isCertain` is false, that are perhaps just being started.
    ///
    /// - Parameter read: Finds children of this process, by the threads that they belong to.
    static func strangers(_ read: () -> [ChildLists.Entry]) -> [(pid: Int32, isCertain: Bool)] {
        state.withLock { state in
            read().compactMap { entry in
                if state.children.contains(entry.pid) { return nil }
                let isCertain = entry.thread.map { !state.spawning.contains($0) } ?? state.spawning.isEmpty
                return (pid: entry.pid, isCertain: isCertain)
            }
        }
    }

    private static func start(_ path: String, _ request: SpawnRequest) -> cohort_spawn_result {
        withCall(for: request, path: path) { start(&$0) }
    }

    /// Calls `body` with a request in the terms of the system; `path` is nil for the request's own program, as it stands.
    static func withCall<Result>(
        for request: SpawnRequest,
        path: String? = nil,
        _ body: (inout cohort_spawn_request) -> Result
    ) -> Result {
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
        return withOptionalCString(path ?? request.program) { path in
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
                            call.descriptor_limit = DescriptorLimit.ofPrograms
                            return body(&call)
                        }
                    }
                }
            }
        }
    }

    private static func start(_ call: inout cohort_spawn_request) -> cohort_spawn_result {
        let thread = cohort_thread_id()
        state.withLock { _ = $0.spawning.insert(thread) }
        let result = cohort_spawn(&call)
        state.withLock { state in
            state.spawning.remove(thread)
            if result.step == COHORT_SPAWN_DONE {
                state.children.insert(result.pid)
            }
        }
        return result
    }
}

func withOptionalCString<Result>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let string else { return body(nil) }
    return string.withCString(body)
}
