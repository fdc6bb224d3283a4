internal import Cohort

/// An error of a call as it is reported: what was thrown, in text, each part within its bound.
package struct CallFailure: Error, Sendable, Equatable {
    package static let maximumTypeBytes = 256
    package static let maximumTextBytes = 16 << 10
    package static let maximumTreeBytes = ErrorNode.wireLimit

    /// Name of the error's type, without its module: at most 256 bytes.
    package let type: String
    /// What the error says of itself: at most 16 KiB.
    package let message: String
    /// What a debugger would show of it, if that is more: at most 16 KiB.
    package let trace: String
    /// The error as a tree, JSON of an `ErrorNode`: at most 1 MiB, empty if the error is a plain one.
    package let tree: [UInt8]

    /// A tree that is too large is left out, and the message says so.
    package init(type: String, message: String, trace: String = "", tree: [UInt8] = []) {
        var message = message.cut(to: Self.maximumTextBytes)
        if tree.count > Self.maximumTreeBytes {
            let note = " (its tree has \(tree.count) bytes and is left out; at most \(Self.maximumTreeBytes) are kept)"
            message = message.cut(to: Self.maximumTextBytes - note.utf8.count) + note
        }
        self.type = type.cut(to: Self.maximumTypeBytes)
        self.message = message
        self.trace = trace.cut(to: Self.maximumTextBytes)
        self.tree = tree.count > Self.maximumTreeBytes ? [] : tree
    }

    /// Describes an error that a function threw.
    package init(describing error: any Error) {
        let message = String(describing: error)
        let details = String(reflecting: error)
        let type = ErrorType(naming: Swift.type(of: error))
        self.init(type: type.rawValue, message: message, trace: details == message ? "" : details)
    }
}

extension String {
    /// The text, cut at a character's boundary and marked as such if it has more than `limit` bytes.
    func cut(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let mark = "…"
        var end = utf8.index(startIndex, offsetBy: limit - mark.utf8.count)
        while end.samePosition(in: unicodeScalars) == nil {
            end = utf8.index(before: end)
        }
        return self[..<end] + mark
    }
}
