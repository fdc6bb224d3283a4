/// A command for a `ProcessLoop`.
package struct CommandSpec: Sendable {
    /// Bytes, as a file's name need not be text.
    package enum Program: Sendable {
        /// argv; the first is a path, or a name to be found in PATH.
        case words([[UInt8]])
        /// A line for `/bin/sh -c`.
        case line([UInt8])

        package static func arguments(_ arguments: [String]) -> Program { .words(arguments.map { Array($0.utf8) }) }

        package static func shell(_ line: String) -> Program { .line(Array(line.utf8)) }
    }

    package var program: Program
    /// Set on top of the loop's base environment, in this order.
    package var environment: [(String, String)]
    /// nil for the loop's own.
    package var workingDirectory: String?
    /// Bytes for the standard input, closed after them; nil for /dev/null. A command that leaves some unread is no error.
    package var standardInput: [UInt8]?
    /// How many bytes of output are reported before the first `grant`.
    package var outputCredit: Int
    /// Called on the loop's thread just before the program is started: after it, nobody can say that it did not begin.
    package var willStart: (@Sendable () -> Void)?

    package static var defaultOutputCredit: Int { 64 * 1024 }

    package init(
        _ program: Program,
        environment: [(String, String)] = [],
        workingDirectory: String? = nil,
        standardInput: [UInt8]? = nil,
        outputCredit: Int = CommandSpec.defaultOutputCredit
    ) {
        self.program = program
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.standardInput = standardInput
        self.outputCredit = outputCredit
    }

    var words: [[UInt8]] {
        switch program {
        case .words(let words): words
        case .line(let line): [Array("/bin/sh".utf8), Array("-c".utf8), line]
        }
    }
}
