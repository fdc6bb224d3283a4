internal import CohortCore
internal import CohortWire

/// A program to run as a task.
public struct Command: Sendable {
    enum Program: Sendable {
        case shell(String)
        case arguments([String])
    }

    var program: Program
    /// Variables that are set or replaced; the others are those of the worker.
    public var environment: [(String, String)] = []
    /// Where it runs; `nil` for where the worker is.
    public var workingDirectory: String?
    /// What it reads from stdin; nothing if empty.
    public var standardInput: [UInt8] = []

    /// A line for `/bin/sh -c`.
    public static func shell(_ line: String) -> Command { Command(program: .shell(line)) }

    /// A program with its arguments; the first word is its path, or its name in the worker's `PATH`.
    public static func arguments(_ words: [String]) -> Command { Command(program: .arguments(words)) }

    /// In one line, for people.
    var line: String {
        switch program {
        case .shell(let line): line
        case .arguments(let words): words.joined(separator: " ")
        }
    }

    /// What its task is called when nobody names it.
    var defaultName: String {
        let limit = 60
        let line = line.prefix { !$0.isNewline }
        return line.count <= limit ? String(line) : line.prefix(limit - 1) + "…"
    }

    var payload: [UInt8] {
        let input = standardInput.isEmpty ? nil : standardInput
        switch program {
        case .shell(let line):
            return CommandPayload(program: .shell(Array(line.utf8)), standardInput: input).bytes
        case .arguments(let words):
            return CommandPayload(program: .arguments(words.map { Array($0.utf8) }), standardInput: input).bytes
        }
    }

    func settings(_ propagated: [String: String]) -> [UInt8] {
        var variables = environment.map { (name: $0.0, value: $0.1) }
        let trace = (key: Propagated.traceKey, name: Propagated.traceVariable)
        if let value = propagated[trace.key], !variables.contains(where: { $0.name == trace.name }) {
            variables.append((name: trace.name, value: value))
        }
        return CommandSettings(variables: variables, workingDirectory: workingDirectory).bytes
    }
}

/// What a command has left behind that exited with 0.
public struct CommandOutput: Codable, Sendable, Equatable {
    /// Always 0: a command that exits with another status has failed.
    public var exitCode: Int
    /// The end of what it wrote to stdout, up to 64 KiB; bytes that are not UTF-8 are replaced by U+FFFD.
    public var stdout: String
    /// The end of what it wrote to stderr.
    public var stderr: String

    /// The output of a command that has succeeded.
    public init(exitCode: Int = 0, stdout: String, stderr: String) {
        self.exitCode = exitCode
        self.stdout = stdout
        self.stderr = stderr
    }
}
