internal import Foundation
internal import Testing

@testable internal import CohortBatch

@Suite("Shell quoting")
struct ShellQuoteTests {
    /// Taken from `parallel --dry-run echo ::: …`.
    @Test(
        "Words are quoted as GNU parallel quotes them",
        arguments: [
            ("a b", "'a b'"), ("it's", #"'it'"'"'s'"#), ("x;y", "'x;y'"), ("", "''"), ("*", "'*'"), ("ü", "'ü'"),
            ("~", "'~'"), ("-n", "-n"), ("a=b", "'a=b'"), ("a,b", "'a,b'"), ("a@b", "'a@b'"), ("a:b", "'a:b'"),
            ("a%b", "'a%b'"), ("a+b", "a+b"), ("a#b", "'a#b'"), ("a!b", "'a!b'"), ("{}", "'{}'"), ("a/b.c", "a/b.c"),
            ("a\tb", "'a\tb'"), ("''", #""'"''"'""#), ("'", #""'""#), ("'a", #""'"'a'"#), ("a'", #"'a'"'""#),
            ("a''b", #"'a'"'"''"'"'b'"#), ("\u{1}", "'\u{1}'"), ("\r", "'\r'"),
        ]
    )
    func parallel(word: String, quoted: String) {
        #expect(ShellQuote.quote(word) == quoted)
    }

    @Test("sh reads back every byte but NUL")
    func readsBack() throws {
        let every = (1...255).map { UInt8($0) }
        let words: [[UInt8]] = [
            every, [], Array("'".utf8), Array("''x''".utf8), every.reversed(), [0x27, 0x0A, 0x27], [0xFF],
        ]
        for word in words {
            let line = Array("printf %s ".utf8) + ShellQuote.quote(word)
            #expect(try output(of: "/bin/sh", ["-s"], stdin: Data(line)) == Data(word))
        }
    }
}
