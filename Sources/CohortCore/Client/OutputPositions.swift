/// How far a client has come with what its running tasks write.
///
/// Output may come twice, and after a coordinator has died it may come with a part left out that follows later: each piece
/// says where it stands, and only what comes next counts.
package struct OutputPositions: Sendable {
    private struct Place: Hashable {
        var group: GroupID
        var index: UInt32
    }

    private struct Entry {
        var attempt: UInt32
        /// Bytes of the attempt, of both streams together, that have come without a gap.
        var position: UInt64 = 0
        /// The end of all pieces, after a gap or not.
        var seen: UInt64 = 0
        /// What the coordinator has been told.
        var told: UInt64 = 0
    }

    /// Credit is given back in pieces of at least so many bytes.
    private static let step: UInt64 = 16 << 10

    private var entries: [Place: Entry] = [:]
    /// Those that the coordinator is to be told.
    private var due: Set<Place> = []

    package init() {}

    /// Takes in a piece.
    ///
    /// - Returns: how many bytes at its beginning are to be skipped; `nil` if all are.
    package mutating func take(_ piece: ClientOutput) -> Int? {
        let place = Place(group: piece.group, index: piece.index)
        let end = piece.offset &+ UInt64(piece.length)
        var entry = entries[place] ?? Entry(attempt: piece.attempt)
        if entry.attempt < piece.attempt { entry = Entry(attempt: piece.attempt) }
        guard entry.attempt == piece.attempt else { return nil }
        defer { entries[place] = entry }
        entry.seen = max(entry.seen, end)
        // Its worker, which has not heard so, may be waiting for more credit.
        if piece.offset < entry.position { due.insert(place) }
        guard piece.offset <= entry.position, end > entry.position else { return nil }
        let skipped = Int(clamping: entry.position - piece.offset)
        entry.position = end
        if end - entry.told >= Self.step { due.insert(place) }
        return skipped
    }

    /// The task has ended, and no more will come of its output than what its end brings.
    ///
    /// - Returns: what is new of that, and whether nothing before it is missing.
    package mutating func end(
        _ report: TaskReport,
        _ rest: OutputStretch?
    ) -> (pieces: [OutputStretch.Piece], isWhole: Bool) {
        let place = Place(group: report.group, index: report.index)
        var entry = entries.removeValue(forKey: place) ?? Entry(attempt: report.attempts)
        due.remove(place)
        if entry.attempt != report.attempts { entry = Entry(attempt: report.attempts) }
        guard let rest else { return ([], entry.seen == entry.position) }
        return (rest.pieces(from: entry.position), entry.position >= rest.offset)
    }

    /// What the coordinator is to be told now.
    package mutating func takeDue() -> [ConsumedOutput] {
        guard !due.isEmpty else { return [] }
        let rows = due.compactMap { place -> ConsumedOutput? in
            guard let entry = entries[place] else { return nil }
            entries[place]?.told = entry.position
            return ConsumedOutput(
                group: place.group,
                index: place.index,
                attempt: entry.attempt,
                position: entry.position
            )
        }
        due.removeAll()
        return rows.sorted { ($0.group, $0.index) < ($1.group, $1.index) }
    }

    /// Another session continues the last one: what was told in that may have been lost with it.
    package mutating func tellAll() {
        due = Set(entries.filter { $0.value.position > 0 }.keys)
    }
}
