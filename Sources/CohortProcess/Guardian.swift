internal import CCohortProcess
internal import Glibc

/// A program under the eyes of a guardian: a small process between this one and the program, which outlives the program by a
/// moment and kills whatever that has left behind.
///
/// Whichever of the three is killed, the others end the tree: the guardian adopts what the program leaves, and sees the end
/// of a pipe that this process holds; the program sees the end of one that the guardian holds (`watchFromChild`); and this
/// process, which must be a subreaper, adopts what program and guardian leave (`killRest`). The guardian is a copy of
/// this process, so that it costs no start of a program.
package struct Guardian: Sendable {
    /// Tells the program which descriptor to watch: `<descriptor>:<inode>`.
    package static let guardedVariable = "COHORT_GUARDED"
    /// Tells a process, if set, a descriptor that reaches its end when whoever wants the process has gone.
    package static let ownerVariable = "COHORT_OWNER_FD"

    /// Variables that are meant for one process and must not be passed on.
    package static let variables: Set<String> = [guardedVariable, ownerVariable]

    /// What a guardian says on standard error when the process that has made it is gone, around the program's number.
    package struct LastWords: Sendable {
        package var before: String
        package var after: String

        package init(before: String, after: String) {
            self.before = before
            self.after = after
        }
    }

    /// What a guardian removes when the process that has made it is gone.
    package struct Leftovers: Sendable {
        package var socket: String?
        package var directory: String?
        /// The program is started in it, and what is in it is killed before.
        package var controlGroup: ControlGroup?

        package init(socket: String? = nil, directory: String? = nil, controlGroup: ControlGroup? = nil) {
            self.socket = socket
            self.directory = directory
            self.controlGroup = controlGroup
        }

        /// Removes what is there of it.
        package func remove() {
            if let socket { unlink(socket) }
            if let directory { rmdir(directory) }
            controlGroup?.remove()
        }
    }

    /// The guardian's.
    package let pid: Int32
    /// Readable once the guardian has ended, and with it all that it guarded.
    package let pidfd: Int32
    /// The program's. The number may go to another when the guardian has reaped it.
    package let program: Int32
    /// The program's; -1 if that has come and gone.
    private let programDescriptor: Int32
    private let reports: Int32
    private let life: Int32
    private let controlGroup: ControlGroup?

    /// Starts a guardian, and through it a program; returns when that runs.
    ///
    /// The program leads a process group of its own.
    ///
    /// - Parameters:
    ///   - program: its path; nil for this process's own executable.
    ///   - variables: set for the program on top of this process's own.
    ///   - descriptors: what it inherits under the same numbers.
    ///   - leftovers: removed when this process is gone.
    ///   - lastWords: said then.
    package static func start(
        program: String? = nil,
        arguments: [String] = CommandLine.arguments,
        variables: [(String, String)] = [],
        passing descriptors: [Int32] = [],
        leftovers: Leftovers = Leftovers(),
        lastWords: LastWords? = nil
    ) throws(SpawnError) -> Guardian {
        var pipes: [(reading: Int32, writing: Int32)] = []
        func closeAll() { for pipe in pipes { close(pipe.reading, pipe.writing) } }
        do throws(SpawnError) {
            for _ in 0..<3 { pipes.append(try openPipe()) }
        } catch {
            closeAll()
            throw error
        }
        let (supervision, reports, life) = (pipes[0], pipes[1], pipes[2])
        var request = SpawnRequest(arguments: arguments, program: program ?? executablePath())
        request.environment.set(guardedVariable, to: "\(life.reading):\(inode(of: life.reading))")
        for (name, value) in variables { request.environment.set(name, to: value) }
        request.passedDescriptors = ([life.reading] + descriptors).map { (from: $0, to: $0) }
        request.newProcessGroup = true
        var order = cohort_guardian_request()
        order.supervisor = supervision.reading
        order.report = reports.writing
        order.life = life.writing
        let (pid, pidfd, number) = fork(&order, request, leftovers, lastWords)
        close(supervision.reading, reports.writing, life.reading, life.writing)
        guard pid > 0 else {
            close(reports.reading, supervision.writing)
            throw .system("start a guardian", number)
        }
        let first = readReport(reports.reading)
        guard let first, first.step == COHORT_SPAWN_DONE, pidfd >= 0 else {
            close(reports.reading, supervision.writing, pidfd)
            _ = waitpid(pid, nil, 0)
            throw .system("start '\(arguments.first ?? "")' under a guardian", first?.error ?? number)
        }
        let programDescriptor: Int32
        do throws(SpawnError) {
            programDescriptor = try open(first.pid, below: pid)
        } catch {
            // With its supervision the guardian ends, and everything below it.
            close(reports.reading, supervision.writing, pidfd)
            _ = waitpid(pid, nil, 0)
            throw error
        }
        return Guardian(
            pid: pid,
            pidfd: pidfd,
            program: first.pid,
            programDescriptor: programDescriptor,
            reports: reports.reading,
            life: supervision.writing,
            controlGroup: leftovers.controlGroup
        )
    }

    /// Whether the program has not ended, for all that is known.
    var isProgramRunning: Bool {
        guard programDescriptor >= 0 else { return false }
        var polled = pollfd(fd: programDescriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) == 0
    }

    /// Sends a signal to the program, if that is still there.
    package func signal(_ number: Int32) {
        if programDescriptor >= 0 { _ = cohort_signal_process(programDescriptor, number) }
    }

    /// Collects a guardian that has ended, and tells how its program did; waits for both.
    ///
    /// Should the guardian have been killed before it could tell, all that is below this process is killed here.
    package func collect() -> ExitStatus {
        let last = Self.readReport(reports)
        Self.close(reports, pidfd, programDescriptor, life)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
        if let last, last.ended { return ExitStatus(waitStatus: last.wait_status) }
        return killRest()
    }

    /// Ends the program and everything else below this process, the guardian last; returns when it is gone.
    ///
    /// The guardian does it, and is made to run for that should it be stopped. Were it killed here with the rest, and this
    /// process itself killed before it came to the end of the tree, nobody would be left to go on. That risk is taken with
    /// a guardian that has not ended within `patience`: it is killed like, and with, all that is left.
    package func end(within patience: Duration) {
        Self.close(reports, programDescriptor, life)
        _ = cohort_signal_process(pidfd, SIGCONT)
        let deadline = ContinuousClock.now + patience
        var polled = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        while case let left = deadline - .now, left > .zero {
            if poll(&polled, 1, left.pollMilliseconds) >= 0 || errno != EINTR { break }
        }
        Self.close(pidfd)
        _ = killRest()
    }

    private func killRest() -> ExitStatus {
        controlGroup?.kill()
        var status = ExitStatus.signalled(signal: SIGKILL, coreDumped: false)
        ProcessTree.killDescendants { if $0 == program { status = $1 } }
        return status
    }

    private static func fork(
        _ order: inout cohort_guardian_request,
        _ request: SpawnRequest,
        _ leftovers: Leftovers,
        _ lastWords: LastWords?
    ) -> (pid: Int32, pidfd: Int32, errno: Int32) {
        withOptionalCString(leftovers.socket) { socket in
            withOptionalCString(leftovers.directory) { directory in
                withOptionalCString(leftovers.controlGroup?.path) { group in
                    order.socket = socket
                    order.directory = directory
                    order.control_group = group
                    return fork(&order, request, in: leftovers.controlGroup, lastWords)
                }
            }
        }
    }

    private static func fork(
        _ order: inout cohort_guardian_request,
        _ request: SpawnRequest,
        in controlGroup: ControlGroup?,
        _ lastWords: LastWords?
    ) -> (pid: Int32, pidfd: Int32, errno: Int32) {
        withOptionalCString(lastWords?.before) { before in
            withOptionalCString(lastWords?.after) { after in
                order.last_words_before = before
                order.last_words_after = after
                return Spawn.withCall(for: request) { call in
                    call.control_group = controlGroup?.descriptor ?? 0
                    return withUnsafePointer(to: call) { call in
                        order.program = call
                        var pidfd: Int32 = -1
                        let pid = cohort_start_guardian(&order, &pidfd)
                        return (pid, pidfd, errno)
                    }
                }
            }
        }
    }

    /// A process descriptor of a guardian's program; -1 if that has come and gone.
    static func open(_ program: Int32, below guardian: Int32) throws(SpawnError) -> Int32 {
        let descriptor = cohort_open_process(program)
        if descriptor < 0 {
            let number = errno
            // It goes at this very moment, or the number is that of another's thread by now: which error tells that depends
            // on the kernel.
            if [ESRCH, EINVAL, ENOENT].contains(number) { return -1 }
            throw .system("watch process \(program), the program under a guardian", number)
        }
        // Reaped before it was opened, it may have left its number to another process.
        if ProcFile.parent("/proc/\(program)/stat") == guardian { return descriptor }
        close(descriptor)
        return -1
    }

    /// The next report; nil at the end of them.
    private static func readReport(_ descriptor: Int32) -> cohort_guardian_report? {
        var report = cohort_guardian_report()
        let size = MemoryLayout.size(ofValue: report)
        while true {
            // Far less than a pipe takes at one stroke: it comes whole or not at all.
            let count = read(descriptor, &report, size)
            if count < 0 && errno == EINTR { continue }
            return count == size ? report : nil
        }
    }

    private static func close(_ descriptors: Int32...) {
        for descriptor in descriptors where descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    static func inode(of descriptor: Int32) -> UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// The running executable: by its path, which names the process in listings, if that still leads to it.
    private static func executablePath() -> String {
        let link = "/proc/self/exe"
        let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink(link, buffer.baseAddress.unsafelyUnwrapped, buffer.count)
            return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return access(path, X_OK) == 0 ? path : link
    }
}
