internal import SwiftProtobuf
internal import Testing

@testable internal import CohortWire

@Suite struct CommandPayloadTests {
    @Test(arguments: CommandVector.all) func travels(_ vector: CommandVector) throws {
        #expect(try vector.decode(vector.bytes) == vector.content)
    }

    @Test func everyByteMayStandInAnArgument() throws {
        let all = (0...255).map { UInt8($0) }
        let payload = CommandPayload(program: .arguments([all, [], all.reversed()]), standardInput: all)
        #expect(try CommandPayload(bytes: payload.bytes) == payload)
    }

    @Test func randomCommandsTravel() throws {
        for seed: UInt64 in 0..<300 {
            var random = RandomMessages(seed: seed)
            let arguments = [random.bytes()] + random.list { $0.bytes() }
            let line = random.bytes() + [UInt8(ascii: ":")]
            let payload = CommandPayload(
                program: random.pick([.arguments(arguments), .shell(line)]),
                standardInput: random.maybe { $0.bytes(atMost: 500) }
            )
            #expect(try CommandPayload(bytes: payload.bytes) == payload, "seed \(seed)")
            let directory = random.text()
            let settings = CommandSettings(
                variables: random.list { (name: $0.text(), value: $0.text()) },
                workingDirectory: directory.isEmpty ? nil : directory
            )
            #expect(try CommandSettings(bytes: settings.bytes) == settings, "seed \(seed)")
        }
    }

    @Test func commandsWithoutAProgramAreTurnedDown() {
        #expect(throws: FrameError.self) { try CommandPayload(bytes: []) }
        let input = CommandPayload(program: .shell([]), standardInput: [1])
        #expect(throws: FrameError.self) { try CommandPayload(bytes: input.bytes) }
        let none = CommandPayload(program: .arguments([]))
        #expect(throws: FrameError.self) { try CommandPayload(bytes: none.bytes) }
    }

    @Test func commandsWithTwoProgramsAreTurnedDown() throws {
        var message = PBCommandPayload()
        message.arguments = [[UInt8(ascii: "a")].data]
        message.shell = [UInt8(ascii: "b")].data
        let bytes: [UInt8] = try message.serializedBytes()
        let error = #expect(throws: FrameError.self) { try CommandPayload(bytes: bytes) }
        #expect(error?.code == .malformed)
    }

    @Test func variablesWithoutValuesAreTurnedDown() throws {
        var message = PBCommandSpec()
        message.variable = ["A", "B"]
        message.value = ["1"]
        let bytes: [UInt8] = try message.serializedBytes()
        let error = #expect(throws: FrameError.self) { try CommandSettings(bytes: bytes) }
        #expect(error?.code == .malformed)
    }

    @Test func damagedBytesAreHarmless() {
        for seed: UInt64 in 0..<1_000 {
            var random = RandomMessages(seed: seed)
            let vector = random.pick(CommandVector.all)
            var bytes = vector.bytes
            bytes.mutate(using: &random.generator)
            guard let content = try? vector.decode(bytes) else { continue }
            var copy = vector
            copy.content = content
            #expect((try? copy.decode(copy.bytes)) == content, "seed \(seed)")
        }
    }

    @Test func descriptionIsTextEvenIfTheArgumentsAreNot() {
        #expect(CommandPayload(program: .arguments([[0x61], [0xff]])).description == "a \u{fffd}")
        #expect(CommandPayload(program: .shell(Array("a | b".utf8))).description == "a | b")
    }
}
