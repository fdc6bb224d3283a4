internal import CCohortProcess
internal import Glibc

extension ProcessReactor {
    /// Starts a command, or reports that it cannot be started.
    func start(_ id: UInt64, _ spec: CommandSpec) {
        do throws(SpawnError) {
            if isStopping {
                throw .invalidRequest("no command is started any more: the process is stopping")
            }
            if serials[id] != nil {
                throw .invalidRequest("a command with the number \(id) is already running")
            }
            let command = try run(id, spec)
            events.append(.started(id: id, pid: command.pid))
        } catch {
            events.append(.startFailed(id: id, error))
        }
    }

    private func run(_ id: UInt64, _ spec: CommandSpec) throws(SpawnError) -> RunningCommand {
        lastSerial += 1
        let serial = lastSerial
        // The program's ends, closed here in any case; the ends that stay are closed on failure only.
        var given: [Int32] = []
        var kept: [Int32] = []
        defer { given.forEach { close($0) } }
        do throws(SpawnError) {
            let stdout = try makePipe(serial, .stdout, &given, &kept)
            let stderr = try makePipe(serial, .stderr, &given, &kept)
            let input = try makeInput(serial, spec.standardInput, &given, &kept)
            var request = SpawnRequest(arguments: [], environment: environment.adding(spec.environment))
            request.words = spec.words
            request.environment.set(AttemptTag.name, to: tag.value(serial: serial))
            request.workingDirectory = spec.workingDirectory
            request.standardInput = input.given
            request.standardOutput = stdout.given
            request.standardError = stderr.given
            request.newSession = true
            request.parentDeathSignal = SIGKILL

            let command = RunningCommand(
                id: id,
                serial: serial,
                startedAt: Self.now(),
                stdout: OutputPipe(.stdout, descriptor: stdout.kept),
                stderr: OutputPipe(.stderr, descriptor: stderr.kept),
                credit: spec.outputCredit
            )
            command.input = input.pipe
            spec.willStart?()
            let process = try Spawn.spawn(request)
            guard watch(process.pidfd, EPOLLIN, Token(serial, .end)) else {
                let number = errno
                Glibc.kill(-process.pid, SIGKILL)
                _ = Spawn.reap(process.pid)
                close(process.pidfd)
                throw .system("watch a process", number)
            }
            command.pid = process.pid
            command.pidfd = process.pidfd
            commands[serial] = command
            serials[id] = serial
            leaders[process.pid] = serial
            if sweepAt == .max {
                sweepAt = command.startedAt + Self.routineSweep
            }
            return command
        } catch {
            kept.forEach { close($0) }
            throw error
        }
    }

    /// A pipe that a program writes and this thread reads without waiting.
    private func makePipe(
        _ serial: UInt64,
        _ source: Token.Source,
        _ given: inout [Int32],
        _ kept: inout [Int32]
    ) throws(SpawnError) -> (given: Int32, kept: Int32) {
        let (reading, writing) = try openPipe()
        given.append(writing)
        kept.append(reading)
        // Of this end only: the program's end must block.
        guard fcntl(reading, F_SETFL, O_NONBLOCK) == 0, watch(reading, EPOLLIN, Token(serial, source)) else {
            throw .system("watch a pipe", errno)
        }
        return (given: writing, kept: reading)
    }

    /// The program's stdin. What fits into a pipe is written before the program runs, and that is the end of it.
    private func makeInput(
        _ serial: UInt64,
        _ bytes: [UInt8]?,
        _ given: inout [Int32],
        _ kept: inout [Int32]
    ) throws(SpawnError) -> (given: Int32, pipe: InputPipe?) {
        guard let bytes, !bytes.isEmpty else { return (given: devNull, pipe: nil) }
        let (reading, writing) = try openPipe()
        given.append(reading)
        kept.append(writing)
        guard fcntl(writing, F_SETFL, O_NONBLOCK) == 0 else {
            throw .system("set up a pipe", errno)
        }
        var pipe = InputPipe(descriptor: writing, bytes: bytes[...])
        if pipe.write() {
            close(writing)
            kept.removeLast()
            return (given: reading, pipe: nil)
        }
        guard watch(writing, EPOLLOUT, Token(serial, .stdin)) else {
            throw .system("watch a pipe", errno)
        }
        return (given: reading, pipe: pipe)
    }
}
