internal import CohortBatch
internal import CohortProcess
internal import CohortRuntime
internal import Synchronization

/// A task of a map, ready to be submitted.
struct MapTask: Sendable {
    var number: Int
    var values: [[UInt8]]
    var work: Work
}

/// What a map's reader hands over.
enum MapReading: Sendable {
    case task(MapTask)
    case end
    case failed(String)
}

/// Reads a map's input on a thread of its own, since reading may block, and never further ahead than it is allowed.
final class MapReader: Sendable {
    let readings: Mailbox<MapReading>
    private let gate: ReadingGate

    /// - Parameters:
    ///   - items: the input.
    ///   - render: makes a task of an item; throws for values that cannot be put in.
    ///   - window: how many items may be read and not yet dealt with.
    init(_ items: MapItems, window: Int, render: @escaping @Sendable (MapItem) throws -> Work) throws {
        readings = try Mailbox()
        gate = try ReadingGate(allowance: window)
        let readings = readings
        let gate = gate
        // Handed over whole: nobody else reads from it.
        nonisolated(unsafe) var items = items
        try BlockingThread.start(named: "map-input") {
            while gate.pass() {
                do {
                    guard let item = try items.next() else { return readings.put(.end) }
                    let work = try render(item)
                    readings.put(.task(MapTask(number: item.number, values: item.values, work: work)))
                } catch {
                    return readings.put(.failed("\(error)"))
                }
            }
        }
    }

    /// So many more items may be read.
    func allow(_ count: Int) { gate.allow(count) }

    /// Nothing more is wanted.
    func close() { gate.close() }
}

/// Counts how much further a reader may go, and makes it wait.
private final class ReadingGate: Sendable {
    private struct State {
        var allowance: Int
        var isClosed = false
    }

    private let state: Mutex<State>
    private let wake: Mailbox<Void>

    init(allowance: Int) throws {
        state = Mutex(State(allowance: allowance))
        wake = try Mailbox()
    }

    /// Waits until the reader may go on by one. Returns false when it is to end.
    func pass() -> Bool {
        while true {
            let verdict: Bool? = state.withLock { state in
                if state.isClosed { return false }
                guard state.allowance > 0 else { return nil }
                state.allowance -= 1
                return true
            }
            if let verdict { return verdict }
            _ = Descriptors.wait(for: [wake.descriptor])
            _ = wake.takeAll()
        }
    }

    func allow(_ count: Int) {
        state.withLock { $0.allowance += count }
        wake.put(())
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wake.put(())
    }
}
