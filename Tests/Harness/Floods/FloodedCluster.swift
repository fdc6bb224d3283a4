internal import CohortProcess
internal import CohortRuntime
internal import FoundationEssentials
internal import Glibc
internal import ZeroMQ

/// A coordinator and a worker that go about their work while one of them is flooded.
final class FloodedCluster {
    let coordinator: Started
    private(set) var endpoint = ""
    /// Of a client, if the coordinator wants keys.
    private(set) var keys: PeerKeys?
    private let workplace: Workplace
    private let name: String
    private var options: [String] = []
    private var worker: Started?

    init(
        _ workplace: Workplace,
        name: String,
        hasKeys: Bool = false,
        bind: String = "tcp://127.0.0.1:*",
        startsWorker: Bool = true
    ) throws {
        self.workplace = workplace
        self.name = name
        var words = [Workplace.cohort, "coordinator", "--bind", bind]
        if hasKeys {
            let server = try KeyFile.create(workplace.path("\(name)-server"), replacing: true)
            let own = try KeyFile.create(workplace.path("\(name)-own"), replacing: true)
            try Files.write(workplace.path("\(name)-allow"), "\(own.publicKey) both\n")
            keys = PeerKeys(serverKey: server.publicKey, own: own)
            words += ["--key", workplace.path("\(name)-server"), "--allow", workplace.path("\(name)-allow")]
            options = ["--server-key", workplace.path("\(name)-server.pub"), "--key", workplace.path("\(name)-own")]
        }
        coordinator = try workplace.start("\(name)-coordinator", words)
        let coordinator = coordinator
        guard wait(seconds: 60, until: { coordinator.errorText.contains("listening") }) else {
            throw HarnessError("the coordinator does not listen\n\(coordinator.errorText)")
        }
        let fields = coordinator.errorText.split(whereSeparator: \.isWhitespace)
        endpoint = fields.first { $0.hasPrefix("endpoints=") }.map { String($0.dropFirst("endpoints=".count)) } ?? ""
        guard startsWorker else { return }
        let worker = try workplace.start(
            "\(name)-worker",
            [Workplace.cohort, "worker", "--connect", endpoint, "--slots", "2"] + options
        )
        self.worker = worker
        guard wait(seconds: 60, until: { worker.errorText.contains("connected") }) else {
            throw HarnessError("the worker does not connect\n\(worker.errorText)")
        }
    }

    var port: UInt16 { endpoint.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }

    /// Starts a batch of short commands, each of which prints its number.
    func startBatch(tasks: Int) throws -> Started {
        let command = ["map", "--connect", endpoint] + options + ["-k", "sleep 0.01; echo {}", ":::"]
        return try workplace.start("\(name)-batch", [Workplace.cohort] + command + (1...tasks).map(String.init))
    }

    /// What is wrong with how a batch came out, and with the coordinator.
    func faults(of batch: Started, tasks: Int) -> [String] {
        var faults: [String] = []
        let status = batch.wait(seconds: 600)?.shellCode
        if status != 0 {
            faults.append("the batch ends with status \(status.map(String.init) ?? "-"): \(batch.errorText)")
        }
        let expected = (1...tasks).map { "\($0)\n" }.joined()
        if batch.output != expected { faults.append("the batch has written something else than its numbers") }
        if coordinator.hasEnded { faults.append("the coordinator has ended: \(coordinator.errorText)") }
        return faults
    }

    /// What the coordinator says that it has dropped and refused.
    func counts() throws -> (dropped: Int, refused: Int) {
        struct Status: Decodable {
            var badFrames: Int
            var refusedPeers: Int
        }
        let words = [Workplace.cohort, "status", "--connect", endpoint, "--output", "json"] + options
        let asked = try workplace.start("\(name)-status", words)
        guard asked.wait(seconds: 60)?.shellCode == 0 else {
            throw HarnessError("status does not answer\n\(asked.errorText)")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let status = try decoder.decode(Status.self, from: Data(asked.output.utf8))
        return (status.badFrames, status.refusedPeers)
    }

    func end() {
        worker?.kill()
        coordinator.kill()
    }
}
