internal import Cohort
internal import Glibc
internal import Synchronization

/// How a call ended, with what is reported of it.
struct CallEnd {
    var header: ReplyHeader
    var body: [UInt8]
}

extension CallHost {
    private enum Next {
        case call(HostCall)
        /// The pool is about to kill this host, or has just found that it need not.
        case hold
        case none
    }

    /// Replies that may wait in the outbox while calls follow one another without a pause.
    private static let batchBytes: UInt64 = 32 << 10

    func run() async {
        var end: CallEnd?
        while true {
            let next = next(after: end)
            end = nil
            switch next {
            case .call(let call):
                if outbox.waiting >= Self.batchBytes || call.isExclusive { outbox.flush() }
                end = await execute(call)
            case .hold:
                usleep(Self.lingerMicroseconds)
            case .none:
                outbox.flush()
                return
            }
        }
    }

    /// Reports the call that has ended and takes the next one, as one step: there is no moment in between at which a
    /// cancel could miss both.
    private func next(after end: CallEnd?) -> Next {
        var needsAttention = false
        var returning: [CheckedContinuation<Void, Never>] = []
        let next: Next = state.withLock { state in
            if let end {
                finishProgress(&state)
                returning = state.running?.slot.takeReturning() ?? []
                end.body.withUnsafeBytes { outbox.append(end.header, body: $0) }
                if let hold = state.running?.hold, hold.isTriggered(by: end.header.status) {
                    state.isHolding = true
                    recallAll(&state)
                }
                state.running = nil
            }
            guard !state.isRunnerCancelled, let sequence = state.queue.firstSequence else {
                page.executing = 0
                state.runner = nil
                startRunner(&state)
                return .none
            }
            page.executing = sequence
            if page.isDoomed {
                page.executing = 0
                return .hold
            }
            guard let call = state.queue.removeFirst() else { return .none }
            record?.begin(call.record)
            state.running = Running(
                sequence: sequence,
                hold: call.hold,
                scope: call.scope,
                isAnnounced: call.isExclusive
            )
            if call.isExclusive {
                outbox.append(ReplyHeader(kind: .started, sequence: sequence))
            }
            if !state.isAttended {
                state.isAttended = true
                needsAttention = true
            }
            return .call(call)
        }
        if needsAttention { attention.post() }
        for wait in returning { wait.resume() }
        return next
    }

    private func execute(_ call: HostCall) async -> CallEnd {
        let usage = call.isExclusive ? ProcessorUsage.now() : nil
        let start = MonotonicClock.nanoseconds()
        var (status, body) = await result(of: call)
        if let ref = call.scope.link?.ref { session.callEnded(ref) }
        if body.count > HostFrame.maximumValueBytes {
            let message = "the result has \(body.count) bytes; at most \(HostFrame.maximumValueBytes) are allowed"
            (status, body) = (.error, CallFailure(type: "ResultTooLarge", message: message).encoded())
        }
        var header = ReplyHeader(kind: .finished, status: status, sequence: call.sequence)
        header.bodyLength = UInt32(body.count)
        header.elapsed = MonotonicClock.nanoseconds() - start
        if let usage {
            let used = ProcessorUsage.now() - usage
            (header.userTime, header.systemTime) = (used.user, used.system)
        }
        header.outputEnd = meter.position()
        return CallEnd(header: header, body: body)
    }

    private func result(of call: HostCall) async -> (HostFrame.Status, [UInt8]) {
        guard let body = functions.body(named: call.function) else {
            return (.error, unknown(call.function).encoded())
        }
        do {
            let context = TaskContext(call.scope)
            if call.settings.isEmpty { return (.ok, try await body(call.payload, context)) }
            let value = try await Propagated.withValues(Propagated.decode(call.settings)) {
                try await body(call.payload, context)
            }
            return (.ok, value)
        } catch {
            guard let failure = CallFailure.ending(with: error) else { return (.cancelled, []) }
            return (.error, failure.encoded())
        }
    }

    private func unknown(_ name: String) -> CallFailure {
        let known = functions.names.joined(separator: ", ")
        return CallFailure(
            type: "UnknownFunction",
            message: "this worker has no function \"\(name)\"; it has: \(known.isEmpty ? "none" : known)"
        )
    }
}

/// Processor time of this process, in nanoseconds.
private struct ProcessorUsage {
    var user: UInt64
    var system: UInt64

    static func now() -> ProcessorUsage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessorUsage(user: nanoseconds(usage.ru_utime), system: nanoseconds(usage.ru_stime))
    }

    static func - (later: Self, earlier: Self) -> ProcessorUsage {
        ProcessorUsage(user: later.user - earlier.user, system: later.system - earlier.system)
    }

    private static func nanoseconds(_ time: timeval) -> UInt64 {
        UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1_000
    }
}
