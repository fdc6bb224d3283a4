internal import Cohort
internal import CohortWorker
internal import Testing

@Suite struct RegistrationTests {
    @Test(arguments: ["a", "demo.echo", "A-Z_0.9", String(repeating: "x", count: 200)])
    func goodNamesAreTaken(name: String) throws {
        var worker = Worker()
        try worker.register(name) { payload, _ in payload }
        #expect(worker.functions.names == [name])
    }

    @Test(arguments: [
        ("", RegistrationError.emptyName),
        ("a b", .illegalCharacter(name: "a b", character: " ", offset: 1)),
        ("é", .illegalCharacter(name: "é", character: "é", offset: 0)),
        ("aé/", .illegalCharacter(name: "aé/", character: "é", offset: 1)),
        ("e\u{301}", .illegalCharacter(name: "e\u{301}", character: "e\u{301}", offset: 0)),
        ("a\r\n", .illegalCharacter(name: "a\r\n", character: "\r\n", offset: 1)),
        (String(repeating: "x", count: 201), .nameTooLong(String(repeating: "x", count: 201), bytes: 201)),
    ])
    func badNamesAreRefused(name: String, error: RegistrationError) {
        var worker = Worker()
        #expect(throws: error) {
            try worker.register(name) { payload, _ in payload }
        }
        #expect(worker.functions.names.isEmpty)
    }

    @Test func aNameCanBeTakenOnce() throws {
        var worker = Worker()
        try worker.register(RemoteFunction<Int, Int>("double")) { number, _ in number * 2 }
        #expect(throws: RegistrationError.duplicateName("double")) {
            try worker.register("double") { payload, _ in payload }
        }
    }

    @Test func demoFunctionsAreRegistered() throws {
        var worker = Worker()
        try worker.registerDemoFunctions()
        #expect(worker.functions.names.contains("demo.echo"))
        #expect(throws: RegistrationError.self) { try worker.registerDemoFunctions() }
    }

    @Test func aCommandLineThatMakesNoSenseIsRefused() async {
        await #expect(throws: WorkerError.usage("'--slots' needs a value")) {
            try await Worker().run(arguments: ["--slots"])
        }
        await #expect(throws: WorkerError.self) { try await Worker().run(arguments: ["--slots", "none"]) }
        await #expect(throws: WorkerError.self) { try await Worker().run(arguments: ["serve"]) }
    }
}
