internal import Foundation
internal import Testing

@testable internal import CohortBatch

@Suite("Input sources of map")
struct MapInputTests {
    /// The items of a command line, values with `,` between.
    private func items(_ words: [String], stdin: String = "", nullSeparated: Bool = false) throws -> [String] {
        let input = try MapInput.split(words, nullSeparated: nullSeparated).input
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(stdin.utf8))
        try pipe.fileHandleForWriting.close()
        var items = try input.makeItems(standardInput: pipe.fileHandleForReading.fileDescriptor)
        var shown: [String] = []
        while let item = try items.next() {
            #expect(item.number == shown.count + 1)
            shown.append(item.values.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ","))
        }
        #expect(try items.next() == nil)
        if let count = input.count { #expect(count == shown.count) }
        return shown
    }

    /// Taken from `parallel -k --dry-run echo …`.
    @Test(
        "Sources combine as GNU parallel's do",
        arguments: [
            ([":::", "a", "b"], ["a", "b"]),
            ([":::", "a", "b", ":::", "1", "2"], ["a,1", "a,2", "b,1", "b,2"]),
            ([":::", "a", "b", "c", ":::+", "1", "2"], ["a,1", "b,2"]),
            ([":::", "a", "b", ":::+", "1", "2", "3"], ["a,1", "b,2"]),
            ([":::", "a", "b", ":::+", "1", "2", ":::", "X", "Y"], ["a,1,X", "a,1,Y", "b,2,X", "b,2,Y"]),
            ([":::", "X", "Y", ":::", "a", "b", ":::+", "1", "2"], ["X,a,1", "X,b,2", "Y,a,1", "Y,b,2"]),
            ([":::", "a", "b", ":::+", "1", "2", ":::+", "p", "q"], ["a,1,p", "b,2,q"]),
            ([":::"], []), ([":::", "", "x"], ["", "x"]), ([":::", "a", ":::::", "::"], ["a", ":::::", "::"]),
        ]
    )
    func combinations(words: [String], expected: [String]) throws {
        #expect(try items(["echo"] + words) == expected)
    }

    @Test(
        "A source without values gives nothing to run",
        arguments: [
            [":::", "a", ":::"], [":::", ":::", "a"], [":::", "a", ":::+"], ["::::", "/dev/null", ":::", "a"],
            [":::", "a", "::::", "/dev/null"],
        ]
    )
    func emptySource(words: [String]) throws {
        #expect(try items(["echo"] + words).isEmpty)
    }

    @Test("Files and standard input give their lines; each file is a source")
    func files() throws {
        let directory = try TemporaryDirectory()
        let first = try directory.write("f1", "l1\nl2\r\n\nl 3")
        let second = try directory.write("f2", "k1\nk2\n")
        #expect(try items(["e", "::::", first]) == ["l1", "l2\r", "", "l 3"])
        #expect(try items(["e", "::::", second, second]) == ["k1,k1", "k1,k2", "k2,k1", "k2,k2"])
        #expect(try items(["e", "::::", first, "::::+", second]) == ["l1,k1", "l2\r,k2"])
        #expect(try items(["e", "::::", first, ":::+", "1", "2"]) == ["l1,1", "l2\r,2"])
        #expect(try items(["e", ":::", "a", "b", "::::", "-"], stdin: "1\n2\n") == ["a,1", "a,2", "b,1", "b,2"])
        #expect(try items(["e", "::::", "-", ":::", "a", "b"], stdin: "1\n2\n") == ["1,a", "1,b", "2,a", "2,b"])
        #expect(try items(["e"], stdin: "x\ny") == ["x", "y"])
        #expect(try items(["e"], stdin: "").isEmpty)
    }

    @Test("With --null, NUL separates and newlines belong to the values")
    func null() throws {
        #expect(try items(["e"], stdin: "x\0y\nz\0", nullSeparated: true) == ["x", "y\nz"])
        #expect(try items(["e"], stdin: "x\0\0y", nullSeparated: true) == ["x", "", "y"])
    }

    @Test("The command is what stands before the first source")
    func command() throws {
        let (command, input) = try MapInput.split(["convert", "-x", ":::", "a"])
        #expect(command == [Array("convert".utf8), Array("-x".utf8)])
        #expect(input.sources == [.init(.arguments([[0x61]]))])
        #expect(try MapInput.split(["ls"]).input.sources == [.init(.standardInput)])
        #expect(try MapInput.split([":::", "a"]).command.isEmpty)
        #expect(try MapInput.split(["e", "::::", "f"]).input.count == nil)
    }

    @Test(
        "Wrong sources are refused with advice",
        arguments: [
            (["e", ":::+", "a"], "':::+' links to the source before it, and there is none: use ':::'"),
            (["e", "::::+", "a"], "'::::+' links to the source before it, and there is none: use '::::'"),
            (["e", "::::"], "'::::' needs the name of a file after it, or - for standard input"),
            (["e", "::::", "-", "-"], "standard input can be one source only: save it in a file to use it twice"),
            (["e", "::::", "/no/such"], "cannot open '/no/such': No such file or directory"),
            (["e", "::::", "/"], "cannot read '/': Is a directory"),
            (["e", "::::", ""], "'' is no file name"),
        ]
    )
    func errors(words: [String], message: String) {
        #expect(throws: MapInputError(message)) { try items(words) }
    }

    @Test("A NUL byte in a line is told with its place")
    func nulInLine() {
        let message =
            "line 2 of standard input has a NUL byte, which no command can be given: use --null if NUL separates values"
        #expect(throws: MapInputError(message)) { try items(["e"], stdin: "a\nb\0c\n") }
    }

    @Test("Values are bytes: what is not UTF-8 comes through")
    func bytes() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("f", [0xFF, 0xFE, 0x0A, 0x80])
        var items = try MapInput.split(["e", "::::", path]).input.makeItems()
        #expect(try items.next()?.values == [[0xFF, 0xFE]])
        #expect(try items.next()?.values == [[0x80]])
    }

    @Test("A line comes out as soon as it is there, before the input has ended")
    func streams() throws {
        let pipe = Pipe()
        let write = pipe.fileHandleForWriting
        var items = try MapInput.split(["e", "::::", "-", ":::", "a", "b"]).input
            .makeItems(standardInput: pipe.fileHandleForReading.fileDescriptor)
        try write.write(contentsOf: Data("1\n2\n3".utf8))
        for expected in [["1", "a"], ["1", "b"], ["2", "a"], ["2", "b"]] {
            #expect(try items.next()?.values == expected.map { Array($0.utf8) })
        }
        try write.write(contentsOf: Data("3\n".utf8))
        #expect(try items.next()?.values.first == Array("33".utf8))
        try write.close()
    }

    @Test("Any number of lines passes through a buffer that does not grow")
    func manyLines() throws {
        let directory = try TemporaryDirectory()
        let block = Array((0..<1000).map { "\($0)\n" }.joined().utf8)
        let path = try directory.write("f", Array(repeatElement(block, count: 200).joined()))
        let reader = try LineReader(path: Array(path.utf8), separator: 0x0A)
        var count = 0
        var peak = 0
        while let line = try reader.next() {
            if count % 1000 == 999 { #expect(line == Array("999".utf8)) }
            count += 1
            peak = max(peak, reader.bufferedBytes)
        }
        #expect(count == 200_000)
        #expect(peak <= 2 * LineReader.blockBytes)
    }

    @Test("A value without an end is refused before it fills the memory")
    func endless() throws {
        let reader = try LineReader(path: Array("/dev/zero".utf8), separator: 0x0A)
        let message = "value 1 of '/dev/zero' is longer than 16 MiB: is the separator right?"
        #expect(throws: MapInputError(message)) { try reader.next() }
    }
}
