internal import Cohort
internal import FoundationEssentials
internal import Testing

@Suite struct JSONValueTests {
    @Test func writesOneLineInTheOrderGiven() {
        let value: JSONValue = ["b": 1, "a": [true, nil, 1.5, "x"], "empty": [], "none": [:]]
        #expect(value.text() == #"{"b": 1, "a": [true, null, 1.5, "x"], "empty": [], "none": {}}"#)
    }

    @Test func indents() {
        let value: JSONValue = ["b": 1, "a": [1, ["c": 2]], "empty": []]
        #expect(
            value.text(.indented) == """
                {
                  "b": 1,
                  "a": [
                    1,
                    {
                      "c": 2
                    }
                  ],
                  "empty": []
                }
                """
        )
    }

    @Test func escapesWhatWouldMoveATerminal() {
        let value = JSONValue.string("\"\\/\n\r\t\u{1b}[31m\u{7f}\u{9b}ü😀")
        #expect(value.text() == #""\"\\/\n\r\t\u001b[31m\u007f\u009bü😀""#)
    }

    @Test func writesNoNumbersThatJSONLacks() {
        #expect(JSONValue.array([.double(.nan), .double(.infinity), .double(1e300)]).text() == "[null, null, 1e+300]")
    }

    @Test(arguments: [
        ("  [1, -2.5e3, 0, \"\", {\"z\": 1, \"a\": 2}]\n", #"[1, -2500.0, 0, "", {"z": 1, "a": 2}]"#),
        (#""\u00e9\ud83d\ude00\n\/""#, "\"é😀\\n/\""),
        (#""\ud83d x""#, "\"\u{FFFD} x\""),
        (#""\ud83d\u0041""#, "\"\u{FFFD}A\""),
        (#"{"a": 1, "b": 2, "a": 3}"#, #"{"a": 3, "b": 2}"#),
        ("123456789012345678901234567890", "1.2345678901234568e+29"),
        ("-0", "0"),
    ])
    func parses(text: String, written: String) throws {
        #expect(try JSONValue(parsing: text).text() == written)
    }

    @Test(arguments: [
        ("", 1, 1, "a value is missing at the end"),
        ("{\"a\": 1,\n \"b\" 2}", 2, 6, "':' is missing after the member's name"),
        ("[1, 2", 1, 6, "',' or ']' is missing"),
        ("[1,]", 1, 4, "a value cannot begin like this"),
        ("{,}", 1, 2, "a member's name in double quotes is missing"),
        ("nul", 1, 1, "a value cannot begin like this"),
        ("NaN", 1, 1, "a value cannot begin like this"),
        ("1e999", 1, 1, "the number is too large"),
        ("01", 1, 2, "unexpected text after the value"),
        ("1.", 1, 3, "a digit is missing"),
        ("\"a", 1, 1, "the string does not end"),
        ("\"\\", 1, 3, "the string does not end"),
        ("\"\\x\"", 1, 3, "no such escape"),
        ("\"\\u12g4\"", 1, 6, "four hexadecimal digits are missing"),
        ("\"a\nb\"", 1, 3, "a control character in a string must be escaped"),
        ("1 2", 1, 3, "unexpected text after the value"),
    ])
    func namesThePlaceOfAnError(text: String, line: Int, column: Int, reason: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.reason == reason)
    }

    @Test func rejectsBytesThatAreNotUTF8() {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
        #expect(error?.description == "not JSON at line 1, column 1: the string is not UTF-8")
    }

    @Test func boundsTheDepth() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        _ = try JSONValue(parsing: nested(JSONValue.maximumDepth))
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(JSONValue.maximumDepth + 1)) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
    }

    @Test func survivesFoundationsCoders() throws {
        let value: JSONValue = ["z": [1, 2.5, "x", nil, true, false], "a": ["c": [:], "b": []], "whole": 1.0]
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
    }

    @Test func comparesNumbersByValueAndObjectsWithoutOrder() {
        #expect(JSONValue.int(1) == .double(1))
        #expect(JSONValue.int(1).hashValue == JSONValue.double(1).hashValue)
        #expect(JSONValue.int(9_007_199_254_740_993) != .double(9_007_199_254_740_992))
        let left: JSONValue = ["a": 1, "b": 2]
        let right: JSONValue = ["b": 2, "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(JSONValue.bool(true) != .int(1))
    }

    @Test func editsObjects() {
        var object = JSONObject()
        object["b"] = 1
        object["a"] = 2
        object["b"] = 3
        object["missing"] = nil
        #expect(object.keys == ["b", "a"])
        #expect(object["b"] == 3)
        object["b"] = nil
        #expect(object.count == 1)
    }
}

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_227_169_956, "2026-11-21T02:12:49.956Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func isWrittenAndRead(milliseconds: Int64, text: String) {
        let timestamp = Timestamp(milliseconds: milliseconds)
        #expect(timestamp.description == text)
        #expect(Timestamp(text) == timestamp)
    }

    @Test func agreesWithFoundationOverFourCenturies() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let seconds = Int64.random(in: -6_000_000_000...6_000_000_000, using: &generator)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let text = date.formatted(.iso8601)
            #expect(Timestamp(text)?.milliseconds == seconds * 1_000)
            #expect(Timestamp(milliseconds: seconds * 1_000).description == text.dropLast() + ".000Z")
        }
    }

    @Test func readsOffsetsAndFractions() {
        #expect(Timestamp("2026-11-19T21:09:33+02:00") == Timestamp("2026-11-19T19:09:33Z"))
        #expect(Timestamp("2026-11-19T19:09:33.1234567-00:30") == Timestamp("2026-11-19T19:39:33.123Z"))
    }

    @Test(arguments: [
        "", "2026", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00Zx", "٢٠٢٦-01-01T00:00:00Z",
        "2026-01-01T00:00:00+0200",
    ])
    func rejects(text: String) {
        #expect(Timestamp(text) == nil)
    }
}
