internal import ArgumentParser
internal import Cohort
internal import CohortWorker
internal import Glibc

/// What a call leaves behind: its number, in a file.
struct Evidence: Codable, Sendable {
    static let function = "harness.note"

    var file: String
    var number: Int
    var milliseconds: Int
}

/// `cohort-harness evidence-worker`: a worker whose calls write down that they have begun.
struct EvidenceWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "evidence-worker", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() async throws {
        try await Self.worker().run(arguments: arguments)
    }

    static func worker() throws -> Worker {
        var worker = Worker()
        try worker.register(RemoteFunction<Evidence, Int>(Evidence.function)) { evidence, _ in
            let line = Array("\(evidence.number)\n".utf8)
            let file = open(evidence.file, O_WRONLY | O_APPEND | O_CLOEXEC)
            guard file >= 0, write(file, line, line.count) == line.count else {
                throw HarnessError("cannot write to \(evidence.file)")
            }
            close(file)
            usleep(useconds_t(evidence.milliseconds) * 1_000)
            return evidence.number
        }
        return worker
    }
}
