internal import Foundation
internal import Testing

@testable internal import CohortBatch

@Suite("Command templates of map")
struct CommandTemplateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var command: [String]
        /// One value a source.
        var values: [String]
        var line: String

        init(_ command: [String], _ values: [String], _ line: String) {
            self.command = command
            self.values = values
            self.line = line
        }

        var testDescription: String { "\(command) \(values)" }
    }

    /// What `parallel -k --dry-run` prints for these.
    static let cases: [Case] = [
        Case(["echo"], ["a b"], "echo 'a b'"),
        Case(["echo"], ["a", "1"], "echo a 1"),
        Case(["echo", "{}", "|", "wc"], ["a b"], "echo 'a b' | wc"),
        Case(["echo {} | wc"], ["a b"], "echo 'a b' | wc"),
        Case(["echo", "a  b", "{}"], ["1"], "echo a  b 1"),
        Case(["echo", "it's", "{}"], ["1"], "echo it's 1"),
        Case(["echo \"{}\""], ["a b"], "echo \"'a b'\""),
        Case(["echo", "{}{}", "x{}y"], ["a b"], "echo 'a b''a b' x'a b'y"),
        Case([], ["echo 1"], "echo 1"),
        Case([], ["echo 1", "a b"], "echo 1 a b"),
        Case(["{}"], ["echo 1"], "echo 1"),
        Case(["{}", "{}"], ["echo 1"], "echo 1 echo 1"),
        Case(["{1}", "{2}"], ["echo 1", "a b"], "echo 1 a b"),
        Case([" {}"], ["echo 1"], " 'echo 1'"),
        Case(["{.}"], ["echo 1.x"], "echo 1"),
        Case(["./{}"], ["a b"], "./a b"),
        Case(["a;{}"], ["a b"], "a;a b"),
        Case(["a\t{}"], ["a b"], "a\t'a b'"),
        Case(["x{}y{.}"], ["a b", "e f.g"], "xa b e f.gya b e f"),
        Case(["sh -c {}"], ["echo 1"], "sh -c 'echo 1'"),
        Case(["echo", "{", "}", "{a}", "{1"], ["x"], "echo { } {a} {1 x"),
        Case(["echo", "{#}"], ["x"], "echo 1"),
        Case(["echo", "{1}"], ["x", "y"], "echo x"),
        Case(
            ["echo", "{1}", "{2}", "{1.}", "{2/}", "{1//}", "{1/.}"],
            ["a/b.c", "x/y.z"],
            "echo a/b.c x/y.z a/b y.z a b"
        ),
        Case(["echo", "{-1.}", "{-2/}", "{+}"], ["a.b", "c/d"], "echo c/d a.b {+}"),
        Case(
            ["echo {1..} {.1} {1.//} {01} {##} {/..} {//.} {///}"],
            ["q/a.b"],
            "echo {1..} {.1} {1.//} q/a.b {##} {/..} {//.} {///}"
        ),
        Case(["A=1 echo", "{}"], ["x"], "A=1 echo x"),
        Case(["echo", "{}", ">", "{.}.out"], ["x.y"], "echo x.y > x.out"),
        Case(["echo", "", "{}"], ["x"], "echo  x"),
        Case(["echo", "{}", ""], ["x"], "echo x "),
        Case(["echo  "], ["x"], "echo   x"),
        Case(["echo; "], ["x"], "echo;  x"),
        Case(["echo 'a {} b'"], ["x y"], "echo 'a 'x y' b'"),
    ]

    /// A path, and what `parallel -k --dry-run echo {.} {/} {//} {/.}` prints for it after `echo`.
    static let paths = [
        ("a/b/c.tar.gz", "a/b/c.tar c.tar.gz a/b c.tar"), ("foo.txt", "foo foo.txt . foo"), ("/x/y", "/x/y y /x y"),
        ("noext", "noext noext . noext"), (".hidden", "'' .hidden . ''"), ("dir.d/file", "dir.d/file file dir.d file"),
        ("a/.hid", "a/ .hid a ''"), ("", "'' '' . ''"), ("/", "/ '' / ''"), ("a/", "a/ '' . ''"),
        ("sp ace/f.x", "'sp ace/f' f.x 'sp ace' f"), ("a.", "a a. . a"), ("a..", "a. a.. . a."), ("..", ". .. . ."),
        ("../x", "../x x .. x"), ("a//b", "a//b b a b"), ("//x", "//x x / x"), ("/x/", "/x/ '' / ''"),
        ("a///b//", "a///b// '' a ''"), ("//", "// '' / ''"), ("a./b", "a./b b a. b"), ("a.b.c", "a.b a.b.c . a.b"),
    ]

    /// The cases on which the manual is silent: what is quoted where the first word holds a value, and several sources.
    static let subtleCases = cases.filter { test in
        test.values.count > 1
            || test.command.first.map { $0.split(separator: " ").first?.contains("{") ?? false } ?? true
    }

    private func template(_ command: [String], sources: Int) throws -> CommandTemplate {
        try CommandTemplate(command: command, sourceCount: sources)
    }

    private func item(_ values: [String], number: Int = 1) -> MapItem {
        MapItem(number: number, values: values.map { Array($0.utf8) })
    }

    @Test("Lines are those of GNU parallel", arguments: cases)
    func lines(test: Case) throws {
        let template = try template(test.command, sources: test.values.count)
        #expect(String(decoding: template.render(item(test.values)), as: UTF8.self) == test.line)
    }

    @Test("The parts of a path are those of GNU parallel", arguments: paths)
    func parts(path: String, line: String) throws {
        let template = try template(["echo", "{.}", "{/}", "{//}", "{/.}"], sources: 1)
        #expect(String(decoding: template.render(item([path])), as: UTF8.self) == "echo " + line)
    }

    private static let parallel = "/usr/bin/parallel"
    private static let options = ["--will-cite", "-k", "--dry-run"]

    @Test(
        "The parallel on this machine prints the same lines",
        .enabled(if: FileManager.default.isExecutableFile(atPath: parallel)),
        arguments: subtleCases
    )
    func realParallel(test: Case) throws {
        let sources = test.values.flatMap { [":::", $0] }
        let printed = try output(of: Self.parallel, Self.options + test.command + sources)
        #expect(String(decoding: printed, as: UTF8.self) == test.line + "\n")
    }

    @Test(
        "The parallel on this machine takes paths apart in the same way",
        .enabled(if: FileManager.default.isExecutableFile(atPath: parallel))
    )
    func realParallelPaths() throws {
        let command = ["echo", "{.}", "{/}", "{//}", "{/.}", ":::"]
        let printed = try output(of: Self.parallel, Self.options + command + Self.paths.map(\.0))
        #expect(String(decoding: printed, as: UTF8.self) == Self.paths.map { "echo \($0.1)\n" }.joined())
    }

    @Test(
        "A position that no source has is refused",
        arguments: [
            ("{3}", "'{3}' names no input source: there are 2 input sources, counted from 1"),
            ("{0.}", "'{0.}' names no input source: there are 2 input sources, counted from 1"),
            ("{-3}", "'{-3}' names no input source: there are 2 input sources, counted from 1"),
            (
                "{99999999999999999999/}",
                "'{99999999999999999999/}' names no input source: there are 2 input sources, counted from 1"
            ),
        ]
    )
    func positions(text: String, message: String) {
        #expect(throws: TemplateError(message)) { try template(["echo", text], sources: 2) }
    }

    @Test("The slot is expanded by the shell that runs the line, inside quotes of any kind")
    func slot() throws {
        let template = try template(["echo {%} 'a {%}' \"b {%}\" \\' {%}"], sources: 1)
        #expect(template.needsSlot)
        guard case .shell(let line) = template.renderedWork(for: item(["x"])) else {
            Issue.record("a slot needs a shell")
            return
        }
        let script = "COHORT_SLOT=7\n" + String(decoding: line, as: UTF8.self)
        #expect(try String(decoding: output(of: "/bin/sh", ["-c", script]), as: UTF8.self) == "7 a 7 b 7 ' 7\n")
        #expect(try self.template(["echo", "{}"], sources: 1).needsSlot == false)
    }

    @Test(
        "A plain command is run without a shell",
        arguments: [
            (["convert", "{}", "-o", "{.}.png"], ["a b.jpg"], "convert|a b.jpg|-o|a b.png"),
            (["cat"], ["$(x)`y`'\"\\;*"], "cat|$(x)`y`'\"\\;*"),
            (["cat", "x{}y"], ["a b", "c"], "cat|xa b|cy"),
            (["/bin/cp  {2}   {1//}"], ["d/e", ""], "/bin/cp||d"),
            (["./tool", "--k={}", "a=b", "@f", "50%", "x,y:z"], ["v"], "./tool|--k=v|a=b|@f|50%|x,y:z"),
            (["echo"], ["a b"], "echo|a b"), (["tool", "{#}"], ["v"], "tool|1"),
            (["/usr/bin/printf", "{}"], ["v"], "/usr/bin/printf|v"),
        ]
    )
    func direct(command: [String], values: [String], argv: String) throws {
        let work = try template(command, sources: values.count).renderedWork(for: item(values))
        #expect(work.shown == argv)
    }

    @Test(
        "Whatever a shell could take otherwise is left to it",
        arguments: [
            ["cat {} | wc"], ["cat", "{};"], ["cat", "$HOME", "{}"], ["cat", "*", "{}"], ["cat", "~/x", "{}"],
            ["A=1", "cat"],
            ["cat", "\"{}\""], ["cat", "{a,b}"], ["cat", "#", "{}"], ["cat\n{}"], ["cat\t{}"], ["cat > {}"], ["cd"],
            ["exit"],
            ["test", "-f"], ["[", "{}", "]"], ["kill"], ["."], ["time", "ls"], ["!", "ls"], ["printf"], ["pwd"], ["{}"],
            ["./{}"], [], ["cat", "{%}"], ["%1"], [" {}"], ["cat", "a\\ b"], ["cat", "ü"], ["command", "ls"], ["x{}"],
        ]
    )
    func shell(command: [String]) throws {
        guard case .shell = try template(command, sources: 1).renderedWork(for: item(["v"])) else {
            Issue.record("\(command) runs without a shell")
            return
        }
    }

    @Test("echo is left to the shell where the program echo could differ", arguments: ["-n", "a\\nb", "-"])
    func echo(value: String) throws {
        let template = try template(["echo"], sources: 1)
        #expect(template.renderedWork(for: item([value])) == .shell(template.render(item([value]))))
    }

    @Test("With and without a shell, a program gets the same arguments")
    func sameArguments() throws {
        let directory = try TemporaryDirectory()
        let program = directory.path + "/show"
        try directory.write("show", "#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let values = [
            "a b", "", "$HOME", "`x`", "it's", "\\", "-n", "*", "~", "ü", "\t", "a\nb", "#", "{}", "a=b", "!x",
        ]
        for command in [
            [program], [program, "{}", "{/}"], [program, "x{}y", "{1}={#}"], [program, "-a", "{.}", "k={//}"],
        ] {
            let template = try template(command, sources: 2)
            for value in values {
                let item = item([value, "z"])
                guard case .argv(let words) = template.renderedWork(for: item) else {
                    Issue.record("\(command) needs a shell")
                    continue
                }
                let arguments = words.dropFirst().map { String(decoding: $0, as: UTF8.self) }
                let direct = try output(of: program, Array(arguments))
                let shell = try output(of: "/bin/sh", ["-s"], stdin: Data(template.render(item)))
                #expect(direct == shell, "\(command) \(value)")
            }
        }
    }

    @Test("Bytes that are no UTF-8 reach the program in both ways")
    func bytes() throws {
        let item = MapItem(number: 1, values: [[0xFF, 0x2F, 0xFE, 0x2E, 0x61]])
        let direct = try template(["cat", "{/}"], sources: 1)
        #expect(direct.renderedWork(for: item) == .argv([Array("cat".utf8), [0xFE, 0x2E, 0x61]]))
        let shell = try template(["cat;", "{//}"], sources: 1)
        #expect(shell.renderedWork(for: item) == .shell(Array("cat; '".utf8) + [0xFF, 0x27]))
    }
}
