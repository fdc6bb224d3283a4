internal import CCohortProcess
internal import Cohort
internal import CohortCoordinator
internal import CohortCore
internal import CohortProcess
internal import CohortWorker
internal import Glibc
internal import Logging
internal import Testing

/// A coordinator in this process, with a worker for commands in it and a worker for calls beside it.
final class TestCluster: Sendable {
    let endpoint: String
    private let directory: String
    private let coordinator: Coordinator
    private let commands: WorkerProcess?
    private let calls: SpawnedProcess?
    private let ownerPipe: Int32

    /// - Parameters:
    ///   - commandSlots: how many commands run at once; 0 for no such worker.
    ///   - callSlots: how many calls run at once; 0 for no such worker.
    init(commandSlots: Int = 0, callSlots: Int = 0, limits: Limits = Limits()) throws {
        var template = Array("/tmp/cohort-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        endpoint = "ipc://\(directory)/socket"
        var configuration = CoordinatorConfiguration(endpoints: [endpoint])
        configuration.limits = limits
        var log = Logger(label: "test")
        log.logLevel = .critical
        coordinator = try Coordinator(configuration, log: log) { _ in }
        var worker: WorkerProcess?
        if commandSlots > 0 {
            worker = try WorkerProcess(
                WorkerConfiguration(
                    endpoint: endpoint,
                    name: "commands",
                    slots: commandSlots,
                    functions: FunctionRegistry()
                )
            ) { _ in }
        }
        commands = worker
        var reading: Int32 = -1
        var writing: Int32 = -1
        try #require(cohort_pipe(&reading, &writing) == 0)
        defer { close(reading) }
        ownerPipe = writing
        calls = callSlots > 0 ? try Self.startDemoWorker(endpoint, slots: callSlots, owner: reading) : nil
    }

    private static func startDemoWorker(_ endpoint: String, slots: Int, owner: Int32) throws -> SpawnedProcess {
        let arguments = [demoWorker, "--connect", endpoint, "--slots", String(slots), "--name", "calls"]
        var request = SpawnRequest(arguments: arguments)
        // It ends when this process does, however that ends.
        request.environment.set(Guardian.ownerVariable, to: "3")
        request.passedDescriptors = [(from: owner, to: 3)]
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        request.standardError = null
        return try Spawn.spawn(request)
    }

    /// The demo worker stands beside the test program in the directory of build products.
    private static var demoWorker: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/cohort-demo-worker"
    }

    func stopCoordinator() { coordinator.stop(reason: "the test stops it") }

    deinit {
        commands?.stop(reason: "the test is over")
        close(ownerPipe)
        if let calls {
            _ = Spawn.reap(calls.pid)
            close(calls.pidfd)
        }
        coordinator.stop(reason: "the test is over")
        unlink("\(directory)/socket")
        rmdir(directory)
    }

    /// Runs a test with a pool of this cluster.
    func withPool<R>(_ body: (Pool) async throws -> R) async throws -> R {
        try await Pool.withConnection(to: endpoint, name: "test", body)
    }
}

/// Functions of the demo worker, with the types that the tests use.
enum Demo {
    static let echo = RemoteFunction<Int, Int>("demo.echo")
    static let echoText = RemoteFunction<String, String>("demo.echo")
    static let sleep = RemoteFunction<Double, Double>("demo.sleep")
    static let fail = RemoteFunction<String, Bool>("demo.fail")
    static let kill = RemoteFunction<Int?, Int?>("demo.kill")
    static let stubborn = RemoteFunction<Double, Double>("demo.stubborn")
}

/// What did not come in time.
struct Overdue: Error, CustomStringConvertible {
    let description: String
}

/// Waits for something that nobody tells of.
func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while try await !isSo() {
        if ContinuousClock.now > end { throw Overdue(description: what) }
        // A wait in a cancelled task must wait as well.
        await Task { try? await Task.sleep(for: .milliseconds(2)) }.value
    }
}

/// The error that `body` throws.
func thrown<E: Error, R>(_ type: E.Type, by body: () async throws -> R) async throws -> E {
    do {
        let value = try await body()
        throw Overdue(description: "no error, but \(value)")
    } catch let error as E {
        return error
    }
}
