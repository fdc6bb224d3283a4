internal import CCohortProcess
package import CohortProcess
internal import Glibc

/// A program that a test has started: its streams, and how it ended.
///
/// Nothing is read or written in the background; whatever waits pumps all three streams meanwhile, so that a program never
/// blocks on a pipe that nobody looks at.
package final class Program {
    /// How long a program may take unless a test says otherwise; only a failing test waits that long.
    package static let patience = Duration.seconds(60)

    package let pid: Int32
    private let words: [String]
    /// Readable when it has ended.
    let pidfd: Int32
    private var input: Int32?
    private var pendingInput: ArraySlice<UInt8> = []
    private var closesInput = false
    private var output: Stream
    private var error: Stream
    private let startedAt = ContinuousClock.now
    private var finished: Finished?

    private struct Stream {
        var descriptor: Int32?
        var bytes: [UInt8] = []
    }

    /// - Parameters:
    ///   - input: what the program reads, and the end after it; `nil` keeps its input open for `write`.
    package init(_ words: [String], input: [UInt8]?, environment: [(String, String)], directory: String) throws {
        self.words = words
        let stdin = try Pipe()
        let stdout = try Pipe()
        let stderr = try Pipe()
        defer { for end in [stdin.reading, stdout.writing, stderr.writing] { close(end) } }
        var request = SpawnRequest(
            arguments: words,
            environment: .inherited().adding(environment),
            workingDirectory: directory,
            standardInput: stdin.reading,
            standardOutput: stdout.writing,
            standardError: stderr.writing
        )
        request.newProcessGroup = true
        let process = try Spawn.spawn(request)
        pid = process.pid
        pidfd = process.pidfd
        self.input = stdin.writing
        output = Stream(descriptor: stdout.reading)
        error = Stream(descriptor: stderr.reading)
        for end in [stdin.writing, stdout.reading, stderr.reading] {
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
        }
        if let input {
            pendingInput = input[...]
            closesInput = true
        }
    }

    deinit {
        if finished == nil {
            kill(pid, SIGKILL)
            _ = Spawn.reap(pid)
        }
        for descriptor in [input, output.descriptor, error.descriptor].compactMap(\.self) { close(descriptor) }
        close(pidfd)
    }

    /// What it has written to stdout so far.
    package var standardOutput: String { String(decoding: output.bytes, as: UTF8.self) }
    /// What it has written to stderr so far.
    package var standardError: String { String(decoding: error.bytes, as: UTF8.self) }

    package func write(_ text: String) { pendingInput += text.utf8 }

    package func closeInput() { closesInput = true }

    /// Reads no further what it writes to stderr, as a reader that goes away.
    package func closeError() {
        if let descriptor = error.descriptor { close(descriptor) }
        error.descriptor = nil
    }

    package func send(_ signal: Int32) { kill(pid, signal) }

    /// Waits until the program has ended. One that does not is killed, and the error tells what it has said.
    package func wait(limit: Duration = patience) throws -> Finished {
        try pump(until: "it ends", limit: limit) { finished != nil }
        guard let finished else { throw Overrun(description: "\(words) has not ended") }
        return finished
    }

    /// Waits until stdout holds a text.
    package func waitForOutput(_ text: String, limit: Duration = patience) throws {
        try pump(until: "stdout holds '\(text)'", limit: limit) { standardOutput.contains(text) }
    }

    /// Waits until stderr holds a text.
    package func waitForError(_ text: String, limit: Duration = patience) throws {
        try pump(until: "stderr holds '\(text)'", limit: limit) { standardError.contains(text) }
    }

    /// Waits until something outside of it is so, which may come about while it runs only.
    package func wait(until what: String, limit: Duration = patience, _ isSo: () -> Bool) throws {
        let end = ContinuousClock.now + limit
        while !isSo() {
            // Nobody tells of it: looking again is all there is.
            let left = min(.milliseconds(10), ContinuousClock.now.duration(to: end))
            guard left > .zero else { throw overrun("was to come so far that \(what)", limit) }
            if finished != nil { throw overrun("has ended before \(what)", limit) }
            turn(timeout: left)
        }
    }

    /// What has become of it, for people.
    package var soFar: String {
        turn(timeout: .zero)
        return description
    }

    // MARK: Not reading

    /// Bytes that it has written to stdout and that nobody has read yet: nobody does as long as nothing here waits for it.
    package var unreadOutput: Int {
        var count: Int32 = 0
        guard let descriptor = output.descriptor, ioctl(descriptor, UInt(FIONREAD), &count) == 0 else { return 0 }
        return Int(count)
    }

    /// Bytes that its stdout takes before somebody reads them.
    package var outputRoom: Int {
        // F_GETPIPE_SZ, which is not in every view of the system's headers.
        output.descriptor.map { Int(fcntl($0, 1_032, 0)) } ?? 0
    }

    /// Lets it write no more than a page to stderr as long as nobody reads that.
    package func narrowError() throws {
        // F_SETPIPE_SZ, which is not in every view of the system's headers.
        guard let descriptor = error.descriptor, fcntl(descriptor, 1_031, 4_096) >= 4_096 else {
            throw SystemFailure(what: "narrow a pipe")
        }
    }

    /// Waits until it has ended, and reads only then what it has written.
    package func waitUnread(limit: Duration = patience) throws -> Finished {
        var item = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        guard poll(&item, 1, limit.milliseconds) > 0 else { throw overrun("was to end unread", limit) }
        return try wait()
    }

    // MARK: Streams

    private func pump(until what: String, limit: Duration, _ isReached: () -> Bool) throws {
        let end = ContinuousClock.now + limit
        while !isReached() {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { throw overrun("was to come so far that \(what)", limit) }
            if finished != nil { throw overrun("has ended before \(what)", limit) }
            turn(timeout: left)
        }
    }

    /// Waits for one of the streams or the end, and deals with what there is.
    private func turn(timeout: Duration) {
        let wantsToWrite = !pendingInput.isEmpty || closesInput
        var items = [
            pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: error.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wantsToWrite ? input ?? -1 : -1, events: Int16(POLLOUT), revents: 0),
        ]
        guard poll(&items, nfds_t(items.count), timeout.milliseconds) > 0 else { return }
        if items[3].revents != 0 { feed() }
        // The end first: whatever it has written before is then read to the last byte.
        let hasEnded = items[0].revents != 0
        Self.drain(&output)
        Self.drain(&error)
        guard hasEnded, let status = Spawn.reap(pid) else { return }
        finished = Finished(
            status: status,
            output: output.bytes,
            standardError: standardError,
            elapsed: startedAt.duration(to: .now)
        )
    }

    private func feed() {
        guard let descriptor = input else { return }
        let count = pendingInput.withUnsafeBytes { bytes in
            withoutSIGPIPE { Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
        }
        if count > 0 { pendingInput = pendingInput.dropFirst(count) }
        // A program that reads no further is no error here; what it makes of that is its own affair.
        let isRefused = count < 0 && errno == EPIPE
        if isRefused || (pendingInput.isEmpty && closesInput) {
            close(descriptor)
            input = nil
            pendingInput = []
        }
    }

    private static func drain(_ stream: inout Stream) {
        guard let descriptor = stream.descriptor else { return }
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    stream.bytes.append(contentsOf: buffer[..<count])
                    continue
                }
                if count == 0 {
                    close(descriptor)
                    stream.descriptor = nil
                }
                return
            }
        }
    }

    private func overrun(_ problem: String, _ limit: Duration) -> Overrun {
        Overrun(description: "it \(problem) (limit \(limit)): \(description)")
    }

    /// Its words, how it has ended, and the last of what it has written so far.
    private var description: String {
        var text = words.joined(separator: " ")
        if let finished { text += "\nstatus: \(finished.status)" }
        return text + "\nstdout: \(standardOutput.suffix(2_000))\nstderr: \(standardError.suffix(4_000))"
    }
}

