/// A command that needs no shell: a program named in plain words, and arguments of plain words and values.
///
/// Starting the program directly saves the start of a shell, about half the cost of a short task. It is done only where the shell
/// would do nothing with the line but start that program with those arguments.
struct DirectWords: Equatable, Sendable {
    /// Words that a shell does not look up as programs, or runs itself with results of its own.
    private static let shellsOwn: Set<String> = [
        "!", ".", ":", "[", "[[", "]]", "alias", "bg", "bind", "break", "builtin", "caller", "case", "cd", "chdir",
        "command",
        "compgen", "complete", "compopt", "continue", "coproc", "declare", "dirs", "disown", "do", "done", "elif",
        "else",
        "enable", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "function", "getopts", "hash",
        "help",
        "history", "if", "in", "jobs", "kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd",
        "read",
        "readarray", "readonly", "return", "select", "set", "shift", "shopt", "source", "suspend", "test", "then",
        "time",
        "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
    ]

    /// One word of the command line; two values of an `.all` break it in two.
    private let words: [[CommandTemplate.Piece]]
    /// `echo` is the shell's own too, but differs from the program only in options and backslashes.
    private let isEcho: Bool

    /// The words of a command line, `nil` if it needs a shell.
    init?(_ pieces: [CommandTemplate.Piece]) {
        var words: [[CommandTemplate.Piece]] = []
        var word: [CommandTemplate.Piece] = []
        for piece in pieces {
            switch piece {
            case .replacement(.slot):
                return nil
            case .replacement:
                word.append(piece)
            case .literal(let bytes):
                guard bytes.allSatisfy(Self.isInert) else { return nil }
                let parts = bytes.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                for (index, part) in parts.enumerated() {
                    if index > 0 {
                        if !word.isEmpty { words.append(word) }
                        word = []
                    }
                    if !part.isEmpty { word.append(.literal(Array(part))) }
                }
            }
        }
        if !word.isEmpty { words.append(word) }
        guard let first = words.first, first.count == 1, case .literal(let program) = first[0],
            !program.contains(UInt8(ascii: "=")), !program.contains(UInt8(ascii: "%"))
        else { return nil }
        let name = String(decoding: program, as: UTF8.self)
        if Self.shellsOwn.contains(name) { return nil }
        isEcho = name == "echo"
        self.words = words
    }

    /// Bytes that mean themselves in a shell line, and the space that separates words.
    private static func isInert(_ byte: UInt8) -> Bool {
        ShellQuote.isPlain(byte) || "@%=:, ".utf8.contains(byte)
    }

    /// The program and its arguments; `nil` if these values are better left to the shell.
    func render(_ item: MapItem) -> [[UInt8]]? {
        var argv: [[UInt8]] = []
        for word in words {
            var current: [UInt8] = []
            for piece in word {
                switch piece {
                case .literal(let bytes): current += bytes
                case .replacement(.number): current += String(item.number).utf8
                case .replacement(.slot): return nil
                case .replacement(.source(let source, let part)): current += part.of(item.values[source])
                case .replacement(.all(let part)):
                    for (index, value) in item.values.enumerated() {
                        if index > 0 {
                            argv.append(current)
                            current = []
                        }
                        current += part.of(value)
                    }
                }
            }
            argv.append(current)
        }
        if isEcho,
            argv.dropFirst().contains(where: { $0.first == UInt8(ascii: "-") || $0.contains(UInt8(ascii: "\\")) })
        {
            return nil
        }
        return argv
    }
}
