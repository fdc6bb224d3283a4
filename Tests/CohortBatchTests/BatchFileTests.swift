internal import Testing

@testable internal import CohortBatch

@Suite("Batch files that are right")
struct BatchFileTests {
    private static let example = """
        group: nightly
        timeout: 10m
        on_error: cancel
        limit: 8
        grace: 5s
        tasks:
          - name: fetch
            run: [curl, -fsS, -o, data.json, "https://example.org/data.json"]
            timeout: 30s
            retries: {limit: 3, backoff: 1s}
          - name: score
            call: scoring.score
            args: {file: data.json}
            shield: true
          - group: thumbnails
            for_each: {file: [a.png, b c.png], size: [64, 128]}
            run: convert {file} -resize {size} thumbs/{size}-{file}
        """

    @Test("The example of the format gives the plan that it describes")
    func example() throws {
        let plan = try parse(Self.example)
        #expect(plan.warnings.isEmpty)
        let root = plan.root
        #expect(root.name == "nightly")
        #expect(root.timeout == .seconds(600))
        #expect(root.policy == .cancel)
        #expect(root.limit == 8)
        #expect(root.grace == .seconds(5))
        #expect(root.taskCount == 6)
        #expect(root.items.count == 3)

        let fetch = root.tasks[0]
        #expect(fetch.name == "fetch")
        #expect(fetch.work == .argv("curl", "-fsS", "-o", "data.json", "https://example.org/data.json"))
        #expect(fetch.timeout == .seconds(30))
        #expect(fetch.retries == RetryPlan(limit: 3, backoff: .seconds(1)))
        #expect(fetch.location == SourceLocation(file: "batch.yaml", line: 7, column: 5))

        let score = root.tasks[1]
        #expect(score.work == .call(function: "scoring.score", arguments: Array(#"{"file":"data.json"}"#.utf8)))
        #expect(score.shield)

        let thumbnails = try #require(root.groups.first)
        #expect(thumbnails.name == "thumbnails")
        #expect(
            thumbnails.tasks.map(\.name) == [
                "convert[file=a.png,size=64]", "convert[file=a.png,size=128]",
                "convert[file=b c.png,size=64]", "convert[file=b c.png,size=128]",
            ]
        )
        #expect(thumbnails.tasks[2].work == .shell("convert 'b c.png' -resize 64 thumbs/64-'b c.png'"))
    }

    @Test("JSON is the same format, surrogate pairs, escaped slashes and tabs included")
    func json() throws {
        let yaml = try parse("group: g\ntasks:\n- name: \"a/😀\"\n  run: [echo, 'x']\n  shield: true\n")
        let json = try parse(
            "{\n\t\"group\": \"g\",\n\t\"tasks\": [\n\t\t{\"name\": \"a\\/\\ud83d\\uDE00\", \"run\": [\"echo\", \"x\"],"
                + " \"shield\": true}\n\t]\n}"
        )
        #expect(json.root.name == yaml.root.name)
        #expect(json.root.tasks[0].name == "a/😀")
        #expect(json.root.tasks.map(\.work) == yaml.root.tasks.map(\.work))
        #expect(json.root.tasks[0].shield)
    }

    @Test("What a group sets holds for the tasks below it, and what is nearer wins")
    func inheritance() throws {
        let plan = try parse(
            """
            env: {A: 1, B: outer}
            cwd: work
            retries: 2
            task_timeout: 1m
            tasks:
              - run: [plain]
              - run: [own]
                env: {B: own, C: "3"}
                cwd: /abs/dir
                retries: 0
                timeout: 5s
              - group: inner
                env: {B: inner}
                cwd: ./sub//dir
                tasks:
                  - run: [nested]
                  - group: innermost
                    task_timeout: 2s
                    for_each: {v: [x]}
                    env: {D: "<{v}>"}
                    run: [expanded]
            """
        )
        let plain = plan.root.tasks[0]
        #expect(plain.environment == [.init(name: "A", value: "1"), .init(name: "B", value: "outer")])
        #expect(plain.workingDirectory == "/batch/work")
        #expect(plain.retries == RetryPlan(limit: 2))
        #expect(plain.timeout == .seconds(60))

        let own = plan.root.tasks[1]
        #expect(
            own.environment == [
                .init(name: "A", value: "1"), .init(name: "B", value: "own"), .init(name: "C", value: "3"),
            ]
        )
        #expect(own.workingDirectory == "/abs/dir")
        #expect(own.retries == RetryPlan())
        #expect(own.timeout == .seconds(5))

        let nested = plan.root.groups[0].tasks[0]
        #expect(nested.environment == [.init(name: "A", value: "1"), .init(name: "B", value: "inner")])
        #expect(nested.workingDirectory == "/batch/sub/dir")
        #expect(nested.timeout == .seconds(60))

        let expanded = plan.root.groups[0].groups[0].tasks[0]
        #expect(expanded.environment.last == .init(name: "D", value: "<x>"))
        #expect(expanded.workingDirectory == "/batch/sub/dir")
        #expect(expanded.timeout == .seconds(2))
        #expect(expanded.retries == RetryPlan(limit: 2))
    }

    @Test("Nothing is set where the file sets nothing")
    func defaults() throws {
        let root = try BatchFile.parse("tasks: [{run: ls}]", fileName: "dir/nightly.v2.yaml").root
        #expect(root.name == "nightly.v2")
        #expect(root.policy == .cancel)
        #expect(root.timeout == nil && root.limit == nil && root.grace == nil && !root.shield)
        let task = root.tasks[0]
        #expect(task.timeout == nil && task.workingDirectory == nil && task.stdin == nil && !task.shield)
        #expect(task.environment.isEmpty)
        #expect(task.retries == RetryPlan(limit: 0, backoff: .zero))
    }

    @Test(
        "A task without a name is called after what it runs",
        arguments: [
            ("run: [/usr/bin/env, ls]", "env"), ("run: make -j4 all", "make"), ("run: A=1 B=2 ./tool x", "tool"),
            ("run: (cd x; ls)", "sh"), ("run: '\"$X\" y'", "sh"), ("call: demo.echo", "demo.echo"),
            ("run: [/]", "task"), ("name: 5\n  run: ls", "5"),
        ]
    )
    func defaultName(task: String, name: String) throws {
        #expect(try parse("tasks:\n- \(task)").root.tasks[0].name == name)
    }

    @Test("Equal names get suffixes; only names that the file gave are warned of")
    func uniqueNames() throws {
        let plan = try parse(
            """
            tasks:
              - run: [ls]
              - run: [ls]
              - {name: "ls#2", run: [ls]}
              - {group: ls, tasks: [{run: [ls]}]}
              - {tasks: [{run: [ls]}]}
              - {tasks: [{run: [ls]}]}
            """
        )
        #expect(plan.root.tasks.map(\.name) == ["ls", "ls#2", "ls#2#2"])
        #expect(plan.root.groups.map(\.name) == ["ls#3", "group", "group#2"])
        #expect(plan.root.groups[0].tasks.map(\.name) == ["ls"])
        #expect(
            plan.warnings.map(\.headline) == [
                "batch.yaml:4:12: the name 'ls#2' is taken in this group; this one is called 'ls#2#2'",
                "batch.yaml:5:13: the name 'ls' is taken in this group; this one is called 'ls#3'",
            ]
        )
    }

    @Test("A timeout that an earlier deadline hides is warned of")
    func hiddenTimeout() throws {
        let plan = try parse("timeout: 1m\ntasks:\n- {run: ls, timeout: 1h}\n- {run: ls, timeout: 1m}\n")
        #expect(
            plan.warnings.map(\.headline) == [
                "batch.yaml:3:22: this timeout of 1h can never fire: a group around it ends after 1m"
            ]
        )
    }

    @Test("Aliases stand for what they name, scalars and whole tasks")
    func aliases() throws {
        let plan = try parse("tasks:\n- &t {run: [echo, &w '*w']}\n- *t\n- run: [echo, *w]\n- run: ls *foo *bar:x\n")
        #expect(plan.root.tasks.map(\.work.shown) == ["echo|*w", "echo|*w", "echo|*w", "sh: ls *foo *bar:x"])
    }

    @Test(
        "Arguments of calls are JSON, typed by YAML 1.2's core schema, keys in order",
        arguments: [
            ("{b: 1, a: 2}", #"{"b":1,"a":2}"#),
            ("[no, yes, off, 2024-01-01, 12:30]", #"["no","yes","off","2024-01-01","12:30"]"#),
            ("[true, False, null, ~, ]", "[true,false,null,null]"),
            (
                "[0x1F, 0o17, 007, +5, -0, 123456789012345678901234567890]",
                "[31,15,7,5,-0,123456789012345678901234567890]"
            ),
            ("[1.50, .5, 5., -1e3, 1E+2]", "[1.50,0.5,5.0,-1.0e3,1.0e+2]"),
            ("['1', \"true\", !!str 1, ! 2]", #"["1","true","1","2"]"#),
            ("[1_000, 0x, 1.2.3, '', 0x_1, -]", #"["1_000","0x","1.2.3","","0x_1","-"]"#),
            (#""q\"\\\n\t\u0001ü""#, #""q\"\\\n\t\u0001ü""#),
            ("{}", "{}"), ("[]", "[]"), ("", "null"), ("{1: x, true: y}", #"{"1":"x","true":"y"}"#),
        ]
    )
    func arguments(yaml: String, json: String) throws {
        let plan = try parse("tasks:\n- call: f\n  args: \(yaml)\n")
        #expect(plan.root.tasks[0].work.shown == "f(\(json))")
    }

    @Test("A call without arguments passes null")
    func noArguments() throws {
        #expect(try parse("tasks: [{call: f}]").root.tasks[0].work.shown == "f(null)")
    }

    @Test("A byte order mark and Windows line ends do no harm")
    func windows() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("w.yaml", "\u{FEFF}tasks:\r\n- run: [ls]\r\n  stdin: |\r\n    a\r\n    b\r\n")
        let task = try BatchFile.load(path: path).root.tasks[0]
        #expect(task.stdin == "a\nb\n")
    }

    @Test("Relative paths start at the directory of the file")
    func directoryOfFile() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("sub/b.yaml", "cwd: here\ntasks:\n- run: [ls]\n- {run: [ls], cwd: ../there}\n")
        let tasks = try BatchFile.load(path: path).root.tasks
        #expect(tasks[0].workingDirectory == directory.path + "/sub/here")
        #expect(tasks[1].workingDirectory == directory.path + "/sub/../there")
    }
}