/// A program that has ended.
package struct Finished: CustomStringConvertible {
    package var status: ExitStatus
    package var output: [UInt8]
    package var standardError: String
    package var elapsed: Duration

    package var standardOutput: String { String(decoding: output, as: UTF8.self) }

    package var lines: [String] { standardOutput.split(separator: "\n").map(String.init) }

    /// The exit code; `nil` if a signal ended it.
    package var code: Int32? {
        if case .exited(let code) = status { return code }
        return nil
    }

    package var description: String {
        "\(status) after \(elapsed)\nstdout: \(standardOutput.suffix(2_000))\nstderr: \(standardError.suffix(4_000))"
    }
}

/// Something has not happened in all the time that it was given.
package struct Overrun: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Runs something that may write to a pipe whose reader has gone: that is `EPIPE` and no signal, for this thread alone, whatever
/// the process does with the signal.
package func withoutSIGPIPE<Result>(_ body: () throws -> Result) rethrows -> Result {
    var pipe = sigset_t()
    var former = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &former)
    defer {
        let error = errno
        // One that has come waits for this thread, and would be delivered with the former mask.
        var none = timespec()
        if sigismember(&former, SIGPIPE) == 0 { while sigtimedwait(&pipe, nil, &none) == SIGPIPE {} }
        pthread_sigmask(SIG_SETMASK, &former, nil)
        errno = error
    }
    return try body()
}

/// The two ends of a pipe.
package struct Pipe {
    package var reading: Int32 = -1
    package var writing: Int32 = -1

    package init() throws {
        guard cohort_pipe(&reading, &writing) == 0 else { throw SystemFailure(what: "open a pipe") }
    }
}

/// A call of the system has failed.
package struct SystemFailure: Error, CustomStringConvertible {
    package let description: String

    package init(what: String) { description = "cannot \(what): \(String(cString: strerror(errno)))" }
}

extension Duration {
    /// For `poll`, never less than it is.
    package var milliseconds: Int32 {
        Int32(
            clamping: components.seconds * 1_000 + (components.attoseconds + 999_999_999_999_999)
                / 1_000_000_000_000_000
        )
    }

    package var inSeconds: Double { self / .seconds(1) }
}
