internal import CohortProcess
internal import CohortWorker
internal import Glibc

/// A pool whose hosts are `cohort-demo-worker` processes, and everything it has told so far.
final class CallPoolHarness {
    struct Ended: Error {}

    private static let tag = "CALL_POOL_HARNESS"

    let pool: CallPool
    private(set) var log: [CallEvent] = []
    private var reports: [UInt64: CallReport] = [:]
    private let number = UInt64.random(in: 0...(.max))
    private var iterator: AsyncStream<[CallEvent]>.Iterator

    static var demoWorker: String { product("cohort-demo-worker") }

    static var fixture: String { product("WorkerFixture") }

    /// A program that stands beside the test program in the directory of build products.
    private static func product(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + name
    }

    init(maxHosts: Int = 1, arguments: [String]? = nil, idleLimit: Duration = .seconds(60)) throws {
        var configuration = CallPool.Configuration(maxHosts: maxHosts)
        configuration.arguments = arguments ?? [Self.demoWorker]
        configuration.idleLimit = idleLimit
        configuration.environment.set(Self.tag, to: String(number))
        let (stream, continuation) = AsyncStream<[CallEvent]>.makeStream()
        pool = try CallPool(configuration) { continuation.yield($0) }
        iterator = stream.makeAsyncIterator()
    }

    deinit {
        pool.stop()
    }

    func submit(
        _ id: UInt64,
        _ function: String,
        _ json: String = "",
        prefetchable: Bool = true,
        credit: UInt64 = 1 << 20
    ) {
        pool.submit([call(id, function, json, prefetchable: prefetchable, credit: credit)])
    }

    func call(
        _ id: UInt64,
        _ function: String,
        _ json: String = "",
        prefetchable: Bool = true,
        credit: UInt64 = 1 << 20
    ) -> CallRequest {
        CallRequest(
            id: id,
            function: function,
            payload: Array(json.utf8),
            prefetchable: prefetchable,
            outputCredit: credit
        )
    }

    /// Waits until what the pool has told fulfils `condition`.
    func wait<Value>(for condition: ([CallEvent]) -> Value?) async throws -> Value {
        while true {
            if let value = condition(log) { return value }
            guard let events = await iterator.next(isolation: #isolation) else { throw Ended() }
            log += events
            for event in events {
                if case .finished(let id, let report) = event { reports[id] = report }
            }
        }
    }

    func report(_ id: UInt64) async throws -> CallReport {
        try await wait { _ in reports[id] }
    }

    /// The processes of this pool's hosts: children of this process that have not ended, marked by their environment.
    func hosts() -> Set<Int32> {
        let mark = Array("\(Self.tag)=\(number)".utf8)
        return Set(ProcessTree.children(of: getpid())).filter { pid in
            guard let file = fopen("/proc/\(pid)/environ", "r") else { return false }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = fread(&bytes, 1, bytes.count, file)
            return bytes.prefix(count).split(separator: 0).contains { $0.elementsEqual(mark) }
        }
    }

    /// Waits until none of these processes is a child of this process, reaped or not.
    static func end(of pids: Set<Int32>) async {
        while !pids.isDisjoint(with: ProcessTree.children(of: getpid())), !Task.isCancelled {
            await Task.yield()
        }
    }

    func result(_ id: UInt64) async throws -> CallResult {
        try await report(id).result
    }

    func start(_ id: UInt64) async throws {
        try await wait { $0.contains(.started(id)) ? () : nil }
    }

    /// Waits until so many calls were returned, and says which.
    func returned(_ count: Int) async throws -> [UInt64] {
        try await wait { log in
            let ids = log.flatMap { event in
                if case .returned(let ids) = event { ids } else { [UInt64]() }
            }
            return ids.count >= count ? ids : nil
        }
    }

    /// All output of a call so far.
    func output(_ id: UInt64, _ stream: ProcessEvent.Stream = .stdout) -> String {
        let bytes = log.flatMap { event in
            if case .output(id, stream, let bytes) = event { bytes } else { [UInt8]() }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension CallResult {
    static func json(_ text: String) -> CallResult {
        .ok(Array(text.utf8))
    }

    var text: String? {
        if case .ok(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    var failure: CallFailure? {
        if case .error(let failure) = self { failure } else { nil }
    }
}
