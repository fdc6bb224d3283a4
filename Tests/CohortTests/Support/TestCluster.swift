internal import CCohortProcess
internal import Cohort
internal import CohortCoordinator
internal import CohortCore
internal import CohortProcess
internal import Glibc
internal import Logging
internal import Testing

/// A coordinator in this process, and a worker beside it that runs commands and the demo functions.
///
/// The worker has a process of its own: one in here would end what other tests have started, as strays.
final class TestCluster: Sendable {
    let endpoint: String
    private let directory: String
    private let coordinator: Coordinator
    private let worker: SpawnedProcess?
    private let ownerPipe: Int32

    /// - Parameter slots: how many tasks run at once; 0 for no worker.
    init(slots: Int = 0, limits: Limits = Limits()) throws {
        var template = Array("/tmp/cohort-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        endpoint = "ipc://\(directory)/socket"
        var configuration = CoordinatorConfiguration(endpoints: [endpoint])
        configuration.limits = limits
        // No test here is about peers that are silent: a machine may stand still for longer than they may usually be.
        configuration.limits.lease = .seconds(60)
        configuration.limits.unreachable = .seconds(30)
        var log = Logger(label: "test")
        log.logLevel = .critical
        coordinator = try Coordinator(configuration, log: log) { _ in }
        var reading: Int32 = -1
        var writing: Int32 = -1
        try #require(cohort_pipe(&reading, &writing) == 0)
        defer { close(reading) }
        ownerPipe = writing
        worker = slots > 0 ? try Self.startWorker(endpoint, slots: slots, owner: reading) : nil
    }

    private static func startWorker(_ endpoint: String, slots: Int, owner: Int32) throws -> SpawnedProcess {
        let arguments = [cohort, "worker", "--connect", endpoint, "--slots", String(slots), "--name", "worker"]
        var request = SpawnRequest(arguments: arguments)
        // It ends when this process does, however that ends.
        request.environment.set(Guardian.ownerVariable, to: "3")
        request.passedDescriptors = [(from: owner, to: 3)]
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        request.standardError = null
        return try Spawn.spawn(request)
    }

    /// `cohort` stands beside the test program in the directory of build products.
    private static var cohort: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/cohort"
    }

    func stopCoordinator() { coordinator.stop(reason: "the test stops it") }

    deinit {
        close(ownerPipe)
        if let worker {
            _ = Spawn.reap(worker.pid)
            close(worker.pidfd)
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

/// Demo functions, with the types that the tests use.
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
    let end = ContinuousClock.now + .seconds(60)
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
