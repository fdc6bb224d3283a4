internal import Glibc
internal import Testing

@testable internal import CohortProcess

/// A process loop whose events a test reads one after the other.
struct LoopHarness {
    let loop: ProcessLoop
    private var events: AsyncStream<ProcessEvent>.Iterator

    init() throws {
        let (stream, continuation) = AsyncStream.makeStream(of: ProcessEvent.self)
        // Other tests start children in this process by other means.
        loop = try ProcessLoop(strangers: .ignored) { events in
            events.forEach { continuation.yield($0) }
        }
        events = stream.makeAsyncIterator()
    }

    mutating func next() async throws -> ProcessEvent {
        try #require(await events.next(isolation: nil))
    }

    /// What one command did, up to its end.
    struct Run {
        var pid: Int32 = 0
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        var report: ExitReport

        var output: String { String(decoding: stdout, as: UTF8.self) }
    }

    /// Runs a command to its end. Events of other commands are passed over.
    mutating func run(_ id: UInt64, _ spec: CommandSpec) async throws -> Run {
        loop.start(id, spec)
        return try await end(of: id)
    }

    /// Reads on to the end of a command that was started.
    mutating func end(of id: UInt64) async throws -> Run {
        var pid: Int32 = 0
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        while true {
            switch try await next() {
            case .started(id, let started): pid = started
            case .startFailed(id, let error): throw StartFailure(message: error.description)
            case .output(id, .stdout, let bytes): stdout += bytes
            case .output(id, .stderr, let bytes): stderr += bytes
            case .exited(id, let report): return Run(pid: pid, stdout: stdout, stderr: stderr, report: report)
            default: continue
            }
        }
    }

    /// Reads on until `id` has written `text` to stdout.
    mutating func waitForOutput(_ text: String, of id: UInt64) async throws {
        var output = ""
        while !output.contains(text) {
            if case .output(id, .stdout, let bytes) = try await next() {
                output += String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    /// The message with which a command fails to start.
    mutating func failure(_ spec: CommandSpec) async -> String? {
        do {
            _ = try await run(.max, spec)
            return nil
        } catch {
            return (error as? StartFailure)?.message
        }
    }
}

struct StartFailure: Error {
    let message: String
}

/// A variable by which a test finds the processes that it has started, wherever they are.
struct Mark {
    let variable = ("COHORT_TEST_MARK", String(UInt64.random(in: .min ... .max)))

    /// The living processes that carry the mark.
    var processes: [Int32] {
        let entry = Array("\(variable.0)=\(variable.1)".utf8)
        return ProcFile.numbers(in: "/proc").filter { pid in
            ProcFile.read("/proc/\(pid)/environ")?.split(separator: 0).contains { $0.elementsEqual(entry) } ?? false
        }
    }
}
