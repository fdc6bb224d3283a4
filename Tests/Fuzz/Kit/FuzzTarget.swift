/// Something that takes in what others have written and must come through all of it.
package protocol FuzzTarget: Sendable {
    /// What its corpus is called: the directory below `Tests/Fuzz/corpus`.
    static var name: String { get }
    /// Words that mean something in its input, for mutations.
    static var words: [[UInt8]] { get }

    init()

    /// Takes an input in. Traps or throws if something is wrong with the program, never for what is wrong with the input.
    func run(_ input: [UInt8]) throws

    /// Changes an input in a way that knows its form; nil where there is nothing to know.
    func mutate(_ input: [UInt8], with other: [UInt8], _ random: inout SplitMix64) -> [UInt8]?
}

extension FuzzTarget {
    package func mutate(_ input: [UInt8], with other: [UInt8], _ random: inout SplitMix64) -> [UInt8]? { nil }
}

/// What is wrong with a program, as an input has shown.
package struct FuzzFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// All targets, by the names of their corpora.
package enum FuzzTargets {
    package static let all: [any FuzzTarget.Type] = [FrameTarget.self, BatchTarget.self, AllowTarget.self]

    package static func named(_ name: String) -> (any FuzzTarget.Type)? { all.first { $0.name == name } }
}
