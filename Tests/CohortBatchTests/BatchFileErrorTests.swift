internal import Testing

@testable internal import CohortBatch

@Suite("Batch files that are wrong")
struct BatchFileErrorTests {
    @Test("An error shows its place, its line and what to do")
    func description() throws {
        let error = #expect(throws: BatchFileError.self) {
            try parse("tasks:\n  - run: ls\n    # why\n    timout: 5\n")
        }
        #expect(
            error?.description == """
                batch.yaml:4:5: unknown key 'timout' in a task; did you mean 'timeout'?
                  4 |     timout: 5
                    |     ^
                """
        )
    }

    @Test("The caret stands under its column behind tabs, wide lines are cut, control characters are not shown")
    func frame() throws {
        let source = SourceText(fileName: "f", text: "a\tb\u{1B}c\u{85}" + String(repeating: "x", count: 300) + "y")
        #expect(source.diagnostic(line: 1, column: 5, "m").frame == "  1 | a\tb?c\n    |  \t  ^")
        let cut = try #require(source.diagnostic(line: 2, column: 301, "m").frame)
        #expect(
            cut == "  2 | " + String(repeating: "x", count: 80) + "y\n    | " + String(repeating: " ", count: 80) + "^"
        )
    }

    @Test("All errors of a file are told at once, in its order, and at most twenty of them")
    func collects() throws {
        #expect(
            errors(of: "limit: 0\ntasks:\n- run: ls\n  shield: yes\n  retries: a\n- run: [x, ~]\n  name: [1]\n") == [
                "1:8: 'limit' must be between 1 and 1000000, not 0",
                "4:11: 'shield' must be true or false, not 'yes'",
                "5:12: 'retries' must be a whole number, not 'a'",
                "6:12: an argument in 'run' is empty: write '' if that is meant",
                "7:9: 'name' must be text, not a list",
            ]
        )
        let many = "tasks:\n" + String(repeating: "- {run: ls, shield: 1}\n", count: 50)
        let error = #expect(throws: BatchFileError.self) { try parse(many) }
        #expect(error?.diagnostics.count == 20)
        #expect(error?.isTruncated == true)
        #expect(error?.description.hasSuffix("\nonly the first 20 errors are shown") == true)
    }

    @Test(
        "Keys",
        arguments: [
            ("tasks: [{run: ls, grop: x}]", "1:19: unknown key 'grop' in a task; did you mean 'group'?"),
            ("tasks: [{run: ls, command: x}]", "1:19: unknown key 'command' in a task; did you mean 'run'?"),
            (
                "tasks: [{run: ls, frobnicate: 1}]",
                "1:19: unknown key 'frobnicate' in a task; it can have "
                    + "name, run, call, args, timeout, retries, shield, env, cwd, stdin, for_each"
            ),
            ("taks: [{run: ls}]", "1:1: unknown key 'taks' in a group; did you mean 'tasks'?"),
            (
                "tasks: [{run: ls, retries: {limit: 1, backof: 1}}]",
                "1:39: unknown key 'backof' in 'retries'; did you mean 'backoff'?"
            ),
            ("tasks:\n- run: ls\n  \"run\": x\n", "3:3: duplicate key 'run': line 2 has it already; remove one"),
            ("tasks: [{run: a, run: b}]", "1:10: duplicate key 'run': remove one"),
            ("tasks:\n- run: ls\n  !x run: b\n", "3:3: duplicate key 'run' in a task: remove one"),
            ("tasks:\n- run: ls\n  [a]: b\n", "3:3: a key in a task must be a word, not a list or a map"),
            (
                "tasks:\n- &x {run: ls}\n- <<: *x\n",
                "3:3: merge keys (<<) are not supported: write the keys out; "
                    + "env, cwd, retries and task_timeout of a group hold for all of its tasks"
            ),
            ("tasks:\n- run: ls\n  timeout:\n", "3:3: 'timeout' has no value: write one or remove the key"),
        ]
    )
    func keys(text: String, message: String) {
        #expect(errors(of: text) == [message])
    }

    @Test(
        "Tasks and groups",
        arguments: [
            ("tasks: []", "1:1: 'tasks' is empty: a group needs at least one task"),
            ("tasks:", "1:1: 'tasks' has no value: write one or remove the key"),
            ("group: g", "1:1: a group needs 'tasks', or 'for_each' with 'run' or 'call'"),
            ("[a]", "1:1: a batch file is a map, not a list: put the list under 'tasks:'"),
            ("5", "1:1: a batch file is a map, not a number: start with 'tasks:'"),
            ("tasks:\n-\n", "2:2: an empty task: give it 'run' or 'call', or remove it"),
            ("tasks:\n- ls -l\n", "2:3: a task is a map, not text: write 'run: …' or 'call: …'"),
            ("tasks: {a: 1}", "1:8: 'tasks' must be a list, not a map: start each with '- '"),
            ("tasks: [{name: x}]", "1:9: a task needs 'run' (a command) or 'call' (a function)"),
            ("tasks: [{run: ls, call: f}]", "1:19: a task has either 'run' or 'call', not both: remove one"),
            ("tasks: [{run: ls, args: 1}]", "1:19: 'args' belongs to 'call': put a command's arguments into 'run'"),
            (
                "tasks: [{call: f, stdin: x}]",
                "1:10: a call has no standard input: remove 'stdin', or pass it in 'args'"
            ),
            (
                "tasks: [{group: g, run: ls}]",
                "1:20: 'run' in a group needs 'for_each': add it, or put a task under 'tasks'"
            ),
            (
                "tasks: [{run: ls, on_error: first}]",
                "1:10: 'run' in a group, which this is because of 'on_error', needs 'for_each': "
                    + "add it, or put a task under 'tasks'"
            ),
            (
                "tasks: [{group: g, for_each: {a: [1]}, tasks: [{run: ls}]}]",
                "1:40: a group has either 'tasks' or 'for_each' with 'run' or 'call': remove one"
            ),
            (
                "tasks: [{group: g, for_each: {a: [1]}}]",
                "1:9: a group with 'for_each' needs 'run' (a command) or 'call' (a function)"
            ),
        ]
    )
    func shape(text: String, message: String) {
        #expect(errors(of: text) == [message])
    }

    @Test(
        "Values of a task",
        arguments: [
            ("run: []", "2:8: 'run' is empty: write a program and its arguments"),
            ("run: ' '", "2:8: 'run' is empty: write a command"),
            ("run: ['']", "2:9: the program's name is empty: name a program"),
            ("run: {a: b}", "2:8: 'run' must be a list or a shell line, not a map"),
            ("run: [a, [b]]", "2:12: an argument in 'run' must be text, not a list"),
            (
                "run: [a, {f}]",
                "2:12: an argument in 'run' must be text, not a map: YAML reads braces as a map, so write \"{f}\""
            ),
            ("run: \"a\\0b\"", "2:8: 'run' has a NUL character, which no program can be given: remove it"),
            (
                "{run: ls, timeout: 5x}",
                "2:22: bad duration '5x': use a number of seconds or a number with ms, s, m, h, d"
            ),
            ("{run: ls, timeout: 0}", "2:22: 'timeout' must be longer than 0: remove the key if there is none"),
            ("{run: ls, retries: 1.5}", "2:22: 'retries' must be a whole number, not '1.5'"),
            ("{run: ls, retries: {limit: -1}}", "2:30: 'limit' must be between 0 and 1000000, not -1"),
            (
                "{run: ls, retries: {backoff: 1s}}",
                "2:13: 'retries' needs 'limit': how many attempts may follow the first"
            ),
            ("{run: ls, name: \"a\\nb\"}", "2:19: 'name' must be one line without control characters"),
            ("{run: ls, cwd: ''}", "2:18: 'cwd' is empty: write something or remove the key"),
            ("{run: ls, env: [a]}", "2:18: 'env' must be a map of names to values, not a list"),
            ("{run: ls, env: {A=B: 1}}", "2:19: 'A=B' cannot name an environment variable"),
            ("{run: ls, env: {A: }}", "2:22: 'A' is empty: write '' if that is meant"),
            ("{run: ls, name: !!binary x}", "2:19: the tag 'tag:yaml.org,2002:binary' does not fit here: remove it"),
            ("{call: f, args: .inf}", "2:19: JSON cannot say '.inf': quote it to pass it as text"),
            ("{call: f, args: !!int x}", "2:19: the tag 'tag:yaml.org,2002:int' does not fit here: remove it"),
        ]
    )
    func values(task: String, message: String) {
        #expect(errors(of: "tasks:\n- \(task)\n") == [message])
    }

    @Test(
        "for_each",
        arguments: [
            ("{}", "2:4: 'for_each' is empty: write 'for_each: {name: [a, b]}'"),
            ("[a]", "2:14: 'for_each' must be a map, not a list: write 'for_each: {name: [a, b]}'"),
            ("{a: []}", "2:18: the list of 'a' is empty: nothing would run"),
            ("{a-b: [1]}", "2:15: 'a-b' cannot name a variable: use letters, digits and _"),
            ("{a: 5}", "2:18: 'a' needs a list or a glob pattern: write [5]"),
            ("{a: [[1]]}", "2:19: a value of 'a' must be text, not a list"),
            ("{a: {range: [2, 1]}}", "2:26: 'range' counts up, and 2 is more than 1: swap them"),
            ("{a: {range: [1]}}", "2:26: 'range' must be a list of two whole numbers, such as [1, 9]"),
            (
                "{a: {range: [0, 1000000]}}",
                "2:26: 'range' has 1000001 values, and at most 1000000 tasks are allowed"
            ),
            (
                "{a: {range: [1, 2], from_file: x}}",
                "2:18: 'a' needs a list, a glob pattern, {range: [1, 9]} or {from_file: path}"
            ),
            ("{a: {from_file: /no/such}}", "2:30: '/no/such': no such file"),
            (
                "{a: /no/such/*}",
                "2:18: no file in \(FilePath.current()) matches the glob pattern '/no/such/*'; "
                    + "write [/no/such/*] if a value is meant"
            ),
            (
                "{a: '*'}, cwd: 'x{a}'",
                "2:18: a glob pattern is looked up in 'cwd', which depends on the variables here: write a list"
            ),
            (
                "{file: [a], size: [1]}, name: 'x{flie}'",
                "2:44: unknown variable '{flie}': 'for_each' has {file}, {size}; did you mean '{file}'? "
                    + "(write '{{flie}}' for the text)"
            ),
        ]
    )
    func forEach(value: String, message: String) {
        #expect(errors(of: "tasks:\n- {for_each: \(value), run: ls}\n") == [message])
    }

    @Test("A bare variable in YAML's braces is told apart from a map")
    func bracedVariable() throws {
        let text = "tasks: [{for_each: {n: [1]}, call: f, args: {a: {n}}}]"
        #expect(errors(of: text) == ["1:49: YAML reads these braces as a map: write \"{n}\""])
        let map = try parse("tasks:\n- for_each: {n: [1]}\n  call: f\n  args:\n    n:\n")
        #expect(map.root.tasks[0].work.shown == #"f({"n":null})"#)
    }

    @Test("A program whose name a variable leaves empty is an error")
    func emptyProgram() {
        #expect(
            errors(of: "tasks: [{for_each: {v: ['']}, run: ['{v}', x]}]")
                == ["1:36: the program's name is empty for task[v=]: name a program"]
        )
    }

    @Test(
        "Syntax",
        arguments: [
            (
                "tasks:\n\t- run: ls\n",
                "2:1: not valid YAML: while scanning for the next token: found character that cannot start any token; "
                    + "indent with spaces, not with tabs"
            ),
            (
                "tasks:\n- run: `ls`\n",
                "2:8: not valid YAML: while scanning for the next token: found character that cannot start any token; "
                    + "quote the text that starts with '`'"
            ),
            (
                "tasks:\n- run: a: b\n",
                "2:9: not valid YAML: mapping values are not allowed in this context; "
                    + "check the indentation, or quote the text if ': ' belongs to it"
            ),
            (
                "{\"a\": 1",
                "1:8: not valid YAML: while parsing a flow mapping: did not find expected ',' or '}'"
            ),
            (
                "tasks: [{run: ls}]\n---\ntasks: []\n",
                "2:1: a second document starts here: a file holds one, so put each in a file of its own"
            ),
            (
                "tasks:\n- *x\n",
                "2:3: this alias has no anchor before it: define '&name' first, or quote the text"
            ),
            (
                "tasks:\n- run: *glob.png\n",
                "2:8: '*glob' is an alias and nothing may follow it: quote the text if it is none"
            ),
            ("tasks:\n- &a {run: ls}\n- {*a : 1}\n", "3:4: an alias cannot be a key: write the key out"),
            ("tasks:\n- &a x\n- ? [*a, *a]\n  : 1\n", "3:5: a key must be a word, not a list or a map"),
            ("a: 1\nb: \u{1}\n", "2:4: not valid YAML: control characters are not allowed"),
        ]
    )
    func syntax(text: String, message: String) {
        #expect(errors(of: text) == [message])
    }

    @Test("A file that cannot be read says why", arguments: ["", "# only a comment\n", "---\n", "~"])
    func empty(text: String) {
        #expect(errors(of: text) == ["it is empty: a batch file needs 'tasks'"])
    }

    @Test("Files that are none")
    func files() throws {
        let directory = try TemporaryDirectory()
        let binary = try directory.write("binary.yaml", [0x7F, 0x45, 0x4C, 0x46, 0, 1])
        let latin = try directory.write("latin.yaml", [0x61, 0x3A, 0x20, 0xE4])
        let missing = directory.path + "/missing.yaml"
        for (path, message) in [
            (binary, "it is not a text file: save it as UTF-8 text"),
            (latin, "it is not a text file: save it as UTF-8 text"),
            (missing, "no such file"),
            (directory.path, "it is a directory, and a file is needed"),
            ("", "this is no file name"),
        ] {
            let error = #expect(throws: BatchFileError.self) { try BatchFile.load(path: path) }
            #expect(error?.description == "\(path): \(message)")
        }
    }
}
