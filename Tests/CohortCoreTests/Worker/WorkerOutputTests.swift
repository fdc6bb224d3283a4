internal import CohortCore
internal import Testing

/// What a worker does with streamed output so that the death of a durable coordinator costs none of it.
@Suite struct WorkerOutputTests {
    @Test func whatWasNotGrantedComesWithTheEndToo() throws {
        var script = streaming()
        write(&script, "one ")
        write(&script, "two ")
        script.expect("output 0 'one '", "output 0 'two '")
        script.send(.granted([OutputGrant(ref: WorkerScript.ref(0), position: 4)]))
        script.expect("grant 0 4")
        script.exit(0)
        #expect(try #require(script.details.first).rest == stretch(4, "two "))
        script.expect("ended 0 ok")
    }

    @Test func whatIsReadyWithTheEndIsInTheEndOnly() throws {
        var script = streaming()
        script.send(
            .outputArrived(WorkerScript.key(0), .standardOutput, Array("out".utf8)),
            .outputArrived(WorkerScript.key(0), .standardError, Array("err".utf8)),
            .commandEnded(WorkerScript.key(0), Self.success)
        )
        let rest = OutputStretch(
            runs: [
                OutputStretch.Run(stream: .standardOutput, length: 3),
                OutputStretch.Run(stream: .standardError, length: 3),
            ],
            bytes: Array("outerr".utf8)
        )
        #expect(try #require(script.details.first).rest == rest)
        script.expect("ended 0 ok")
    }

    @Test func aTaskThatHasHadAllGrantedSaysHowMuchThatWas() throws {
        var script = streaming()
        write(&script, "one")
        script.send(.granted([OutputGrant(ref: WorkerScript.ref(0), position: 3)]))
        script.exit(0)
        #expect(try #require(script.details.first).rest == OutputStretch(offset: 3))
    }

    @Test func aTaskThatHasWrittenNothingSaysNothing() throws {
        var script = streaming()
        script.exit(0)
        #expect(try #require(script.details.first).rest == nil)
    }

    @Test func anotherSessionIsToldAgainWhatWasNotGranted() {
        var script = streaming()
        write(&script, "one ")
        write(&script, "two ")
        script.send(.granted([OutputGrant(ref: WorkerScript.ref(0), position: 2)]))
        script.send(.cutOff(lastHeard: script.now, lease: .seconds(10), isDurable: true))
        script.settle()
        // Nobody would hear it: it comes with the rest.
        write(&script, "three")
        script.expectNothing()
        script.send(.welcomed(isDurable: true), .resumed(unwanted: []))
        #expect(script.offsets == [2])
        script.expect("output 0 'e two three'")
        write(&script, "!")
        #expect(script.offsets == [13])
        script.expect("output 0 '!'")
        // The credit comes back with what the reader says.
        script.send(.granted([OutputGrant(ref: WorkerScript.ref(0), position: 14)]))
        script.expect("grant 0 12")
    }

    @Test func whatIsWrittenWhileTheConnectionIsBrokenFollowsInTheSameSession() {
        var script = streaming()
        script.send(.cutOff(lastHeard: script.now, lease: .seconds(10), isDurable: true))
        write(&script, "one")
        script.expectNothing()
        script.send(.heardAgain)
        script.expect("output 0 'one'")
    }

    @Test func outputOfUnwantedTasksIsNotToldAgain() {
        var script = streaming()
        write(&script, "one")
        script.send(.cutOff(lastHeard: script.now, lease: .seconds(10), isDurable: true))
        script.settle()
        script.send(.resumed(unwanted: [WorkerScript.ref(0)]))
        script.expect("kill command 0")
        write(&script, "two")
        script.exit(0, code: nil, signal: 9)
        script.expectNothing()
    }

    @Test func aTaskThatIsKilledForSilenceTellsWhatItHasWritten() throws {
        var script = streaming()
        write(&script, "one")
        script.send(.cutOff(lastHeard: script.now, lease: .seconds(10), isDurable: true))
        script.advance(by: .seconds(2))
        script.exit(0, code: nil, signal: 9)
        #expect(try #require(script.details.first).rest == stretch(0, "one"))
    }

    @Test func stretchesAreCutAnywhere() {
        var whole = OutputStretch(offset: 10)
        whole.append(.standardOutput, Array("ab".utf8))
        whole.append(.standardOutput, Array("c".utf8))
        whole.append(.standardError, Array("de".utf8))
        whole.append(.standardError, [])
        whole.append(.standardOutput, Array("f".utf8))
        #expect(whole.runs.map(\.length) == [3, 2, 1])
        for position: UInt64 in 0...20 {
            let expected = Array("abcdef".utf8).dropFirst(Int(max(position, 10)) - 10)
            let pieces = whole.pieces(from: position)
            #expect(pieces.flatMap(\.bytes) == Array(expected))
            #expect(pieces.first.map(\.offset) == (position < 16 ? max(position, 10) : nil))
            var cut = whole
            cut.drop(upTo: position)
            #expect(cut.offset == max(position, 10))
            #expect(cut.pieces().map(\.stream) == pieces.map(\.stream))
            #expect(cut.bytes == Array(expected))
        }
    }

    // MARK: -

    private static var success: CommandEnd {
        var end = CommandEnd()
        end.exitCode = 0
        return end
    }

    /// A command that runs for a durable coordinator.
    private func streaming() -> WorkerScript {
        var script = WorkerScript()
        script.send(.welcomed(isDurable: true))
        script.assign(0...0, WorkerScript.template(1, TaskTemplate(name: "task", output: .stream)))
        script.start(0)
        script.settle()
        return script
    }

    private func write(_ script: inout WorkerScript, _ text: String) {
        script.send(.outputArrived(WorkerScript.key(0), .standardOutput, Array(text.utf8)))
    }

    private func stretch(_ offset: UInt64, _ text: String) -> OutputStretch {
        let run = OutputStretch.Run(stream: .standardOutput, length: UInt32(text.utf8.count))
        return OutputStretch(offset: offset, runs: [run], bytes: Array(text.utf8))
    }
}

extension WorkerScript {
    /// Where the pieces of output stand that have been reported and not been taken.
    fileprivate var offsets: [UInt64] {
        actions.flatMap { action -> [UInt64] in
            if case .report(let report) = action { report.outputs.map(\.offset) } else { [] }
        }
    }
}
