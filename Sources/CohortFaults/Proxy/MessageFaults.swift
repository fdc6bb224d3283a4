package import CohortBatch
package import CohortCore

/// What happens to the messages of one direction of one connection: the same for the same seed, connection and order.
package struct MessageFaults: Sendable {
    /// A fault of the plan, with the instants between which it holds.
    package struct Rule: Sendable {
        package var fault: FrameFault
        package var from: Instant
        package var to: Instant

        package init(fault: FrameFault, begun: Instant) {
            self.fault = fault
            from = begun.advanced(by: TimeSpan(fault.from))
            to = fault.length.map { [from] in from.advanced(by: TimeSpan($0)) } ?? Instant(nanoseconds: .max)
        }
    }

    /// What becomes of a message.
    package struct Fate: Sendable, Equatable {
        package var copies = 1
        package var isCorrupted = false
        package var delay = TimeSpan.zero

        package init() {}
    }

    private let rules: [Rule]
    private var generator: SeededGenerator

    package init(_ rules: [Rule], seed: UInt64, connection: Int, direction: String) {
        self.rules = rules
        generator = SeededGenerator(seed: seed, "messages", String(connection), direction)
    }

    /// Decides about the next message.
    package mutating func next(at now: Instant) -> Fate {
        var fate = Fate()
        for rule in rules where rule.from <= now && now < rule.to {
            if hits(rule.fault.drop) { fate.copies = 0 }
            if hits(rule.fault.duplicate), fate.copies > 0 { fate.copies += 1 }
            if hits(rule.fault.corrupt) { fate.isCorrupted = true }
            fate.delay = max(fate.delay, TimeSpan(rule.fault.delay))
        }
        return fate
    }

    /// Whether the connection is to break in this second.
    package mutating func breaks(at now: Instant) -> Bool {
        var isBroken = false
        for rule in rules where rule.from <= now && now < rule.to {
            if hits(rule.fault.disconnect) { isBroken = true }
        }
        return isBroken
    }

    private mutating func hits(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &generator) < probability
    }

    /// Overwrites the first frame, so that no receiver can make sense of it.
    ///
    /// A flipped bit that still makes sense is not what this is for: the transports have checksums of their own. What is to be
    /// shown is that a message which cannot be read is noticed, counted, dropped and sent again.
    package static func corrupt(_ message: inout [UInt8], bodies: [Range<Int>]) {
        guard let first = bodies.first(where: { !$0.isEmpty }) else { return }
        for index in first { message[index] = 0xff }
    }
}
