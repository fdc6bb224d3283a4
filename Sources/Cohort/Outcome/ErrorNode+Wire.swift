internal import FoundationEssentials

extension ErrorNode {
    /// Bytes of a tree that travels with the end of a task.
    package static let wireLimit = 1 << 20

    /// The tree as it travels in `AttemptDetail.tree`: JSON, with as many leaves as fit.
    package var wireBytes: [UInt8] {
        var node = self
        var room = leaves.count
        while true {
            let bytes = Array(node.jsonText(.line).utf8)
            if bytes.count <= Self.wireLimit { return bytes }
            // One leaf that is too long by itself: the plain error must do.
            guard room > 1 else { return [] }
            room /= 2
            node = capped(at: room)
        }
    }

    /// Reads what a worker has sent as the tree of a task's errors.
    ///
    /// - Returns: `nil` if it is none: too long, too deep, not JSON, not a tree. The plain error stands then.
    package init?(wireBytes: [UInt8]) {
        guard !wireBytes.isEmpty, wireBytes.count <= Self.wireLimit,
            // Bounds the depth.
            (try? JSONValue(parsing: wireBytes)) != nil,
            let node = try? JSONDecoder().decode(ErrorNode.self, from: Data(wireBytes))
        else { return nil }
        self = node
    }
}
