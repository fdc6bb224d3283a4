internal import Testing

@testable internal import CohortBatch

@Suite("for_each")
struct ForEachTests {
    @Test("A task expands in its place, the first variable varying slowest")
    func inPlace() throws {
        let tasks = try parse(
            """
            tasks:
              - run: [before]
              - for_each: {a: [1, 2], b: [x, "y z"]}
                run: [echo, "{a}-{b}", "{b}"]
              - run: [after]
            """
        ).root.tasks
        #expect(
            tasks.map(\.work.shown) == [
                "before", "echo|1-x|x", "echo|1-y z|y z", "echo|2-x|x", "echo|2-y z|y z", "after",
            ]
        )
        #expect(tasks[2].name == "echo[a=1,b=y z]")
    }

    @Test("Variables go into every text field; a name that has them is taken as it is")
    func fields() throws {
        let task = try parse(
            """
            tasks:
              - for_each: {v: [a b]}
                name: "job-{v}"
                run: echo {v}
                stdin: "in {v}"
                env: {X: "<{v}>"}
                cwd: dir-{v}
            """
        ).root.tasks[0]
        #expect(task.name == "job-a b")
        #expect(task.work == .shell("echo 'a b'"))
        #expect(task.stdin == "in a b")
        #expect(task.environment == [.init(name: "X", value: "<a b>")])
        #expect(task.workingDirectory == "/batch/dir-a b")
    }

    @Test("A name without variables gets the values, so that names differ")
    func plainName() throws {
        let tasks = try parse("tasks: [{name: job, for_each: {v: [1, 1]}, run: [ls]}]").root.tasks
        #expect(tasks.map(\.name) == ["job[v=1]", "job[v=1]#2"])
    }

    @Test("In arguments, a string that is only a variable has the value's type; within text it is text")
    func typedArguments() throws {
        let work = try parse(
            #"tasks: [{for_each: {n: [64, "64", true, 0x10, q"q]}, call: f, args: {v: "{n}", t: "n={n}", "{n}": [1]}}]"#
        ).root.tasks.map(\.work.shown)
        #expect(
            work == [
                #"f({"v":64,"t":"n=64","{n}":[1]})"#, #"f({"v":"64","t":"n=64","{n}":[1]})"#,
                #"f({"v":true,"t":"n=true","{n}":[1]})"#, #"f({"v":16,"t":"n=0x10","{n}":[1]})"#,
                #"f({"v":"q\"q","t":"n=q\"q","{n}":[1]})"#,
            ]
        )
    }

    @Test(
        "Only names in braces are variables; pairs of braces are braces",
        arguments: [
            ("{v}", "V"), ("a{v}b{v}", "aVbV"), ("{{v}}", "{v}"), ("{{{v}}}", "{V}"), ("{{other}}", "{other}"),
            ("{print $1}", "{print $1}"), ("{}", "{}"), ("{", "{"), ("}", "}"), ("{v", "{v"), ("v}", "v}"),
            ("{\"k\": {v}}", "{\"k\": V}"), ("{{v}", "{V"), ("{1}", "{1}"), ("{a,b}", "{a,b}"), ("", ""),
            ("{ v }", "{ v }"),
        ]
    )
    func braces(text: String, expected: String) throws {
        let template = try BraceTemplate(text, variables: ["v"])
        #expect(template.render([ForEach.Value(text: "V")]) == expected)
    }

    @Test("In a shell line ${name} is the shell's, elsewhere it is a mistake")
    func shellParameters() throws {
        let line = try BraceTemplate("echo ${v} ${HOME} $v {v}", variables: ["v"], isShellLine: true)
        #expect(line.render([ForEach.Value(text: "V")], quoted: true) == "echo ${v} ${HOME} $v V")
        #expect(throws: BraceTemplate.UnknownVariable.self) {
            try BraceTemplate("${HOME}", variables: ["v"])
        }
    }

    @Test("Without for_each braces mean nothing")
    func noVariables() throws {
        #expect(try parse("tasks: [{run: \"awk {x} {{y}}\"}]").root.tasks[0].work == .shell("awk {x} {{y}}"))
    }

    @Test("A range counts both of its ends")
    func range() throws {
        let tasks = try parse("tasks: [{for_each: {i: {range: [-1, 2]}}, call: f, args: '{i}'}]").root.tasks
        #expect(tasks.map(\.work.shown) == ["f(-1)", "f(0)", "f(1)", "f(2)"])
    }

    @Test("The lines of a file are values, its path seen from the batch file")
    func fromFile() throws {
        let directory = try TemporaryDirectory()
        try directory.write("sub/list.txt", "one\n\nthree x\n")
        let path = try directory.write(
            "sub/b.yaml",
            "cwd: /elsewhere\ntasks: [{for_each: {l: {from_file: list.txt}}, run: [echo, '{l}']}]"
        )
        #expect(try BatchFile.load(path: path).root.tasks.map(\.work.shown) == ["echo|one", "echo|", "echo|three x"])
    }

    @Test("A glob pattern is looked up where the tasks run, and gives names seen from there in byte order")
    func glob() throws {
        let directory = try TemporaryDirectory()
        for name in ["d[1]/b.png", "d[1]/B.png", "d[1]/a b.png", "d[1]/x/c.png", "d[1]/.hidden.png", "other.png"] {
            try directory.write(name, "")
        }
        func names(_ text: String) throws -> [String] {
            let path = try directory.write("batch.yaml", text)
            return try BatchFile.load(path: path).root.tasks.map(\.work.shown)
        }
        #expect(
            try names("cwd: 'd[1]'\ntasks: [{for_each: {f: '*.png'}, run: [x, '{f}']}]")
                == ["x|B.png", "x|a b.png", "x|b.png"]
        )
        #expect(try names("tasks: [{cwd: 'd[1]', for_each: {f: '*/*.png'}, run: [x, '{f}']}]") == ["x|x/c.png"])
        let absolute = directory.path + "/oth*"
        #expect(
            try names("tasks: [{cwd: 'd[1]', for_each: {f: '\(absolute)'}, run: [x, '{f}']}]")
                == ["x|\(directory.path)/other.png"]
        )
    }
}
