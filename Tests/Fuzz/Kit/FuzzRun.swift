internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// A run of a target over its corpus and mutations of it, for a bounded time.
///
/// The input under way stands in a file: if the program traps or hangs on it, that is what to add to the corpus.
package struct FuzzRun {
    /// What a run has come to.
    package struct Result: Sendable {
        package var inputs = 0
        /// The longest that one input has taken of the processor: what else runs does not make it longer.
        package var slowest = Duration.zero
        /// Growth of the process's memory in bytes, from after the corpus to the end.
        package var growth = 0
    }

    private let target: any FuzzTarget
    private let corpus: [[UInt8]]
    private let seed: UInt64
    /// Longest that one input may take, by the clock, before the program is ended.
    private let patience: Duration

    /// - Parameter root: the directory `Tests/Fuzz/corpus`.
    package init(
        _ type: any FuzzTarget.Type,
        root: String,
        seed: UInt64,
        patience: Duration = .seconds(60)
    ) throws {
        target = type.init()
        self.seed = seed
        self.patience = patience
        let directory = "\(root)/\(type.name)"
        corpus = try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { name in
            Array(try Data(contentsOf: URL(filePath: "\(directory)/\(name)")))
        }
        if corpus.isEmpty { throw FuzzFailure("there is no corpus in \(directory)") }
    }

    /// Takes the corpus, then mutations until the time or their number is over.
    package func run(time: Duration, inputs: Int = .max) throws -> Result {
        let desk = try FuzzDesk(patience: patience)
        defer { desk.close() }
        var result = Result()
        for input in corpus { try take(input, desk, &result) }
        let before = Self.residentBytes
        var mutator = Mutator(target, corpus: corpus, seed: seed)
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end, result.inputs < inputs { try take(mutator.next(), desk, &result) }
        result.growth = Self.residentBytes - before
        return result
    }

    private func take(_ input: [UInt8], _ desk: FuzzDesk, _ result: inout Result) throws {
        desk.begin(input)
        let start = Self.processorTime
        do {
            try target.run(input)
        } catch {
            desk.keep()
            throw FuzzFailure("\(error)\nseed \(seed), input \(result.inputs); add to the corpus: \(desk.path)")
        }
        result.slowest = max(result.slowest, Self.processorTime - start)
        result.inputs += 1
        desk.end()
    }

    /// What this thread has had of the processor.
    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static var residentBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
    }
}

/// Holds the input under way where it survives the process, and ends the process if it takes too long.
private final class FuzzDesk: Sendable {
    private struct State {
        var startedAt: ContinuousClock.Instant?
        var isClosed = false
        var keepsFile = false
    }

    let path: String
    private let descriptor: Int32
    private let state = Mutex(State())

    init(patience: Duration) throws {
        var template = Array("/tmp/cohort-fuzz-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw FuzzFailure("cannot make a file in /tmp") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        Thread.start { [self] in watch(patience) }
    }

    func begin(_ input: [UInt8]) {
        // The system keeps what was written when the process dies.
        ftruncate(descriptor, 0)
        _ = pwrite(descriptor, input, input.count, 0)
        state.withLock { $0.startedAt = .now }
    }

    func end() { state.withLock { $0.startedAt = nil } }

    func keep() { state.withLock { $0.keepsFile = true } }

    func close() {
        let keepsFile = state.withLock { state in
            state.isClosed = true
            return state.keepsFile
        }
        if !keepsFile { unlink(path) }
        Glibc.close(descriptor)
    }

    private func watch(_ patience: Duration) {
        while true {
            usleep(100_000)
            let (startedAt, isClosed) = state.withLock { ($0.startedAt, $0.isClosed) }
            if isClosed { return }
            if let startedAt, ContinuousClock.now - startedAt > patience {
                let text = "fuzz: an input takes more than \(patience); add it to the corpus: \(path)\n"
                _ = write(STDERR_FILENO, text, text.utf8.count)
                abort()
            }
        }
    }
}

/// A thread of its own for a body that waits.
private enum Thread {
    static func start(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box.toOpaque()
        )
        pthread_detach(thread)
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
