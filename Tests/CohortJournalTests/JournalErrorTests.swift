internal import CohortJournal
internal import Testing

@Suite("Errors of the state file")
struct JournalErrorTests {
    @Test("tell what the text says")
    func description() {
        let error = JournalError(.full, path: "/a", "no space left for /a")
        #expect("\(error)" == "no space left for /a")
    }
}
