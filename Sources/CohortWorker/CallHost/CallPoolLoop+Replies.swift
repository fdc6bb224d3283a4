internal import CohortProcess
internal import Glibc

extension CallPoolLoop {
    /// Most that is read from one host before the others have their turn.
    private static let receiveBytes = 1 << 20

    func receive(from host: PooledHost) {
        var total = 0
        while total < Self.receiveBytes, !host.isDisconnected {
            var space = 0
            let count = host.received.fill { buffer in
                space = buffer.count
                return recv(host.socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { break }
            }
            if count <= 0 {
                disconnect(host)
                break
            }
            total += count
            host.receivedBytes += UInt64(count)
            guard takeReplies(from: host) else {
                host.kill(because: .unresponsive)
                disconnect(host)
                break
            }
            if count < space { break }
        }
    }

    /// Stops listening to a host that has hung up or talks nonsense.
    private func disconnect(_ host: PooledHost) {
        host.isDisconnected = true
        poller.remove(host.socket)
        // Most likely it is dying already, and then this cannot change its wait status any more.
        Glibc.kill(host.process.pid, SIGKILL)
    }

    /// Handles all whole replies. Returns false if the stream is broken.
    func takeReplies(from host: PooledHost) -> Bool {
        while let bytes = host.received.peek(ReplyHeader.size) {
            guard let header = ReplyHeader(bytes) else { return false }
            let length = ReplyHeader.size + Int(header.bodyLength)
            guard let frame = host.received.peek(length) else {
                host.received.reserve(length)
                break
            }
            let body = UnsafeRawBufferPointer(start: frame + ReplyHeader.size, count: Int(header.bodyLength))
            guard handle(header, body, from: host) else { return false }
            host.received.consume(length)
        }
        return true
    }

    private func handle(_ header: ReplyHeader, _ body: UnsafeRawBufferPointer, from host: PooledHost) -> Bool {
        switch header.kind {
        case .ready:
            host.isReady = true
            killedStarts = 0
        case .started:
            started(header.sequence, on: host)
        case .finished:
            guard let result = result(header, body) else { return false }
            finished(header, result, on: host)
        case .recalled:
            if let call = host.settle(header.sequence) { returned.append(call.id) }
        case .waiting:
            guard let call = host[header.sequence] else { break }
            host.away = .waiting(sequence: header.sequence)
            events.append(.waiting(call.id))
        case .wanting:
            guard let call = host[header.sequence] else { break }
            host.away = .wanting(sequence: header.sequence)
            events.append(.wanting(call.id))
        case .progress:
            guard let progress = ProgressNote(encoded: body) else { return false }
            guard let call = host[header.sequence] else { break }
            events.append(.progress(call.id, fraction: progress.fraction, note: progress.note))
        }
        if host.load == 0 { host.idleSince = MonotonicClock.nanoseconds() }
        return true
    }

    private func started(_ sequence: UInt64, on host: PooledHost) {
        guard let call = host[sequence] else { return }
        host[sequence]?.startedAt = MonotonicClock.nanoseconds()
        host.announced = sequence
        events.append(.started(call.id))
        for index in host.streams.indices {
            deliverHeld(of: host, index)
            watchOutput(of: host, index)
        }
    }

    private func finished(_ header: ReplyHeader, _ result: CallResult, on host: PooledHost) {
        guard let call = host[header.sequence] else { return }
        if header.status != .cancelledBeforeStart {
            let ends = [header.outputEnd.standardOutput, header.outputEnd.standardError]
            for index in host.streams.indices where host.streams[index].hasBytes(before: ends[index]) {
                let bytes = host.streams[index].collect(host.page, upTo: ends[index])
                output(bytes, host.streams[index].stream, of: call.id)
            }
        }
        _ = host.settle(header.sequence)
        killedStarts = 0
        var report = CallReport(result: result, elapsedNanoseconds: header.elapsed)
        if header.userTime != ReplyHeader.unmeasured {
            report.userNanoseconds = header.userTime
            report.systemNanoseconds = header.systemTime
        }
        events.append(.finished(call.id, report))
        if call.hold.isTriggered(by: header.status) { host.orderResume() }
    }

    private func result(_ header: ReplyHeader, _ body: UnsafeRawBufferPointer) -> CallResult? {
        switch header.status {
        case .ok: .ok(Array(body))
        case .error: CallFailure(encoded: body).map { .error($0) }
        case .cancelled: .cancelled(started: true, forced: false)
        case .cancelledBeforeStart: .cancelled(started: false, forced: false)
        }
    }

    // MARK: Output

    func output(_ bytes: [UInt8], _ stream: ProcessEvent.Stream, of id: UInt64) {
        if !bytes.isEmpty { events.append(.output(id, stream, bytes)) }
    }

    func grant(_ id: UInt64, _ bytes: UInt64) {
        guard let (host, sequence) = find(id), let call = host[sequence] else { return }
        host[sequence]?.credit = call.credit.saturatingAdd(bytes)
        guard host.announced == sequence else { return }
        for index in host.streams.indices {
            deliverHeld(of: host, index)
            watchOutput(of: host, index)
        }
    }

    /// Reads what the running call prints, as far as its credit goes.
    func readOutput(of host: PooledHost, _ index: Int) {
        if let sequence = host.announced, let credit = host[sequence]?.credit, credit > 0,
            host.streams[index].held.isEmpty
        {
            if host.streams[index].read(host.page, limit: Int(clamping: credit)) > 0 {
                deliverHeld(of: host, index)
            }
        }
        watchOutput(of: host, index)
    }

    /// Delivers held bytes to the running call, if they are certain to be of it or of calls whose end was reported.
    private func deliverHeld(of host: PooledHost, _ index: Int) {
        guard let sequence = host.announced, let call = host[sequence], !host.streams[index].held.isEmpty,
            // Looked at after the bytes were taken: as it executes still, nothing behind it can have printed them.
            host.page.executing == sequence
        else { return }
        let bytes = host.streams[index].takeHeld(Int(clamping: call.credit))
        host[sequence]?.credit -= UInt64(bytes.count)
        output(bytes, host.streams[index].stream, of: call.id)
    }

    /// Watches a pipe just while somebody may have what comes out of it.
    private func watchOutput(of host: PooledHost, _ index: Int) {
        let credit = host.announced.flatMap { host[$0]?.credit } ?? 0
        let isWanted = credit > 0 && host.streams[index].held.isEmpty
        guard isWanted != host.streams[index].isWatched else { return }
        host.streams[index].isWatched = isWanted
        if isWanted {
            poller.add(host.streams[index].descriptor, token: host.token(index == 0 ? .standardOutput : .standardError))
        } else {
            poller.remove(host.streams[index].descriptor)
        }
    }
}

extension HostStream {
    /// Whether anything up to `end` is not attributed yet.
    func hasBytes(before end: UInt64) -> Bool {
        taken - UInt64(held.count) < end
    }
}
