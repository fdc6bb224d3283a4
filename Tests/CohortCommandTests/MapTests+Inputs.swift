internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("cohort map: inputs and replacements")
    struct MapInputTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        @Test(
            "Replacement strings",
            arguments: [
                ("echo {} {.} {/} {//} {/.}", "dir/file.txt dir/file file.txt dir file\n"),
                ("echo x", "x dir/file.txt\n"),
                ("echo {1} {1.} {1/} {1//} {1/.}", "dir/file.txt dir/file file.txt dir file\n"),
                ("echo {#}", "1\n"),
            ]
        )
        func replacements(command: String, expected: String) throws {
            let finished = try sandbox.cohort("map", command, ":::", "dir/file.txt")
            #expect(finished.standardOutput == expected)
            #expect(finished.code == 0)
        }

        @Test("{#} is the task's number, {%} one of the slots")
        func numbers() throws {
            let values = (1...12).map(String.init)
            let finished = try sandbox.start(
                ["cohort", "map", "-k", "-j", "3", "echo {#} {%}", ":::"] + values,
                input: []
            )
            .wait()
            let pairs = finished.lines.map { $0.split(separator: " ").compactMap { Int($0) } }
            #expect(pairs.map(\.first) == (1...12).map(Optional.some))
            #expect(pairs.allSatisfy { $0.count == 2 && (1...3).contains($0[1]) })
        }

        @Test("Several sources give every combination, the last varying fastest")
        func combinations() throws {
            let finished = try sandbox.cohort("map", "-k", "echo {1}{2}", ":::", "a", "b", ":::", "1", "2", "3")
            #expect(finished.lines == ["a1", "a2", "a3", "b1", "b2", "b3"])
        }

        @Test(":::+ links a source to the one before it")
        func linked() throws {
            let finished = try sandbox.cohort("map", "-k", "echo", "{1}-{2}", ":::", "a", "b", ":::+", "x", "y")
            #expect(finished.lines == ["a-x", "b-y"])
        }

        @Test(":::: reads arguments from a file, and - from standard input")
        func files() throws {
            try sandbox.write("list", "one two\nthree\n")
            let finished = try sandbox.cohort("map", "-k", "echo {2} {1}", "::::", "list", "-", input: "x\ny\n")
            #expect(finished.lines == ["x one two", "y one two", "x three", "y three"])
        }

        @Test("Arguments with blanks, quotes and dollars reach the command as they are")
        func quoting() throws {
            let hostile = ["a b", "it's", "$HOME", "`id`", "*", "a;b", "\\n", "-n", "x\ty", ""]
            let words = ["cohort", "map", "-k", "printf '[%s]\\n' {}", ":::"] + hostile
            let finished = try sandbox.start(words, input: []).wait()
            #expect(finished.standardOutput == hostile.map { "[\($0)]\n" }.joined())
            let direct = try sandbox.start(
                ["cohort", "map", "-k", "/usr/bin/printf", "[%s]", ":::"] + hostile,
                input: []
            ).wait()
            #expect(direct.standardOutput == hostile.map { "[\($0)]" }.joined())
        }

        @Test("File names that are not UTF-8 reach the command byte for byte, in lines, behind NUL and as arguments")
        func notUTF8() throws {
            let make = "mkdir d && cd d && for i in 1 2; do echo content $i > \"$(printf 'caf\\351 %s\\377' $i)\"; done"
            try sandbox.shell(make).expectSuccess()
            let both = "content 1\ncontent 2\n"
            #expect(try sandbox.shell("ls -N d | sort | (cd d && cohort map -k cat)").standardOutput == both)
            #expect(try sandbox.shell("find d -type f -print0 | sort -z | cohort map -0 -k cat").standardOutput == both)
            #expect(try sandbox.shell("cohort map -k 'cat {} | cat' ::: d/*").standardOutput == both)
            #expect(try sandbox.shell("cohort map -k cat ::: d/*").standardOutput == both)
        }

        @Test("The command may come from the arguments alone")
        func commandsAsArguments() throws {
            let finished = try sandbox.cohort("map", "-k", ":::", "echo one", "echo two | tr t T")
            #expect(finished.lines == ["one", "Two"])
        }

        @Test("--call takes a template of JSON")
        func callTemplate() throws {
            let plain = try sandbox.cohort("map", "-k", "--call", "demo.echo", ":::", "a b", "\"q\"")
            #expect(plain.lines == ["a b", "\"q\""])
            let object = try sandbox.cohort(
                "map",
                "-k",
                "--call",
                "demo.echo",
                #"{"n": "{1}", "m": ["{2}"]}"#,
                ":::",
                "x",
                ":::",
                "1",
                "2"
            )
            #expect(object.lines.count == 2)
            #expect(object.lines.first?.contains(#""x""#) == true)
            #expect(object.code == 0)
        }
    }
}
