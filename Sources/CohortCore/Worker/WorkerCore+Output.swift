/// What tasks write, on its way to whoever reads it.
///
/// A durable coordinator may die with what it has acknowledged and not passed on. Thus a worker of one keeps what was not
/// granted, which its credit bounds, tells it again in each session that continues another, and with the attempt's end.
extension WorkerCore {
    mutating func outputArrived(
        _ task: TaskKey,
        _ stream: OutputStream,
        _ bytes: [UInt8],
        into actions: inout [WorkerAction]
    ) {
        guard let id = entries[task]?.template, let template = template(id), !bytes.isEmpty else { return }
        guard template.template.output == .tail else {
            if keepsOutput {
                // Told with the next flush: if the attempt ends before that, its end has it.
                if entries[task]!.isAllReported { unreported.append(task) }
                entries[task]!.kept.append(stream, bytes)
            } else {
                report.output(entries[task]!.ref, stream, offset: entries[task]!.written, bytes[...])
            }
            entries[task]!.written += UInt64(bytes.count)
            return
        }
        switch stream {
        case .standardOutput: Self.keepTail(bytes, in: &entries[task]!.standardOutputTail)
        case .standardError: Self.keepTail(bytes, in: &entries[task]!.standardErrorTail)
        }
        actions.append(.grant(task, isCall: entries[task]!.isCall, bytes: UInt64(bytes.count)))
    }

    private static func keepTail(_ bytes: [UInt8], in tail: inout [UInt8]) {
        tail.append(contentsOf: bytes.suffix(tailBytes))
        // Cut only when it is twice too long: moving the bytes for each chunk would cost more than keeping them.
        if tail.count > 2 * tailBytes { tail.removeFirst(tail.count - tailBytes) }
    }

    /// Reports what has been written since the last flush. What nobody can hear now is told when the session goes on.
    mutating func reportOutput() {
        guard !unreported.isEmpty, cutOff == nil else { return }
        for task in unreported {
            guard let entry = entries[task], !entry.isUnwanted else { continue }
            for piece in entry.kept.pieces(from: entry.reported) {
                report.output(entry.ref, piece.stream, offset: piece.offset, piece.bytes)
            }
            entries[task]?.reported = entry.written
        }
        unreported.removeAll(keepingCapacity: true)
    }

    /// Grants say how far, not how much more: one that comes again, or after a later one, says nothing new.
    mutating func granted(_ grants: [OutputGrant], into actions: inout [WorkerAction]) {
        for grant in grants {
            let task = grant.ref.task
            guard entries[task]?.ref == grant.ref, let fresh = entries[task]?.grant(upTo: grant.position) else {
                continue
            }
            actions.append(.grant(task, isCall: entries[task]!.isCall, bytes: fresh))
        }
    }

    /// A session continues the one that was lost. What was granted on the way may have been lost with that.
    mutating func outputResumed(into actions: inout [WorkerAction]) {
        for entry in entries.values.sorted(by: { $0.ref.task.raw < $1.ref.task.raw })
        where entry.written > entry.granted && !entry.isUnwanted {
            let task = entry.ref.task
            if keepsOutput {
                // Whoever has had it says so, and that is the grant.
                if entry.isAllReported { unreported.append(task) }
                entries[task]?.reported = entry.granted
            } else {
                // It is with the coordinator, or on its way: each begins anew with what it may send unasked.
                entries[task]?.granted = entry.written
                actions.append(.grant(task, isCall: entry.isCall, bytes: entry.written - entry.granted))
            }
        }
    }
}

extension WorkerCore.Entry {
    fileprivate var isAllReported: Bool { reported == written }

    /// - Returns: how many bytes that is more than before; `nil` if it is nothing new.
    fileprivate mutating func grant(upTo position: UInt64) -> UInt64? {
        let position = min(position, written)
        guard position > granted else { return nil }
        defer { granted = position }
        kept.drop(upTo: position)
        return position - granted
    }

    /// The detail of its end, with what the reader of its output may not have.
    func withRest(_ detail: AttemptDetail?, isKept: Bool) -> AttemptDetail? {
        guard isKept, written > 0 else { return detail }
        var detail = detail ?? AttemptDetail()
        detail.rest = kept
        return detail
    }
}
