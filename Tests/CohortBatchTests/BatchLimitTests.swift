internal import Foundation
internal import Testing

@testable internal import CohortBatch

@Suite("Limits of batch files")
struct BatchLimitTests {
    private func errors(of text: String, limits: BatchReader.Limits) -> [String] {
        do {
            _ = try BatchFile.parse(text, fileName: "batch.yaml", directory: nil, limits: limits)
            return []
        } catch {
            return error.diagnostics.map(\.headline)
        }
    }

    private func nested(_ depth: Int) -> String {
        var text = ""
        for level in 0..<depth {
            text += level == 0 ? "tasks:\n" : String(repeating: " ", count: level * 2 - 2) + "- tasks:\n"
        }
        return text + String(repeating: " ", count: depth * 2 - 2) + "- run: ls\n"
    }

    @Test("Groups nest 64 deep and no deeper")
    func depth() throws {
        #expect(try parse(nested(64)).root.taskCount == 1)
        #expect(
            CohortBatchTests.errors(of: nested(65))
                == ["65:129: groups are nested deeper than 64 here: nest less deeply"]
        )
    }

    @Test("Arguments nest 64 deep and no deeper; what the parser itself cannot take is an error too")
    func argumentDepth() throws {
        func text(_ depth: Int) -> String {
            "tasks: [{call: f, args: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                + "}]"
        }
        #expect(try parse(text(65)).root.taskCount == 1)
        #expect(
            CohortBatchTests.errors(of: text(66)) == ["1:90: 'args' is nested deeper than 64 here: nest less deeply"]
        )
        #expect(CohortBatchTests.errors(of: text(100_000)).count == 1)
        let open = CohortBatchTests.errors(of: String(repeating: "[", count: 100_000))
        #expect(open.count == 1)
        #expect(open[0].hasSuffix("the file is nested too deeply to be read"))
    }

    @Test("Tasks are counted before they are made")
    func tasks() {
        let product = "tasks:\n- run: ls\n- for_each: {a: {range: [1, 1000]}, b: {range: [1, 1000]}}\n  run: ls\n"
        #expect(
            CohortBatchTests.errors(of: product)
                == ["3:3: the file has 1000001 tasks up to here, and at most 1000000 are allowed: split it"]
        )
        let list = (0..<70).map { "v\($0): [1, 2]" }.joined(separator: ", ")
        #expect(
            CohortBatchTests.errors(of: "tasks: [{for_each: {\(list)}, run: ls}]")
                == ["1:10: the file has countless tasks up to here, and at most 1000000 are allowed: split it"]
        )
        #expect(
            errors(of: "tasks: [{run: a}, {run: b}, {run: c}]", limits: .init(tasks: 2))
                == ["batch.yaml:1:29: the file has 3 tasks up to here, and at most 2 are allowed: split it"]
        )
    }

    /// `count` anchors, each a list of ten aliases of the one before.
    private func bomb(_ count: Int, last: String) -> String {
        var text = "tasks:\n- call: f\n  args:\n  - &a0 [x]\n"
        for index in 1..<count {
            let aliases = Array(repeating: "*a\(index - 1)", count: 10).joined(separator: ", ")
            text += "  - &a\(index) [\(aliases)]\n"
        }
        return text + last
    }

    @Test("Aliases that stand for billions of values end the reading, not the memory")
    func aliasBomb() {
        #expect(
            errors(of: bomb(20, last: ""), limits: .init(values: 10_000)) == [
                "batch.yaml:4:10: the file expands to more than 10000 values here: "
                    + "use fewer aliases or a smaller 'for_each'"
            ]
        )
    }

    @Test("As keys, such aliases are refused before anything looks into them", .timeLimit(.minutes(5)))
    func aliasBombKey() {
        #expect(
            CohortBatchTests.errors(of: bomb(20, last: "- ? *a19\n  : 1\n"))
                == ["24:5: an alias cannot be a key: write the key out"]
        )
        #expect(
            CohortBatchTests.errors(of: bomb(20, last: "- {[*a19]: 1}\n"))
                == ["24:4: a key must be a word, not a list or a map"]
        )
    }

    @Test("Text that variables multiply is counted")
    func text() {
        let value = String(repeating: "x", count: 1000)
        #expect(
            errors(
                of: "tasks: [{for_each: {i: {range: [1, 100]}}, run: [ls, \(value)]}]",
                limits: .init(textBytes: 10_000)
            ) == [
                "batch.yaml:1:10: the file expands to more than 10000 bytes of text here: "
                    + "use fewer aliases or a smaller 'for_each'"
            ]
        )
    }

    @Test("A file above 64 MiB is refused")
    func size() throws {
        let text = "#" + String(repeating: "x", count: TextFile.bytesMax)
        let message = "it is larger than 64 MiB, the most that is read"
        #expect(CohortBatchTests.errors(of: text) == [message])
        let directory = try TemporaryDirectory()
        let path = try directory.write("big.yaml", "")
        try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: UInt64(TextFile.bytesMax) + 1)
        let error = #expect(throws: BatchFileError.self) { try BatchFile.load(path: path) }
        #expect(error?.description == "\(path): \(message)")
    }

    @Test("Text of any kind gives a plan or errors, and never stops the program")
    func mutations() {
        // A fixed generator: the same texts on every run.
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let seed = Array(
            """
            group: g
            limit: 3
            tasks:
              - &a {name: n, run: [a, "b"], retries: {limit: 1, backoff: 5ms}, env: {A: 1}}
              - *a
              - group: h
                for_each: {x: [1, 2], y: {range: [1, 3]}}
                call: f
                args: {v: "{x}", w: [null, 1.5, "\\u00e9"]}
              - run: echo {x}
                stdin: |
                  text
            """.utf8
        )
        let pieces = [
            "{", "}", "[", "]", ":", "- ", "\n", "*a", "&a ", "\"", "'", "!!str ", "\t", "<<: *a\n", "|", "? ", "~",
            ",",
        ]
        for _ in 0..<400 {
            var bytes = seed
            for _ in 0...random(4) {
                let place = random(bytes.count)
                switch random(3) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(contentsOf: pieces[random(pieces.count)].utf8, at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + random(30)))
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let plan = try parse(text)
                #expect(!plan.root.items.isEmpty, "\(text)")
            } catch {
                #expect(!error.diagnostics.isEmpty)
            }
        }
    }
}
