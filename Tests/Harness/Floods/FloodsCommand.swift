internal import ArgumentParser
internal import CohortFuzzKit
internal import FoundationEssentials

/// `cohort-harness floods`: sends garbage to every port while a batch runs.
struct FloodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floods",
        abstract:
            "Sends random and mutated messages to every port: a coordinator's with and without keys, a worker's, a client's.",
        discussion: """
            None may crash or keep what it is sent; the batch that runs meanwhile must end as if nothing had happened. A \
            coordinator with keys is flooded from outside and by somebody who has come in.
            """
    )

    @Option(help: "Messages to each port.")
    var frames = 100_000

    @Option(help: "Tasks of the batch that runs meanwhile.")
    var tasks = 200

    @Option(help: "What the messages are made of.")
    var corpus = "Tests/Fuzz/corpus"

    @Option(help: "The seed of the messages.")
    var seed: UInt64 = 1

    @Option(help: "Growth of memory that is still none, in MiB.")
    var growth = 32

    @Option(help: "Only this port: \(FloodTrial.Port.allCases.map(\.rawValue).joined(separator: ", ")).")
    var port: FloodTrial.Port?

    func validate() throws {
        guard frames >= 10, tasks > 0 else { throw ValidationError("there must be 10 frames and a task at least") }
        guard FileManager.default.fileExists(atPath: "\(corpus)/\(FrameTarget.name)") else {
            throw ValidationError("no corpus at \(corpus); run it in the repository's root, or give --corpus DIR")
        }
    }

    func run() throws {
        let workplace = try Workplace()
        defer { workplace.clear() }
        let trial = FloodTrial(self, in: workplace)
        var isClean = true
        for port in port.map({ [$0] }) ?? FloodTrial.Port.allCases {
            let result = try trial.run(port)
            print(result.text)
            isClean = isClean && result.isClean(growth: growth << 20)
        }
        if !isClean { throw ExitCode.failure }
    }
}
