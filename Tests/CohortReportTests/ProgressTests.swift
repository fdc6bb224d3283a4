internal import CohortReport
internal import Glibc
internal import Testing

@Suite struct ProgressLineTests {
    let snapshot = ProgressSnapshot(
        group: "nightly",
        done: 151,
        failed: 1,
        running: 8,
        queued: 141,
        total: 300,
        rate: 12.4
    )

    @Test func tellsAll() {
        #expect(
            ProgressLine.render(snapshot, width: 120)
                == "nightly: 151 of 300 done, 1 failed, 8 running, 141 queued, 12.4/s, 13 s left"
        )
    }

    @Test func leavesOutWhatIsNotKnown() {
        let start = ProgressSnapshot(group: "g", done: 0, failed: 0, running: 2, queued: 0)
        #expect(ProgressLine.render(start, width: 80) == "g: 0 done, 2 running")
        var slow = snapshot
        slow.rate = 0.01
        #expect(ProgressLine.render(slow, width: 120).hasSuffix("141 queued, 0.6/min, 4 h 8 min left"))
        slow.rate = 25_000
        slow.total = nil
        #expect(ProgressLine.render(slow, width: 120).hasSuffix("141 queued, 25000/s"))
    }

    @Test(arguments: [
        (76, "nightly: 151 of 300 done, 1 failed, 8 running, 141 queued, 12.4/s, 13 s left"),
        (75, "nightly: 151 of 300 done, 1 failed, 8 running, 12.4/s, 13 s left"),
        (60, "nightly: 151 of 300 done, 1 failed, 8 running, 13 s left"),
        (50, "151 of 300 done, 1 failed, 8 running, 13 s left"),
        (40, "151 of 300 done, 1 failed, 13 s left"),
        (30, "151 of 300 done, 1 failed"),
        (20, "151 of 300 done"),
        (10, "151 of 30…"),
        (1, "…"),
        (0, ""),
    ])
    func fitsTheWidth(width: Int, text: String) {
        #expect(ProgressLine.render(snapshot, width: width) == text)
    }

    @Test func aHostileNameIsHarmless() {
        let hostile = ProgressSnapshot(group: "a\u{1b}[2J\n", done: 0, failed: 0, running: 0, queued: 0)
        #expect(ProgressLine.render(hostile, width: 80) == "a␛[2J␊: 0 done, 0 running")
    }
}

@Suite struct ProgressPainterTests {
    let start = ContinuousClock.now

    private func snapshot(_ done: Int) -> ProgressSnapshot {
        ProgressSnapshot(group: "g", done: done, failed: 0, running: 1, queued: 0, total: 100)
    }

    @Test func drawsTenTimesASecondAtMost() throws {
        let sink = try Sink()
        let painter = ProgressPainter(descriptor: sink.descriptor, columns: { 60 })
        for millisecond in 0..<1_000 {
            painter.update(snapshot(millisecond / 100), at: self.start + .milliseconds(millisecond))
        }
        #expect(sink.text.split(separator: "\r").count == 10)
        let start = "\rg: 0 of 100 done, 1 running\u{1b}[K\rg: 1 of 100 done, 1 running, 10.0/s, 10 s left\u{1b}[K\r"
        #expect(sink.text.hasPrefix(start))
        #expect(painter.nextDrawing == self.start + .milliseconds(1_000))
    }

    @Test func clearsItselfOnce() throws {
        let sink = try Sink()
        let painter = ProgressPainter(descriptor: sink.descriptor, columns: { 14 })
        painter.clear()
        painter.update(snapshot(1), at: start)
        painter.clear()
        painter.clear()
        #expect(sink.text == "\r1 of 100 done\u{1b}[K\r\u{1b}[K")
    }

    @Test func aTerminalThatHasGoneIsNoError() {
        let painter = ProgressPainter(descriptor: -1, columns: { nil })
        painter.update(snapshot(1), at: start)
        painter.update(snapshot(2), at: start + .seconds(1))
        painter.clear()
        #expect(TerminalSize.columns(of: -1) == nil)
    }

    @Test func theRateFollowsTheLatestSamples() throws {
        var meter = RateMeter()
        #expect(meter.rate == nil)
        for second in 0...100 { meter.record(done: second * 50, at: start + .seconds(second)) }
        #expect(abs(try #require(meter.rate) - 50) < 0.001)
        for second in 1...60 { meter.record(done: 5_000 + second, at: start + .seconds(100 + second)) }
        #expect(abs(try #require(meter.rate) - 1) < 0.2)
        meter.record(done: 0, at: start)
        #expect(try #require(meter.rate) > 0)
    }
}
