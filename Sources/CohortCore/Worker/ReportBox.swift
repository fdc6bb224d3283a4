/// What a worker will report with the next flush, in as many messages as its size asks for.
package struct ReportBox: Sendable, Equatable {
    /// The message that is being written.
    package private(set) var open = WorkerReport()
    /// Bytes of the open message's outputs; they go before its values.
    private var outputs: [UInt8] = []
    private var detailBytes = 0
    private var closed: [WorkerReport] = []

    package init() {}

    package mutating func started(_ ref: AttemptRef) {
        closeIfFull()
        open.started.append(ref)
    }

    package mutating func returned(_ ref: AttemptRef) {
        closeIfFull()
        open.returned.append(ref)
    }

    package mutating func cancelSeen(_ ref: AttemptRef) {
        closeIfFull()
        open.cancelsSeen.append(ref)
    }

    package mutating func waiting(_ ref: AttemptRef) {
        closeIfFull()
        open.waiting.append(ref)
    }

    package mutating func wanting(_ ref: AttemptRef) {
        closeIfFull()
        open.wanting.append(ref)
    }

    package mutating func progress(_ progress: AttemptProgress) {
        closeIfFull()
        open.progress.append(progress)
    }

    package mutating func output(
        _ ref: AttemptRef,
        _ stream: OutputStream,
        offset: UInt64,
        _ bytes: ArraySlice<UInt8>
    ) {
        closeIfFull()
        open.outputs.append(OutputChunk(ref: ref, stream: stream, offset: offset, length: UInt32(bytes.count)))
        outputs.append(contentsOf: bytes)
    }

    package mutating func finished(_ attempt: FinishedAttempt, detail: AttemptDetail? = nil, value: [UInt8] = []) {
        closeIfFull()
        // Its start and its end travel in one message: the end says it all.
        if open.started.last == attempt.ref { open.started.removeLast() }
        if open.waiting.last == attempt.ref { open.waiting.removeLast() }
        if open.wanting.last == attempt.ref { open.wanting.removeLast() }
        var attempt = attempt
        if let detail {
            attempt.detail = Int32(open.details.count)
            open.details.append(detail)
            detailBytes += detail.approximateBytes
        }
        attempt.valueLength = UInt32(value.count)
        open.finished.append(attempt)
        open.payload.append(contentsOf: value)
    }

    /// Takes out everything, oldest first.
    package mutating func takeAll() -> [WorkerReport] {
        close()
        var all: [WorkerReport] = []
        swap(&all, &closed)
        return all
    }

    private mutating func closeIfFull() {
        let rows =
            open.finished.count + open.started.count + open.returned.count + open.cancelsSeen.count
            + open.outputs.count + open.waiting.count + open.wanting.count + open.progress.count
        let bytes = open.payload.count + outputs.count + detailBytes
        if rows >= ClientOutbox.messageRows || bytes >= ClientOutbox.messageBytes { close() }
    }

    private mutating func close() {
        guard !open.isEmpty else { return }
        if !outputs.isEmpty {
            open.payload = outputs + open.payload
            outputs.removeAll()
        }
        detailBytes = 0
        closed.append(open)
        open = WorkerReport()
    }
}
