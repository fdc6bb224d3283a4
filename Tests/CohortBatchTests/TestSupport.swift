internal import Foundation
internal import Testing

@testable internal import CohortBatch

/// A directory of its own for one test, gone with the value.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array(("/tmp/cohort-batch-XXXXXX").utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        let parent = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Parses a batch file that stands in `/batch`.
func parse(_ text: String) throws(BatchFileError) -> BatchPlan {
    try BatchFile.parse(text, fileName: "batch.yaml", directory: "/batch")
}

/// The errors of a batch file, each as `line:column: message`.
func errors(of text: String) -> [String] {
    do {
        _ = try parse(text)
        return []
    } catch {
        return error.diagnostics.map { diagnostic in
            guard let line = diagnostic.line, let column = diagnostic.column else { return diagnostic.message }
            return "\(line):\(column): \(diagnostic.message)"
        }
    }
}

extension GroupPlan {
    /// The tasks that stand in the group itself.
    var tasks: [TaskPlan] {
        items.compactMap { if case .task(let task) = $0 { task } else { nil } }
    }

    var groups: [GroupPlan] {
        items.compactMap { if case .group(let group) = $0 { group } else { nil } }
    }
}

extension Work {
    /// What runs, as text: words with `|` between them, or the shell line, or the call.
    var shown: String {
        switch self {
        case .argv(let words): words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
        case .shell(let line): "sh: " + String(decoding: line, as: UTF8.self)
        case .call(let function, let arguments): "\(function)(\(String(decoding: arguments, as: UTF8.self)))"
        }
    }
}

/// Runs a program to its end and gives what it wrote.
func output(of program: String, _ arguments: [String], stdin: Data = Data()) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let input = Pipe()
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: stdin)
    try input.fileHandleForWriting.close()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return data
}
