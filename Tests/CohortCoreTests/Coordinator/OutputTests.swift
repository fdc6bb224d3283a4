internal import CohortCore
internal import Testing

/// Output on its way to the owner, credit on its way back.
@Suite struct OutputTests {
    @Test func outputGoesToTheOwnerAndCreditComesBack() {
        var script = streaming()
        output(&script, "g1/0", "hello")
        script.expect("c1 output g1/0 standardOutput 'hello'")
        consume(&script, index: 0, bytes: 5)
        script.expect("w1 grant g1/0 5")
        // Told again it says the same again.
        consume(&script, index: 0, bytes: 5)
        script.expect("w1 grant g1/0 5")
    }

    @Test func creditForAnotherAttemptIsDropped() {
        var script = streaming(retries: 1)
        output(&script, "g1/0", "one")
        script.start("g1/0")
        script.finish("g1/0", .failed, error: "A")
        script.settle()
        output(&script, "g1/0", "two")
        script.settle()
        consume(&script, index: 0, bytes: 3)
        script.expectNothing()
        consume(&script, index: 0, attempt: 2, bytes: 3)
        script.expect("w1 grant g1/0 3")
    }

    @Test func outputComesBeforeValuesInOneUpdate() {
        var script = streaming()
        let first = script.held("g1/0")
        let second = script.held("g1/1")
        script.report(from: first.worker) {
            $0.outputs = [
                OutputChunk(ref: second.ref, stream: .standardError, length: 2),
                OutputChunk(ref: first.ref, stream: .standardOutput, length: 1),
            ]
            $0.started = [second.ref]
            $0.finished = [FinishedAttempt(ref: first.ref, status: .ok, valueLength: 3)]
            $0.payload = Array("eeoval".utf8)
        }
        script.expect(
            "c1 started g1/1",
            "c1 output g1/1 standardError 'ee'",
            "c1 output g1/0 standardOutput 'o'",
            "c1 ended g1/0 ok 'val'"
        )
    }

    @Test func outputOfALaterAttemptSaysSo() {
        var script = streaming(retries: 1)
        output(&script, "g1/0", "one")
        script.start("g1/0")
        output(&script, "g1/0", "two")
        script.expect(
            "c1 output g1/0 standardOutput 'one'",
            "c1 started g1/0",
            "c1 output g1/0 standardOutput 'two'"
        )
        script.finish("g1/0", .failed, error: "A")
        script.settle()
        output(&script, "g1/0", "three")
        script.expect("c1 output g1/0 #2 standardOutput 'three'")
    }

    @Test func creditForWhatHasEndedIsDropped() {
        var script = streaming()
        output(&script, "g1/0", "hello")
        script.finish("g1/0")
        script.settle()
        consume(&script, index: 0, bytes: 5)
        consume(&script, index: 99, bytes: 5)
        consume(&script, group: 99, index: 0, bytes: 5)
        script.expectNothing()
    }

    @Test func aTaskOfAnotherClientGetsNoCredit() {
        var script = streaming()
        let other = script.client()
        script.send(
            .consumed(other, weight: 0, outputs: [ConsumedOutput(group: GroupID(1), index: 0, attempt: 1, position: 5)])
        )
        script.expectNothing()
    }

    @Test func aDetachedTaskGetsItsCreditBackAtOnce() {
        var script = streaming(detached: true)
        output(&script, "g1/0", "hello")
        script.expect("w1 grant g1/0 5")
    }

    @Test func aClientThatIsBehindGetsNoNewTasks() {
        var limits = Limits()
        limits.unconsumedBytes = 100
        var script = streaming(limits: limits, slots: 2, tasks: 4)
        script.settle()
        output(&script, "g1/1", String(repeating: "x", count: 40))
        script.settle()
        // 40 bytes of output and a report are past the mark.
        script.finish("g1/0")
        script.expect("c1 ended g1/0 ok")
        let other = script.client()
        script.open(other, 1)
        script.submit(other, 1)
        script.expect("c2 opened g2", "w1 assign g2/0")
        script.finish("g2/0")
        script.settle()
        script.send(.consumed(SessionID(1), weight: 4, outputs: []))
        script.expect("w1 assign g1/2")
    }

    // MARK: Sizes

