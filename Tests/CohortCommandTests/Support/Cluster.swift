internal import Cohort
internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// A coordinator and workers as a user starts them, each from a shell of its own.
final class Cluster {
    let sandbox: Sandbox
    let coordinator: Program
    /// Where the coordinator listens.
    let endpoint: String

    private let options: [String]

    /// - Parameter options: further ones of `cohort coordinator`.
    init(_ sandbox: Sandbox, bind: String = "tcp://127.0.0.1:*", options: [String] = []) throws {
        self.sandbox = sandbox
        self.options = options
        coordinator = try sandbox.start(["cohort", "coordinator", "--bind", bind] + options, input: [])
        try coordinator.waitForError("listening")
        endpoint = try Self.endpoint(of: coordinator)
    }

    /// Port * means any that is free, and the log says which.
    static func endpoint(of coordinator: Program) throws -> String {
        let fields = coordinator.standardError.split(whereSeparator: \.isWhitespace)
        let field = try #require(fields.first { $0.hasPrefix("endpoints=") }, "\(coordinator.standardError)")
        return String(field.dropFirst("endpoints=".count))
    }

    /// Another life of the coordinator, which has ended, at the same place.
    func restarted(options further: [String] = []) throws -> Cluster {
        try Cluster(sandbox, bind: endpoint, options: options + further)
    }

    /// Waits until a client besides the one that asks is connected.
    func untilWatched() throws {
        let end = ContinuousClock.now + Program.patience
        while try status().clients < 2 {
            guard ContinuousClock.now < end else { throw Overrun(description: "nobody has come to \(endpoint)") }
        }
    }

    var port: UInt16 { endpoint.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }

    /// Starts a worker and waits until it is connected.
    func worker(_ name: String, slots: Int = 2, restarts: String = "0") throws -> Program {
        let worker = try sandbox.startCohort(
            "worker",
            "--connect",
            endpoint,
            "--slots",
            String(slots),
            "--name",
            name,
            "--restarts",
            restarts
        )
        try worker.waitForError("connected")
        return worker
    }

    /// Runs a command of `cohort` against this coordinator.
    func cohort(_ arguments: String..., limit: Duration = Program.patience) throws -> Finished {
        try sandbox.start(["cohort"] + arguments + ["--connect", endpoint], input: []).wait(limit: limit)
    }

    /// Starts a command of `cohort` against this coordinator.
    func start(_ arguments: String...) throws -> Program {
        try sandbox.start(["cohort"] + arguments + ["--connect", endpoint], input: [])
    }

    /// Submits a batch; returns the group's number.
    func submit(_ batch: String) throws -> String {
        let file = try sandbox.write("submit-\(UInt32.random(in: 0 ... .max)).yaml", batch)
        let finished = try cohort("submit", file)
        let number = finished.lines.first ?? ""
        guard finished.code == 0, UInt64(number) != nil else {
            throw Overrun(description: "not submitted: \(finished)")
        }
        return number
    }

    /// Waits for a group; returns its document and `wait`'s exit status.
    func wait(_ group: String, limit: Duration = Program.patience) throws -> (document: OutcomeDocument, code: Int32?) {
        let finished = try cohort("wait", group, "--output", "json", limit: limit)
        guard let document = try? OutcomeDocument(jsonText: finished.standardOutput) else {
            throw Overrun(description: "no document: \(finished)")
        }
        return (document, finished.code)
    }

    func status() throws -> CoordinatorStatus { try sandbox.status(of: endpoint) }

    /// Waits until the coordinator knows of so many tasks that they run: until then, a worker that dies takes no blame.
    func waitUntilRunning(_ count: Int) throws { try sandbox.waitUntilRunning(count, at: endpoint) }

    /// The process of a worker that runs tasks, below the one that was started.
    func processID(ofWorker name: String) throws -> Int32 {
        try #require(try status().workers.first { $0.name == name }).pid
    }
}

/// What `status --output json` tells.
struct CoordinatorStatus: Decodable {
    struct Group: Decodable {
        var group: String
        var id: String
        var state: String
        var deadlineIn: Double?
        var waiting: String?
        var counts: [String: Int]
    }
    struct Worker: Decodable {
        var name: String
        var pid: Int32
        var slots: Int
        var running: Int
        var draining: Bool
    }
    var groups: [Group]
    var workers: [Worker]
    var clients: Int
    var badFrames: Int
    var refusedPeers: Int
    var draining: Bool
}

extension CoordinatorStatus {
    init(json: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(CoordinatorStatus.self, from: Data(json))
    }
}

extension Sandbox {
    func status(of endpoint: String) throws -> CoordinatorStatus {
        let finished = try cohort("status", "--output", "json", "--connect", endpoint)
        return try CoordinatorStatus(json: finished.output)
    }

    func waitUntilRunning(_ count: Int, at endpoint: String) throws {
        let end = ContinuousClock.now + Program.patience
        while try status(of: endpoint).groups.reduce(0, { $0 + ($1.counts["running"] ?? 0) }) < count {
            guard ContinuousClock.now < end else {
                throw Overrun(description: "\(count) tasks were to run at \(endpoint)")
            }
        }
    }

    /// Where the coordinator of the one private pool in this sandbox listens.
    var privateEndpoint: String {
        get throws {
            let pools = ProcessScan.names(in: path("run"))
            guard pools.count == 1 else { throw Overrun(description: "there is not one private pool: \(pools)") }
            return "ipc://\(path("run"))/\(pools[0])/socket"
        }
    }
}

/// The processes of one worker, by their names.
enum WorkerPart: String, CustomTestStringConvertible, CaseIterable {
    /// The one that was started.
    case supervisor = "cohort-superv"
    /// Between the two.
    case guardian = "cohort-guardian"
    /// The one that runs tasks.
    case worker = "cohort-worker"

    var testDescription: String { rawValue }
}

extension Sandbox {
    /// The one process of that part in this sandbox.
    func processID(of part: WorkerPart) throws -> Int32 {
        let found = processes.running().map(\.pid).filter { ProcessScan.name(of: $0) == part.rawValue }
        guard found.count == 1 else { throw Overrun(description: "there is not one \(part.rawValue): \(found)") }
        return found[0]
    }
}
