internal import CCohortProcess
internal import CohortProcess
internal import Glibc

extension CallPoolLoop {
    /// Most that is told of what a host printed when it failed to start.
    private static let startOutputBytes = 2_048
    /// How many hosts in a row may be killed by somebody else before they are ready, until their calls fail.
    private static let killedStartsAllowed = 3

    // MARK: Starting

    /// Starts a host. Its calls can be sent at once; they wait in the socket until it is ready.
    func startHost() throws -> PooledHost {
        var descriptors = DescriptorSet()
        defer { descriptors.closeAll() }
        let (page, memory) = try HostPage.make()
        descriptors.add(memory)
        let (ours, theirs) = try descriptors.socketPair()
        let output = try descriptors.pipe()
        let errors = try descriptors.pipe()
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard nothing >= 0 else { throw CallPoolError(step: "/dev/null", errno: errno) }
        descriptors.add(nothing)

        let first = CallHostMain.firstDescriptor
        let number = makeHostNumber()
        var environment = configuration.environment
        environment.set(CallHostMain.variable, to: String(first))
        let activity = HostActivity()
        if let processes = configuration.processes {
            let (name, value) = processes.variable(ofHost: number)
            environment.set(name, to: value)
            processes.hostBegins(number, activity)
        }
        var request = SpawnRequest(
            arguments: configuration.arguments,
            environment: environment,
            standardInput: nothing,
            standardOutput: output.write,
            standardError: errors.write,
            passedDescriptors: [
                (from: theirs, to: first),
                (from: memory, to: first + 1),
                (from: output.read, to: first + 2),
                (from: errors.read, to: first + 3),
            ],
            newProcessGroup: true,
            parentDeathSignal: SIGKILL
        )
        if let record = configuration.record { request.passedDescriptors.append((from: record, to: first + 4)) }
        let process: SpawnedProcess
        do {
            process = try Spawn.spawn(request)
        } catch {
            configuration.processes?.hostEnded(number) {}
            throw error
        }
        for kept in [ours, output.read, errors.read] { descriptors.keep(kept) }
        let host = PooledHost(
            number: number,
            activity: activity,
            process: process,
            socket: ours,
            page: page,
            streams: [
                HostStream(.stdout, descriptor: output.read, index: 0),
                HostStream(.stderr, descriptor: errors.read, index: 1),
            ]
        )
        poller.add(ours, token: host.token(.socket))
        poller.add(process.pidfd, token: host.token(.process))
        hosts.append(host)
        return host
    }

    // MARK: Ending

    /// Settles all calls of a host whose process has ended.
    func finish(_ host: PooledHost) {
        hosts.removeAll { $0 === host }
        receiveRest(of: host)
        poller.remove(host.process.pidfd)
        poller.remove(host.socket)
        for stream in host.streams where stream.isWatched { poller.remove(stream.descriptor) }

        let charged = chargedCall(of: host)
        let rest = host.streams.indices.map { host.streams[$0].collectRest(host.page) }
        if let charged, let call = host[charged] {
            for index in host.streams.indices { output(rest[index], host.streams[index].stream, of: call.id) }
        }
        let status = host.reap()
        let failure = startFailure(of: host, status, errors: rest[1])
        let ended = EndedHost(host: host, charged: charged, status: status, startFailure: failure)
        guard let processes = configuration.processes else { return settleCalls(of: ended) }
        // A call is over only when nothing of it is left: what it has started may have gone to another group or session, or
        // have lost its parents, and is a child of this process by now.
        endedHosts.append(ended)
        processes.hostEnded(host.number) { [inbox, number = host.number] in inbox.post(.gone(host: number)) }
    }

    /// Tells how the calls of an ended host have ended.
    func settleCalls(of ended: EndedHost) {
        ended.host.forEachCall { sequence, call in
            settle(call, isCharged: sequence == ended.charged, on: ended)
        }
    }

    /// Takes all that the host has said, sent or not.
    private func receiveRest(of host: PooledHost) {
        while !host.isDisconnected {
            let before = host.receivedBytes
            receive(from: host)
            if host.receivedBytes == before { break }
        }
        let written = host.page.written
        // More than the outbox holds cannot be missing, unless the host's memory is in ruins.
        guard written <= host.receivedBytes + UInt64(HostPage.ringCapacity) else { return }
        while host.receivedBytes < written {
            let chunk = host.page.chunk(from: host.receivedBytes, to: written)
            let count = host.received.fill { buffer in
                let count = min(buffer.count, chunk.count)
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
                return count
            }
            host.receivedBytes += UInt64(count)
            guard takeReplies(from: host) else { break }
        }
    }

    /// The call that was executing when the host died and has no result.
    private func chargedCall(of host: PooledHost) -> UInt64? {
        if case .killed(let sequence) = host.ending {
            // Whatever else the page names had not begun: the host was doomed before.
            return sequence
        }
        let executing = host.page.executing
        return executing == 0 ? nil : executing
    }

    private func settle(_ call: PooledHost.Call, isCharged: Bool, on ended: EndedHost) {
        var report = CallReport(result: .cancelled(started: false, forced: false))
        if isCharged {
            if case .killed = ended.host.ending {
                report.result = .cancelled(started: true, forced: true)
            } else {
                report.result = .lost(ended.status, forced: ended.host.ending == .unresponsive)
            }
            if call.startedAt > 0 {
                report.elapsedNanoseconds = MonotonicClock.nanoseconds() - call.startedAt
            }
        } else if !call.isCancelRequested {
            guard let startFailure = ended.startFailure else {
                returned.append(call.id)
                return
            }
            report.result = .error(startFailure)
        }
        events.append(.finished(call.id, report))
    }

    /// Why the host was never ready; nil if it was, or if that may have been bad luck that another host is spared.
    private func startFailure(of host: PooledHost, _ status: ExitStatus, errors: [UInt8]) -> CallFailure? {
        if host.isReady || host.ending != nil { return nil }
        var message: String
        switch status {
        case .exited(let code):
            message = "the call host ended with exit status \(code) before it was ready"
        case .signalled(let signal, _):
            if signal == SIGKILL {
                killedStarts += 1
                if killedStarts <= Self.killedStartsAllowed { return nil }
            }
            message = "the call host died of signal \(signal) before it was ready"
        }
        if !errors.isEmpty {
            message += ": " + String(decoding: errors.suffix(Self.startOutputBytes), as: UTF8.self)
        }
        return CallFailure(type: "StartFailed", message: message)
    }
}

/// Descriptors that are closed unless somebody keeps them. All are made close-on-exec.
private struct DescriptorSet {
    private var open: Set<Int32> = []

    mutating func add(_ descriptor: Int32) {
        open.insert(descriptor)
    }

    mutating func keep(_ descriptor: Int32) {
        open.remove(descriptor)
    }

    mutating func closeAll() {
        for descriptor in open { close(descriptor) }
        open = []
    }

    mutating func socketPair() throws(CallPoolError) -> (ours: Int32, theirs: Int32) {
        var pair: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw CallPoolError(step: "socketpair", errno: errno) }
        open.formUnion(pair)
        return (pair[0], pair[1])
    }

    /// A pipe whose reading end does not block.
    mutating func pipe() throws(CallPoolError) -> (read: Int32, write: Int32) {
        var reading: Int32 = -1
        var writing: Int32 = -1
        guard cohort_pipe(&reading, &writing) == 0 else { throw CallPoolError(step: "pipe", errno: errno) }
        open.formUnion([reading, writing])
        _ = fcntl(reading, F_SETFL, O_RDONLY | O_NONBLOCK)
        return (reading, writing)
    }
}
