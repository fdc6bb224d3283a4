internal import SwiftProtobuf

/// What a command is to run, as it travels in a task's payload. Opaque to the coordinator.
///
/// Arguments are bytes: names of files need not be text.
package struct CommandPayload: Sendable, Equatable {
    package enum Program: Sendable, Equatable {
        case arguments([[UInt8]])
        /// A line for `/bin/sh -c`.
        case shell([UInt8])
    }
    package var program: Program
    /// `nil` for `/dev/null`.
    package var standardInput: [UInt8]?

    package init(program: Program, standardInput: [UInt8]? = nil) {
        self.program = program
        self.standardInput = standardInput
    }

    package var bytes: [UInt8] {
        var message = PBCommandPayload()
        switch program {
        case .arguments(let arguments): message.arguments = arguments.map(\.data)
        case .shell(let line): message.shell = line.data
        }
        if let standardInput { message.standardInput = standardInput.data }
        return (try? message.serializedBytes()) ?? []
    }

    package init(bytes: [UInt8]) throws(FrameError) {
        let message: PBCommandPayload
        do {
            message = try PBCommandPayload(serializedBytes: bytes)
        } catch {
            throw FrameError(.malformed, "the payload is not that of a command")
        }
        try checkColumns("arguments", message.arguments.count)
        guard message.arguments.isEmpty != message.shell.isEmpty else {
            let count = message.arguments.isEmpty ? "neither" : "both"
            throw FrameError(.malformed, "a command with \(count) of arguments and a shell line")
        }
        self.init(
            program: message.arguments.isEmpty
                ? .shell([UInt8](message.shell)) : .arguments(message.arguments.map { [UInt8]($0) }),
            standardInput: message.hasStandardInput ? [UInt8](message.standardInput) : nil
        )
    }

    /// One line for people.
    package var description: String {
        switch program {
        case .shell(let line): String(decoding: line, as: UTF8.self)
        case .arguments(let arguments): arguments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        }
    }
}

/// Where and with which variables the commands of a template run; travels as `TaskTemplate.spec`.
package struct CommandSettings: Sendable, Equatable {
    package var variables: [(name: String, value: String)]
    /// `nil`: where the worker is.
    package var workingDirectory: String?

    package init(variables: [(name: String, value: String)] = [], workingDirectory: String? = nil) {
        self.variables = variables
        self.workingDirectory = workingDirectory
    }

    package static func == (left: CommandSettings, right: CommandSettings) -> Bool {
        left.workingDirectory == right.workingDirectory
            && left.variables.elementsEqual(right.variables) { $0.name == $1.name && $0.value == $1.value }
    }

    package var bytes: [UInt8] {
        var message = PBCommandSpec()
        message.variable = variables.map(\.name)
        message.value = variables.map(\.value)
        message.workingDirectory = workingDirectory ?? ""
        return (try? message.serializedBytes()) ?? []
    }

    package init(bytes: [UInt8]) throws(FrameError) {
        let message: PBCommandSpec
        do {
            message = try PBCommandSpec(serializedBytes: bytes)
        } catch {
            throw FrameError(.malformed, "the template is not that of a command")
        }
        try checkColumns("variables", message.variable.count, message.value.count)
        self.init(
            variables: zip(message.variable, message.value).map { (name: $0, value: $1) },
            workingDirectory: message.workingDirectory.isEmpty ? nil : message.workingDirectory
        )
    }
}
