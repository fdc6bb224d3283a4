internal import Cohort
internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

/// A coordinator and workers as a user starts them, each from a shell of its own.
final class Cluster {
    let sandbox: Sandbox
    let coordinator: Program
    /// Where the coordinator listens.
    let endpoint: String

    private let options: [String]
    /// Nobody else is to be given the coordinator's port, between two of its lives either.
    private let reserved: ReservedPort?

    /// - Parameters:
    ///   - bind: where it listens; at a port of its own if nothing is said.
    ///   - options: further ones of `cohort coordinator`.
    convenience init(_ sandbox: Sandbox, bind: String? = nil, options: [String] = []) throws {
        let reserved = bind == nil ? try ReservedPort() : nil
        try self.init(sandbox, bind: bind ?? reserved?.endpoint ?? "", options: options, reserved)
    }

    private init(_ sandbox: Sandbox, bind: String, options: [String], _ reserved: ReservedPort?) throws {
        self.sandbox = sandbox
        self.options = options
        self.reserved = reserved
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
        try Cluster(sandbox, bind: endpoint, options: options + further, reserved)
    }

    /// Kills the coordinator and starts another life of it, so that this worker sees both at one moment.
    ///
    /// Tasks for which somebody waits get a second without a coordinator, which is less than a busy machine may take to start
    /// one: the worker's process is stopped until that is there.
    func replaced(under worker: Int32) throws -> Cluster {
        kill(worker, SIGSTOP)
        defer { kill(worker, SIGCONT) }
        coordinator.send(SIGKILL)
        _ = try coordinator.wait()
        return try restarted()
    }

    /// Waits until the coordinator tells what is expected: it learns of most things some time after others do.
    func wait(until what: String, _ isSo: (CoordinatorStatus) -> Bool) throws {
        try sandbox.wait(until: what, at: endpoint, isSo)
    }

    /// Waits until a client besides the one that asks is connected.
    func untilWatched() throws {
        try wait(until: "somebody has come") { $0.clients >= 2 }
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
        try wait(until: "\(count) tasks run", at: endpoint) { status in
            status.groups.reduce(0) { $0 + ($1.counts["running"] ?? 0) } >= count
        }
    }

    func wait(until what: String, at endpoint: String, _ isSo: (CoordinatorStatus) -> Bool) throws {
        let end = ContinuousClock.now + Program.patience
        while true {
            let status = try status(of: endpoint)
            if isSo(status) { return }
            guard ContinuousClock.now < end else {
                throw Overrun(description: "it was to come so far at \(endpoint) that \(what), and is \(status)")
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
