internal import Glibc

extension ProcessReactor {
    /// Writes on to the command's stdin.
    func feed(_ command: RunningCommand) {
        if command.input?.write() == true {
            closeInput(command)
        }
    }

    func closeInput(_ command: RunningCommand) {
        if let input = command.input.take() {
            close(input.descriptor)
        }
    }

    func grant(_ command: RunningCommand, bytes: Int) {
        let (sum, overflows) = command.credit.addingReportingOverflow(max(0, bytes))
        command.credit = overflows ? .max : sum
        markReady(command)
    }

    func markReady(_ command: RunningCommand) {
        if command.isReady { return }
        command.isReady = true
        ready.append(command)
    }

    /// Reads whatever is there and covered by credit, a quota from each stream.
    func readReady() {
        // Those that have more to read come back into the list for the next round.
        let round = ready
        ready.removeAll(keepingCapacity: true)
        for command in round {
            command.isReady = false
            let stderrHasMore = report(command, command.stderr)
            let stdoutHasMore = report(command, command.stdout)
            if stderrHasMore || stdoutHasMore {
                markReady(command)
            } else if command.phase == .draining {
                finishIfDrained(command)
            }
        }
    }

    /// Reports what its pipes hold as the last of the command's output.
    func beginDraining(_ command: RunningCommand) {
        command.phase = .draining
        command.stdout.limitToContent()
        command.stderr.limitToContent()
        markReady(command)
    }

    /// Reads a quota of one stream; true if there may be more that the credit covers.
    private func report(_ command: RunningCommand, _ pipe: OutputPipe) -> Bool {
        var quota = Self.roundQuota
        while pipe.isReadable && (command.credit > 0 || pipe.remaining == 0) {
            if quota <= 0 { return true }
            let count = take(command, pipe, atMost: command.credit)
            if count > 0 {
                command.credit -= count
                quota -= count
                events.append(.output(id: command.id, stream: pipe.stream, bytes: Array(scratch[..<count])))
            }
        }
        return false
    }

    /// Ends a command whose output was read, or is not wanted where no credit covers it.
    private func finishIfDrained(_ command: RunningCommand) {
        if command.abandonsOutput {
            for pipe in [command.stderr, command.stdout] {
                while pipe.isReadable {
                    command.droppedBytes += take(command, pipe, atMost: scratch.count)
                }
            }
        }
        if !command.stdout.isOpen && !command.stderr.isOpen {
            finish(command)
        }
    }

    /// Moves bytes of one stream into `scratch`.
    private func take(_ command: RunningCommand, _ pipe: OutputPipe, atMost limit: Int) -> Int {
        let count = pipe.read(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(limit, scratch.count)]))
        if pipe.stream == .stderr && count > 0 {
            command.tail.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        }
        return count
    }
}
