internal import Testing

@testable internal import CohortBatch

@Suite("Call templates of map")
struct CallTemplateTests {
    private func call(_ arguments: String?, _ values: [String], number: Int = 7) throws -> String {
        let template = try CallTemplate(function: "f", arguments: arguments, sourceCount: values.count)
        return try template.renderedWork(for: MapItem(number: number, values: values.map { Array($0.utf8) })).shown
    }

    @Test(
        "Values go into the JSON argument and leave it JSON",
        arguments: [
            (nil, ["a\"b"], #"f("a\"b")"#),
            (nil, ["a", "1"], #"f(["a","1"])"#),
            (#""{}""#, ["a\"b\n"], #"f("a\"b\n")"#),
            (#"{"file": "{1/}", "n": {#}, "e": {}}"#, ["d/x.y"], #"f({"file": "x.y", "n": 7, "e": {}})"#),
            (#"[{1}, {2}, {1/.}]"#, ["12", "tr ue"], #"f([12, "tr ue", 12])"#),
            (#"{1}"#, [#"{"a": [1]}"#], #"f({"a": [1]})"#),
            (#"{1}"#, [""], #"f("")"#),
            (#"{1}"#, ["01"], #"f("01")"#),
            (#""\"{}\\""#, ["x"], #"f("\"x\\")"#),
            (#""{} {2}""#, ["a", "b"], #"f("a b b")"#),
        ] as [(String?, [String], String)]
    )
    func renders(arguments: String?, values: [String], expected: String) throws {
        #expect(try call(arguments, values) == expected)
    }

    @Test(
        "What is no JSON, or names no source, is refused before anything runs",
        arguments: [
            ("{file: {}}", "'{file: {}}' is no JSON: strings need double quotes, such as {\"file\": \"{}\"}"),
            ("", "'' is no JSON: strings need double quotes, such as {\"file\": \"{}\"}"),
            ("[{2}]", "'{2}' names no input source: there is 1 input source, counted from 1"),
            (
                "[1, {}]",
                "'[1, {}]' has no replacement string, so that all calls would be the same: write {1} for the value, or \"{}\" "
                    + "for it as a string"
            ),
            (#"["{%}"]"#, "'{%}' is for commands: a call learns its slot from its context"),
        ]
    )
    func refuses(arguments: String, message: String) {
        #expect(throws: TemplateError(message)) { try call(arguments, ["x"]) }
    }

    @Test("A value that is not UTF-8 is refused with its place")
    func notText() throws {
        let template = try CallTemplate(function: "f", arguments: nil, sourceCount: 1)
        #expect(throws: TemplateError("value 'a\u{FFFD}' of item 3 is not UTF-8, which JSON cannot hold")) {
            try template.renderedWork(for: MapItem(number: 3, values: [[0x61, 0xFF]]))
        }
    }

    @Test("A function needs a name")
    func noName() {
        #expect(throws: TemplateError("the function's name is empty: name a function")) {
            try CallTemplate(function: "", arguments: nil, sourceCount: 1)
        }
    }

    @Test(
        "JSON by its grammar",
        arguments: [
            ("1", true), ("-0.5e+10", true), ("01", false), ("1.", false), (".5", false), ("+1", false), ("1e", false),
            ("\"\\u00e9\"", true), ("\"\\x\"", false), ("\"\\u12\"", false), ("\"a\nb\"", false), ("\"", false),
            ("[1,]", false),
            ("[1 2]", false), ("{\"a\":1,}", false), ("{\"a\"}", false), ("{a:1}", false), (" [ ] ", true),
            ("{ }", true),
            ("nul", false), ("null x", false), ("", false), ("-", false), ("NaN", false), ("[1", false),
            (String(repeating: "[", count: 65) + String(repeating: "]", count: 65), true),
            (String(repeating: "[", count: 66) + String(repeating: "]", count: 66), false),
            (String(repeating: "[", count: 100_000), false),
        ]
    )
    func grammar(text: String, isValid: Bool) {
        #expect(JSONText.isValid(Array(text.utf8)) == isValid)
    }
}