    @Test func largeUpdatesAreSplitAndEachAddsUp() {
        var script = streaming(slots: 3, tasks: 3)
        let held = (0..<3).map { script.held("g1/\($0)") }
        let value = String(repeating: "v", count: ClientOutbox.messageBytes * 3 / 4)
        let events = held.enumerated().map { CoreScript.finished($1, .failed, value: value, error: "E\($0)") }
        script.send(burst: events)
        let updates = script.actions.compactMap { action -> ClientUpdate? in
            if case .update(_, let update) = action { update } else { nil }
        }
        #expect(updates.map(\.reports.count) == [2, 1])
        #expect(updates.map(\.payload.count) == [2 * value.utf8.count, value.utf8.count])
        let errors = updates.flatMap { update in update.reports.map { update.details[Int($0.detail)].type } }
        #expect(errors == ["E0", "E1", "E2"])
    }

    @Test func largeAssignmentsAreSplitAndTheTemplateGoesOnce() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 3)
        script.open(client, 1)
        script.settle()
        let payload = String(repeating: "p", count: ClientOutbox.messageBytes * 3 / 4)
        script.submit(client, 1, payloads: [payload, payload, payload])
        let batches = script.actions.compactMap { action -> AssignBatch? in
            if case .assign(_, let batch) = action { batch } else { nil }
        }
        #expect(batches.map(\.tasks.count) == [2, 1])
        #expect(batches.map(\.templates.count) == [1, 0])
        #expect(batches.map(\.payload.count) == [2 * payload.utf8.count, payload.utf8.count])
    }

    /// A worker comes back to the next life of its coordinator before the client does.
    @Test func whatIsWrittenWhileTheClientIsAwayIsKeptForIt() {
        var script = durable()
        let held = HeldAttempt(ref: script.held("g1/0").ref, state: .running)
        script.restart()
        let back = script.worker(token: 7, held: [held])
        script.report(from: back) {
            $0.outputs = [OutputChunk(ref: held.ref, stream: .standardOutput, length: 7)]
            $0.payload = Array("written".utf8)
        }
        script.finishAs("g1/0", at: back)
        script.settle()
        script.client(token: 1)
        let told = script.take(containing: "g1/0")
        #expect(told.first == "c2 output g1/0 standardOutput 'written'", "\(told)")
        #expect(told.last == "c2 ended g1/0 ok")
    }

    /// Its connection breaks before it has acknowledged what it was sent.
    @Test func whatIsLostOnTheWayToAClientIsToldAgain() {
        var script = durable()
        output(&script, "g1/0", "received")
        script.delivers = false
        output(&script, "g1/0", "sent")
        script.settle()
        script.client(token: 1)
        #expect(script.take(containing: "output") == ["c2 output g1/0 standardOutput 'sent'"])
    }

    /// The coordinator dies when it has acknowledged the end and told nobody.
    @Test func theEndKeepsWhatTheClientMayNotHave() throws {
        var script = durable()
        script.delivers = false
        finish(&script, "g1/0", .ok, rest: "written")
        #expect(rests(in: script) == ["written"])
        script.restart()
        script.settle()
        script.client(token: 1)
        #expect(rests(in: script) == ["written"])
    }

    @Test func whatAnAttemptHasWrittenIsPassedOnAlsoIfAnotherMayFollow() {
        var script = streaming(retries: 1, backoff: .seconds(1))
        finish(&script, "g1/0", .failed, rest: "first")
        #expect(script.take(containing: "output") == ["c1 output g1/0 standardOutput 'first'"])
        // None does, and the failure is its end.
        script.send(.taskCancelled(SessionID(1), GroupKey(1), index: 0, reason: ""))
        #expect(rests(in: script) == ["first"])
    }

    /// The coordinator dies when it has acknowledged the failure and passed nothing on.
    @Test(arguments: [false, true])
    func whatAFailedAttemptHasWrittenIsPassedOnByTheNextCoordinator(isRunningAgain: Bool) {
        var script = durable(retries: 1)
        script.delivers = false
        finish(&script, "g1/0", .failed, rest: "first")
        if isRunningAgain { script.start("g1/0") }
        script.restart()
        script.settle()
        script.client(token: 1)
        #expect(script.take(containing: "output") == ["c2 output g1/0 standardOutput 'first'"])
    }

    /// Its worker comes and goes meanwhile, and tells each time what it was not granted.
    @Test func whatIsToldAgainWhileTheClientIsAwayIsKeptOnce() {
        var script = durable()
        let held = HeldAttempt(ref: script.held("g1/0").ref, state: .running)
        script.restart()
        for text in ["one ", "one two ", "one two three"] {
            let back = script.worker(token: 7, held: [held])
            script.report(from: back) {
                $0.outputs = [OutputChunk(ref: held.ref, stream: .standardOutput, length: UInt32(text.utf8.count))]
                $0.payload = Array(text.utf8)
            }
        }
        script.settle()
        script.client(token: 1)
        let told = script.take(containing: "output")
        #expect(told.map { $0.split(separator: "'")[1] }.joined() == "one two three", "\(told)")
    }

    /// What its worker sent last and heard nothing of comes first, and only then all that was not granted.
    @Test func whatIsToldFromTheBeginningAfterItsEndIsKeptToo() {
        var script = durable()
        let held = HeldAttempt(ref: script.held("g1/0").ref, state: .running)
        script.restart()
        let back = script.worker(token: 7, held: [held])
        for (offset, text) in [(8, "three"), (0, "one "), (4, "two "), (8, "three"), (4, "two "), (13, "!")] {
            script.report(from: back) {
                $0.outputs = [
                    OutputChunk(
                        ref: held.ref,
                        stream: .standardOutput,
                        offset: UInt64(offset),
                        length: UInt32(text.utf8.count)
                    )
                ]
                $0.payload = Array(text.utf8)
            }
        }
        script.settle()
        script.client(token: 1)
        var positions = OutputPositions()
        var read = ""
        for case .update(_, let update) in script.actions {
            var start = 0
            for output in update.outputs {
                let bytes = update.payload[start..<start + Int(output.length)]
                start += Int(output.length)
                guard let skipped = positions.take(output) else { continue }
                read += String(decoding: bytes.dropFirst(skipped), as: UTF8.self)
            }
        }
        #expect(read == "one two three!")
    }

    @Test func aDetachedTasksEndHasNoRest() {
        var script = streaming(detached: true)
        script.send(.watched(SessionID(1), .id(GroupID(1))))
        finish(&script, "g1/0", .ok, rest: "written")
        #expect(rests(in: script) == [])
        #expect(script.take(containing: "ended") == ["c1 ended g1/0 ok"])
    }

    private func finish(_ script: inout CoreScript, _ task: String, _ status: AttemptStatus, rest: String?) {
        let held = script.held(task)
        var detail = AttemptDetail()
        detail.rest = rest.map {
            let run = OutputStretch.Run(stream: .standardOutput, length: UInt32($0.utf8.count))
            return OutputStretch(runs: [run], bytes: Array($0.utf8))
        }
        script.report(from: held.worker) {
            $0.finished = [FinishedAttempt(ref: held.ref, status: status, detail: 0)]
            $0.details = [detail]
        }
    }

    /// What the ends that have been told bring of output.
    private func rests(in script: CoreScript) -> [String] {
        script.actions.flatMap { action -> [String] in
            guard case .update(_, let update) = action else { return [] }
            return update.details.compactMap { $0.rest.map { String(decoding: $0.bytes, as: UTF8.self) } }
        }
    }

    private func output(_ script: inout CoreScript, _ task: String, _ text: String) {
        let held = script.held(task)
        script.report(from: held.worker) {
            $0.outputs = [OutputChunk(ref: held.ref, stream: .standardOutput, length: UInt32(text.utf8.count))]
            $0.payload = Array(text.utf8)
        }
    }

    private func consume(
        _ script: inout CoreScript,
        group: UInt64 = 1,
        index: UInt32,
        attempt: UInt32 = 1,
        bytes: UInt64
    ) {
        let output = ConsumedOutput(group: GroupID(group), index: index, attempt: attempt, position: bytes)
        script.send(.consumed(SessionID(1), weight: bytes, outputs: [output]))
    }

    /// A task that runs and streams its output, at a coordinator with a journal to which its client and worker may come back.
    private func durable(retries: UInt32 = 0) -> CoreScript {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "task", retries: retries, backoff: .zero, output: .stream))
        script.start("g1/0")
        return script
    }

    /// Tasks that stream their output.
    private func streaming(
        limits: Limits = Limits(),
        slots: UInt32 = 2,
        tasks: Int = 2,
        retries: UInt32 = 0,
        backoff: TimeSpan = .zero,
        detached: Bool = false
    ) -> CoreScript {
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.worker(slots: slots)
        script.open(client, 1, detached: detached)
        let template = TaskTemplate(name: "task", retries: retries, backoff: backoff, output: .stream)
        script.submit(client, 1, template, count: tasks)
        script.settle()
        return script
    }
}
