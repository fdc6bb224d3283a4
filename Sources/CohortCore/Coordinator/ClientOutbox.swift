/// What a client will be sent with the next flush, in as many messages as its size asks for.
package struct ClientOutbox: Sendable, Equatable {
    /// Bytes and rows after which a message is closed and the next one begun. A single value may go beyond: it is bounded
    /// where it is made.
    package static let messageBytes = 4 << 20
    package static let messageRows = 65_536

    private var open = ClientUpdate()
    /// Bytes of the open message's outputs; they go before its values.
    private var outputs: [UInt8] = []
    /// Bytes of its details and names, about.
    private var textBytes = 0
    private var closed: [ClientUpdate] = []

    package var isEmpty: Bool { open.isEmpty && closed.isEmpty }

    /// How many messages it is so far.
    package var count: Int { closed.count + (open.isEmpty ? 0 : 1) }

    /// Whether how a group stands goes with the message that is being made.
    func tellsOf(_ group: GroupID) -> Bool { open.groups.contains { $0.group == group } }

    /// Adds anything that has no bytes of users with it.
    package mutating func add(_ change: (inout ClientUpdate) -> Void) {
        closeIfFull()
        change(&open)
    }

    package mutating func add(_ report: TaskReport, detail: AttemptDetail?, value: ArraySlice<UInt8>) {
        closeIfFull()
        var report = report
        if let detail {
            report.detail = Int32(open.details.count)
            open.details.append(detail)
            textBytes += detail.approximateBytes
        }
        open.reports.append(report)
        open.payload.append(contentsOf: value)
    }

    package mutating func add(_ name: TaskName) {
        closeIfFull()
        open.names.append(name)
        textBytes += name.name.utf8.count
    }

    /// Keeps the output of tasks only: a client that comes back is told all else again.
    ///
    /// - Parameter lost: updates that were sent and may not have come to it; their output comes first.
    /// - Returns: how many bytes that is.
    package mutating func keepOutputs(after lost: some Sequence<ClientUpdate>) -> Int {
        var kept = 0
        for update in Array(lost) + takeAll() {
            var start = 0
            for output in update.outputs {
                let end = start + Int(output.length)
                add(output, update.payload[start..<end])
                start = end
            }
            kept += start
        }
        return kept
    }

    package mutating func add(_ output: ClientOutput, _ bytes: ArraySlice<UInt8>) {
        closeIfFull()
        open.outputs.append(output)
        outputs.append(contentsOf: bytes)
    }

    /// Takes out everything, oldest first.
    package mutating func takeAll() -> [ClientUpdate] {
        close()
        var all: [ClientUpdate] = []
        swap(&all, &closed)
        return all
    }

    private mutating func closeIfFull() {
        let rows =
            open.reports.count + open.outputs.count + open.started.count + open.closed.count + open.names.count
            + open.progress.count + open.accepted.count + open.answers.count + open.refusals.count
        guard rows >= Self.messageRows || open.payload.count + outputs.count + textBytes >= Self.messageBytes else {
            return
        }
        close()
    }

    private mutating func close() {
        guard !open.isEmpty else { return }
        if !outputs.isEmpty {
            open.payload = outputs + open.payload
            outputs.removeAll()
        }
        textBytes = 0
        closed.append(open)
        open = ClientUpdate()
    }
}

extension AttemptDetail {
    /// Bytes of users in it, which count when a client is behind.
    package var outputBytes: Int {
        standardOutput.count + standardError.count + tree.count + (rest?.bytes.count ?? 0)
    }

    /// About how long it is on the wire.
    package var approximateBytes: Int {
        64 + type.utf8.count + message.utf8.count + trace.utf8.count + tree.count + command.utf8.count
            + standardOutput.count + standardError.count + (rest.map { $0.bytes.count + 8 * $0.runs.count } ?? 0)
    }
}
