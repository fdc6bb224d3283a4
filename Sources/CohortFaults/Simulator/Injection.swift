internal import CohortCore

/// Something that is done to a simulated cluster from outside: a request of a user, or a fault.
///
/// Injections are numbered from 1 in the order in which the seed brings them. Each has random numbers of its own, so that a
/// run without some of them is the same run otherwise.
package struct Injection: Sendable, Equatable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case openTree
        case addTasks
        case seal
        case cancelGroup
        case cancelTask
        case moveDeadline
        case watch
        case clientJoins
        case clientLeaves

        case clientDies
        case workerJoins
        case workerDrains
        case workerDies
        case coordinatorDies
        case freezes
        case connectionBreaks
        case connectionStalls
        case partition
        case diskStalls

        package var isFault: Bool { rawValue >= Kind.clientDies.rawValue }

        package var name: String {
            switch self {
            case .openTree: "open a tree of groups"
            case .addTasks: "add tasks"
            case .seal: "seal a group"
            case .cancelGroup: "cancel a group"
            case .cancelTask: "cancel a task"
            case .moveDeadline: "move a deadline"
            case .watch: "watch a group"
            case .clientJoins: "a client joins"
            case .clientLeaves: "a client leaves"
            case .clientDies: "client killed"
            case .workerJoins: "worker added"
            case .workerDrains: "worker drained"
            case .workerDies: "worker killed"
            case .coordinatorDies: "coordinator killed"
            case .freezes: "process frozen"
            case .connectionBreaks: "connection broken"
            case .connectionStalls: "connection stalled"
            case .partition: "partition"
            case .diskStalls: "disk stalled"
            }
        }

        var usualWeight: Int {
            switch self {
            case .openTree: 20
            case .addTasks: 20
            case .seal: 10
            case .cancelGroup: 4
            case .cancelTask: 6
            case .moveDeadline: 4
            case .watch: 3
            case .clientJoins: 3
            case .clientLeaves: 2
            case .clientDies: 4
            case .workerJoins: 3
            case .workerDrains: 3
            case .workerDies: 8
            case .coordinatorDies: 6
            case .freezes: 5
            case .connectionBreaks: 10
            case .connectionStalls: 8
            case .partition: 5
            case .diskStalls: 4
            }
        }
    }

    package var number: Int
    var at: Instant
    package var kind: Kind
    /// What it came to: who was hit, and how. Empty if it came at a moment at which it meant nothing.
    package var effect: String

    package var description: String {
        "\(number) at \(Double(at.nanoseconds / 1_000) / 1e6) s: \(kind.name)\(effect.isEmpty ? "" : ", \(effect)")"
    }
}

/// Numbers of injections that are left out, written `3,7-9`.
package struct InjectionNumbers: Sendable, Equatable, CustomStringConvertible {
    /// Ascending, and neither touching nor overlapping.
    package private(set) var ranges: [ClosedRange<Int>]

    package init(_ numbers: some Sequence<Int>) {
        ranges = []
        for number in numbers.sorted() {
            if let last = ranges.last, number <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, number)
            } else {
                ranges.append(number...number)
            }
        }
    }

    /// - Returns: `nil` if the text is no list of numbers and ranges of numbers, all of them 1 or more.
    package init?(_ text: String) {
        var parts: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), first >= 1,
                last >= first
            else { return nil }
            parts.append(first...last)
        }
        ranges = []
        for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, part.lowerBound <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
            } else {
                ranges.append(part)
            }
        }
    }

    package func contains(_ number: Int) -> Bool { ranges.contains { $0.contains(number) } }

    package var isEmpty: Bool { ranges.isEmpty }

    package var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}
