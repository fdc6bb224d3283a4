internal import CohortCore
internal import Testing

/// A client counts each byte once, whatever comes twice or out of order.
@Suite struct OutputPositionsTests {
    @Test func whatComesTwiceIsSkipped() {
        var positions = OutputPositions()
        #expect(positions.take(piece(0, 4)) == 0)
        #expect(positions.take(piece(0, 4)) == nil)
        #expect(positions.take(piece(2, 4)) == 2)
        #expect(positions.take(piece(6, 1)) == 0)
    }

    @Test func whatComesAfterAGapIsTakenWhenItComesAgain() {
        var positions = OutputPositions()
        #expect(positions.take(piece(0, 4)) == 0)
        #expect(positions.take(piece(6, 2)) == nil)
        #expect(positions.take(piece(4, 4)) == 0)
        let (pieces, isWhole) = positions.end(report(), nil)
        #expect(pieces.isEmpty && isWhole)
    }

    @Test func aGapThatStaysIsNoticed() {
        var positions = OutputPositions()
        _ = positions.take(piece(6, 2))
        #expect(!positions.end(report(), nil).isWhole)
        _ = positions.take(piece(0, 2))
        let (pieces, isWhole) = positions.end(report(), rest(4, "rest"))
        #expect(pieces.map(\.offset) == [4])
        #expect(!isWhole)
    }

    @Test func theEndBringsWhatIsMissing() {
        var positions = OutputPositions()
        _ = positions.take(piece(0, 6))
        let (pieces, isWhole) = positions.end(report(), rest(4, "rest"))
        #expect(pieces.flatMap(\.bytes) == Array("st".utf8))
        #expect(isWhole)
        // All of it, of a task that was not heard of before.
        #expect(positions.end(report(), rest(0, "rest")).pieces.flatMap(\.bytes) == Array("rest".utf8))
    }

    @Test func eachAttemptCountsFromItsBeginning() {
        var positions = OutputPositions()
        #expect(positions.take(piece(0, 4)) == 0)
        #expect(positions.take(piece(0, 3, attempt: 2)) == 0)
        #expect(positions.take(piece(4, 4)) == nil)
        let (pieces, isWhole) = positions.end(report(attempts: 3), rest(0, "third"))
        #expect(pieces.flatMap(\.bytes) == Array("third".utf8))
        #expect(isWhole)
    }

    @Test func theCoordinatorIsToldNowAndThen() {
        var positions = OutputPositions()
        let step = 16 << 10
        _ = positions.take(piece(0, step - 1))
        #expect(positions.takeDue() == [])
        _ = positions.take(piece(step - 1, 1))
        #expect(positions.takeDue() == [consumed(step)])
        #expect(positions.takeDue() == [])
        _ = positions.take(piece(step, 1))
        #expect(positions.takeDue() == [])
    }

    @Test func whoeverSendsSomethingAgainIsToldAtOnce() {
        var positions = OutputPositions()
        _ = positions.take(piece(0, 4))
        _ = positions.take(piece(0, 4))
        #expect(positions.takeDue() == [consumed(4)])
    }

    @Test func anotherSessionIsToldOfAllThatRuns() {
        var positions = OutputPositions()
        _ = positions.take(piece(0, 4))
        _ = positions.take(piece(0, 4, index: 1))
        _ = positions.end(report(), nil)
        positions.tellAll()
        #expect(positions.takeDue().map(\.index) == [1])
    }

    // MARK: -

    private func piece(_ offset: Int, _ length: Int, attempt: UInt32 = 1, index: UInt32 = 0) -> ClientOutput {
        ClientOutput(
            group: GroupID(1),
            index: index,
            attempt: attempt,
            stream: .standardOutput,
            offset: UInt64(offset),
            length: UInt32(length)
        )
    }

    private func report(attempts: UInt32 = 1) -> TaskReport {
        TaskReport(
            group: GroupID(1),
            index: 0,
            outcome: .ok,
            started: true,
            attempts: attempts,
            elapsed: .zero,
            worker: 1
        )
    }

    private func rest(_ offset: UInt64, _ text: String) -> OutputStretch {
        let run = OutputStretch.Run(stream: .standardOutput, length: UInt32(text.utf8.count))
        return OutputStretch(offset: offset, runs: [run], bytes: Array(text.utf8))
    }

    private func consumed(_ position: Int) -> ConsumedOutput {
        ConsumedOutput(group: GroupID(1), index: 0, attempt: 1, position: UInt64(position))
    }
}
