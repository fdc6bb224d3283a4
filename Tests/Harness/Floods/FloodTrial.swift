internal import ArgumentParser
internal import CohortFuzzKit
internal import CohortProcess
internal import CohortRuntime
internal import FoundationEssentials
internal import Glibc

/// The runs of `cohort-harness floods`.
final class FloodTrial {
    /// Who is flooded.
    enum Port: String, CaseIterable, ExpressibleByArgument {
        case coordinator, outside, inside
        case worker
        case client

        var name: String {
            switch self {
            case .coordinator: "coordinator, no keys"
            case .outside: "coordinator with keys, from outside"
            case .inside: "coordinator with keys, from inside"
            case .worker, .client: rawValue
            }
        }
    }

    /// What became of it.
    struct Result {
        var port: Port
        var frames = 0
        var elapsed = 0.0
        /// Resident bytes before and after, and the most at any time.
        var before = 0
        var after = 0
        var peak = 0
        /// What the coordinator says.
        var dropped: Int?
        var refused: Int?
        /// What is wrong; nothing if all is well.
        var faults: [String] = []

        func isClean(growth: Int) -> Bool { faults.isEmpty && after - before < growth }

        var text: String {
            var text = "\(port.name): \(frames) messages in \(Int(elapsed * 1_000)) ms, "
            text += "memory \(before >> 10) KiB before, \(after >> 10) KiB after, \(peak >> 10) KiB at most"
            if let dropped { text += ", \(dropped) dropped" }
            if let refused { text += ", \(refused) refused" }
            return text + (faults.isEmpty ? ", no harm" : "\n  " + faults.joined(separator: "\n  "))
        }
    }

    private let options: FloodsCommand
    private let workplace: Workplace

    init(_ options: FloodsCommand, in workplace: Workplace) {
        self.options = options
        self.workplace = workplace
    }

    func run(_ port: Port) throws -> Result {
        switch port {
        case .coordinator, .outside, .inside: try floodCoordinator(port)
        case .worker: try floodWorker()
        case .client: try floodClient()
        }
    }

    // MARK: A coordinator

    private func floodCoordinator(_ port: Port) throws -> Result {
        let cluster = try FloodedCluster(workplace, name: "\(port)", hasKeys: port != .coordinator)
        var result = Result(port: port, frames: options.frames)
        let messages = try FloodMessages(root: options.corpus, seed: options.seed)
        let keys = port == .inside ? cluster.keys : nil
        if port != .outside {
            // What is allocated once is no growth.
            var warmUp = Flood(endpoint: cluster.endpoint, keys: keys, messages: messages)
            try warmUp.run(options.frames / 10, connections: 4)
        }
        let batch = try cluster.startBatch(tasks: options.tasks)
        result.before = cluster.coordinator.memory.now
        let begin = ContinuousClock.now
        if port == .outside {
            // Nothing that is sent gets past the greeting: a connection is what can be sent.
            result.frames = options.frames / 20
            try Flood.sendGarbage(connections: result.frames, to: cluster.port, seed: options.seed)
        } else {
            var flood = Flood(
                endpoint: cluster.endpoint,
                keys: keys,
                messages: try FloodMessages(root: options.corpus, seed: options.seed &+ 1)
            )
            try flood.run(options.frames, connections: 10)
        }
        result.elapsed = begin.duration(to: .now) / .seconds(1)
        (result.after, result.peak) = cluster.coordinator.memory
        result.faults = cluster.faults(of: batch, tasks: options.tasks)
        (result.dropped, result.refused) = try cluster.counts()
        cluster.end()
        return result
    }

    // MARK: Peers

    private func floodWorker() throws -> Result {
        var result = Result(port: .worker, frames: options.frames)
        let (worker, endpoint) = try flood(
            "flooded-worker",
            ["worker", "--slots", "2", "--name", "flooded"],
            into: &result
        )
        // Whom the false coordinator leaves alone works for a real one as if nothing had been.
        let cluster = try FloodedCluster(workplace, name: "after", bind: endpoint, startsWorker: false)
        if worker.hasEnded { result.faults.append("the worker has ended: \(worker.errorText)") }
        let batch = try cluster.startBatch(tasks: options.tasks)
        result.faults += cluster.faults(of: batch, tasks: options.tasks)
        (result.after, result.peak) = worker.familyMemory
        worker.send(SIGINT)
        if worker.wait(seconds: 60)?.shellCode != 0 { result.faults.append("the worker does not end in order") }
        cluster.end()
        return result
    }

    private func floodClient() throws -> Result {
        var result = Result(port: .client, frames: options.frames)
        let (client, _) = try flood("flooded-client", ["wait", "1", "--patience", "1s"], into: &result)
        guard let code = client.wait(seconds: 60)?.shellCode else {
            result.faults.append("the client goes on waiting")
            return result
        }
        // The coordinator is gone, and it says so.
        if code != 3 { result.faults.append("the client ends with status \(code): \(client.errorText)") }
        return result
    }

    /// Starts a peer of a false coordinator and floods it; returns it and where that was.
    private func flood(
        _ name: String,
        _ arguments: [String],
        into result: inout Result
    ) throws -> (peer: Started, endpoint: String) {
        let coordinator = try FalseCoordinator(try FloodMessages(root: options.corpus, seed: options.seed))
        let words = [Workplace.cohort, arguments[0], "--connect", coordinator.endpoint] + arguments.dropFirst()
        let peer = try workplace.start(name, words)
        let begin = ContinuousClock.now
        do {
            try coordinator.awaitPeer()
            result.before = peer.familyMemory.now
            try coordinator.flood(options.frames)
        } catch {
            throw HarnessError("\(name): \(error)\n\(peer.errorText)")
        }
        result.elapsed = begin.duration(to: .now) / .seconds(1)
        (result.after, result.peak) = peer.familyMemory
        try coordinator.dismiss("that is all")
        usleep(100_000)
        return (peer, coordinator.endpoint)
    }
}

extension Started {
    /// Resident bytes now, and the most so far.
    var memory: (now: Int, peak: Int) { Self.memory(of: pid) }

    /// The same of this one and all below it together: whoever has the connection is one of them.
    var familyMemory: (now: Int, peak: Int) {
        var family = [pid]
        var sum = (now: 0, peak: 0)
        while let member = family.popLast() {
            let memory = Self.memory(of: member)
            sum = (sum.now + memory.now, sum.peak + memory.peak)
            family += Files.read("/proc/\(member)/task/\(member)/children").split(separator: " ").compactMap {
                Int32($0)
            }
        }
        return sum
    }

    private static func memory(of pid: Int32) -> (now: Int, peak: Int) {
        var found: [Substring: Int] = [:]
        for line in Files.read("/proc/\(pid)/status").split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 3, let kibibytes = Int(words[1]) { found[words[0]] = kibibytes << 10 }
        }
        return (found["VmRSS:"] ?? 0, found["VmHWM:"] ?? 0)
    }
}
