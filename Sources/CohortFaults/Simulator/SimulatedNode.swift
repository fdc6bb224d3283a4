internal import CohortCore

/// One process of the simulated cluster, with a loop that goes round when something has arrived or a timer is due.
class SimulatedNode {
    let number: Int
    /// Nodes of one machine are cut off together.
    let machine: Int
    var isDead = false
    var isFrozen = false
    /// When it was last woken from a freeze.
    var thawedAt = Instant(nanoseconds: 0)
    /// The turn that counts; others in the queue are left over.
    var scheduledTurn: Instant?

    init(number: Int, machine: Int) {
        self.number = number
        self.machine = machine
    }

    /// When a turn is due although nothing arrives; `nil` for never.
    var nextDeadline: Instant? { nil }

    /// Deals with what has arrived and with the passing of time.
    func turn(_ simulation: Simulation) {}

    /// A message for this node has come out of a connection.
    func arrived(_ frames: [[UInt8]], from connection: Int) {}

    /// Something began, or ceased, to stand between it and the rest.
    func conditionsChanged(_ simulation: Simulation) {}
}

/// A hash over all that happens in a simulation: equal for equal runs, on any machine.
package struct TraceHash: Sendable, Equatable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ number: UInt64) {
        value = (value ^ number) &* 0x9e37_79b9_7f4a_7c15
        value ^= value >> 29
    }

    mutating func add(_ frames: [[UInt8]]) {
        for frame in frames {
            add(UInt64(frame.count))
            frame.withUnsafeBytes { bytes in
                var offset = 0
                while offset + 8 <= bytes.count {
                    add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                    offset += 8
                }
                while offset < bytes.count {
                    add(UInt64(bytes[offset]))
                    offset += 1
                }
            }
        }
    }
}
