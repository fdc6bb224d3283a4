internal import CohortFaults
internal import Testing

@Suite("Numbers of injections")
struct InjectionNumbersTests {
    @Test("a list of numbers and ranges is read and written", arguments: ["3", "3,7-9", "1-2,4,6-10"])
    func readAndWritten(text: String) {
        #expect(InjectionNumbers(text)?.description == text)
    }

    @Test("ranges that touch or overlap become one")
    func joined() {
        #expect(InjectionNumbers("7-9,3,8-12,4")?.description == "3-4,7-12")
        #expect(InjectionNumbers([5, 1, 2, 3, 9]).description == "1-3,5,9")
    }

    @Test("what is no such list is refused", arguments: ["", "0", "a", "3,", "9-7", "-3", "1--2", "3 4"])
    func refused(text: String) {
        #expect(InjectionNumbers(text) == nil)
    }

    @Test("it contains what it names")
    func contains() throws {
        let numbers = try #require(InjectionNumbers("3,7-9"))
        #expect((1...10).filter(numbers.contains) == [3, 7, 8, 9])
    }
}
