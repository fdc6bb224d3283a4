internal import Cohort
internal import CohortReport
internal import Glibc
internal import Testing

@Suite struct ResultsDirectoryTests {
    let temporary: TemporaryDirectory
    let results: ResultsDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        results = try ResultsDirectory(path: temporary.path + "/a/b/results", replaces: false)
    }

    private func append(_ text: String, _ stream: TaskStream, to slot: ResultsDirectory.Slot) throws {
        try results.append(stream, Array(text.utf8).span.bytes, to: slot)
    }

    @Test func keepsTheStreamsOfEachTask() throws {
        let slot = try results.begin(sequence: 7, name: ["thumbnails", "a-64"])
        #expect(slot.path == temporary.path + "/a/b/results/thumbnails/a-64")
        try append("one\n", .stdout, to: slot)
        try append("oops", .stderr, to: slot)
        try append("two", .stdout, to: slot)
        try results.end(slot, exitValue: 3)
        #expect(temporary.entries(of: slot.path) == ["exitval", "seq", "stderr", "stdout"])
        #expect(contents(of: slot.path + "/stdout") == "one\ntwo")
        #expect(contents(of: slot.path + "/stderr") == "oops")
        #expect(contents(of: slot.path + "/seq") == "7")
        #expect(contents(of: slot.path + "/exitval") == "3")
        try results.restart(slot)
        #expect(contents(of: slot.path + "/stdout") == "")
    }

    @Test func takesThePlaceOfAnEarlierRunButNotOfAnotherTask() throws {
        let first = try results.begin(sequence: 1, name: [])
        #expect(first.path.hasSuffix("/results/1"))
        try append("first", .stdout, to: first)
        let twin = try results.begin(sequence: 2, name: ["1"])
        #expect(twin.path.hasSuffix("/results/1\\~2"))
        #expect(contents(of: first.path + "/stdout") == "first")
        let again = try ResultsDirectory(path: temporary.path + "/a/b/results", replaces: true)
        #expect(contents(of: try again.begin(sequence: 1, name: []).path + "/stdout") == "")
    }

    @Test func aDirectoryWithSomethingInItIsTakenOnlyOnRequest() throws {
        let path = temporary.path + "/a/b/results"
        _ = try ResultsDirectory(path: path, replaces: false)
        _ = try results.begin(sequence: 1, name: ["z"])
        _ = try results.begin(sequence: 2, name: ["b"])
        let refused = #expect(throws: ReportError.self) { try ResultsDirectory(path: path, replaces: false) }
        #expect(refused == .notEmpty(path: path, name: "b"))
        #expect(refused?.description.contains("--force") == true)
        _ = try ResultsDirectory(path: path, replaces: true)
    }

    @Test func writesTheOutcome() throws {
        try results.write(fullDocument)
        try results.write(fullDocument)
        let directory = temporary.path + "/a/b/results"
        #expect(temporary.entries(of: directory) == ["outcome.json"])
        let text = try #require(contents(of: directory + "/outcome.json"))
        #expect(text == fullDocument.jsonText() + "\n")
    }

    @Test(arguments: ["..", ".", "", "/", "../../etc/passwd", "/etc/passwd", "a/../..", "\u{0}", "x\n\u{1b}[2J"])
    func namesStayInTheDirectory(name: String) throws {
        let slot = try results.begin(sequence: 1, name: [name])
        let root = temporary.path + "/a/b/results"
        #expect(slot.path.hasPrefix(root + "/"))
        #expect(!slot.path.dropFirst(root.utf8.count + 1).contains("/"))
        #expect(temporary.entries(of: root).count == 1)
        #expect(temporary.entries(of: temporary.path + "/a/b") == ["results"])
        #expect(temporary.entries(of: slot.path).contains("stdout"))
    }

    @Test func safeNamesAreDistinct() {
        let long = String(repeating: "ü", count: 400)
        let names = [
            "a/b", "a\\_b", "a\\\\_b", "..", "\\..", ".", "\\.", "", "\\e", "e", "\n", "\\xa;", "1", "1\\~2", long,
            long + "x", "x" + long,
        ]
        let safe = names.map(SafeName.component)
        #expect(Set(safe).count == names.count)
        #expect(safe.allSatisfy { $0.utf8.count <= 255 && $0 != "." && $0 != ".." && !$0.isEmpty && !$0.contains("/") })
        #expect(SafeName.component("a/b") == "a\\_b")
        #expect(SafeName.component("...") == "...")
        #expect(SafeName.component("plain name") == "plain name")
    }

    @Test func errorsNameTheFile() throws {
        let file = temporary.path + "/file"
        close(open(file, O_WRONLY | O_CREAT, 0o600))
        let taken = #expect(throws: ReportError.self) { try ResultsDirectory(path: file, replaces: false) }
        #expect(taken?.description == "cannot create the directory \(file): Not a directory")
        let below = #expect(throws: ReportError.self) { try ResultsDirectory(path: file + "/x", replaces: false) }
        #expect(below == .file(path: file + "/x", action: "create the directory", errno: ENOTDIR))
        let slot = try results.begin(sequence: 1, name: ["gone"])
        unlink(slot.path + "/stdout")
        symlink("/dev/full", slot.path + "/stdout")
        let full = #expect(throws: ReportError.self) { try append("x", .stdout, to: slot) }
        #expect(full == .file(path: slot.path + "/stdout", action: "write to", errno: ENOSPC))
    }
}
