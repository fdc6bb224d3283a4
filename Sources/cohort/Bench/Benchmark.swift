internal import ArgumentParser

/// What `cohort bench` can measure, in the order in which it does.
enum Benchmark: String, ExpressibleByArgument, CaseIterable {
    /// Many calls that do nothing, a window of them under way.
    case calls
    /// Calls that do nothing, one after the other.
    case roundtrip
    /// Many commands that do nothing.
    case commands
    /// Memory of the coordinator for tasks that wait.
    case queued
    /// From the start of `cohort run` to its first result.
    case start

    /// It looks into the pool's processes, or starts them: only a pool of one's own will do.
    var needsOwnPool: Bool { self == .queued || self == .start }
}

/// How much is measured.
struct BenchmarkSettings {
    /// Of each call and each waiting task.
    static let payloadBytes = 100
    /// Calls under way while throughput is measured.
    static let callWindow = 10_000
    /// Commands under way: enough that workers always have the next one at hand.
    static let commandWindow = 256
    static let roundTrips = 5_000
    static let starts = 10

    var calls: Int
    var commands: Int
    var queued: Int
    var slots: Int
    /// A running coordinator; `nil` for pools of one's own.
    var endpoint: String?
    /// For one that wants keys.
    var keys: KeyOptions
}
