/// The parts of a path that replacement strings name, on bytes, with GNU parallel's results for odd paths.
enum PathParts {
    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// `{.}`: without the last extension. `.hidden` has nothing left; a dot in a directory's name is no extension.
    static func withoutExtension(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let place = path.lastIndex(where: { $0 == dot || $0 == slash }), path[place] == dot else { return path }
        return path[..<place]
    }

    /// `{/}`: what follows the last slash, nothing if the path ends in one.
    static func base(of path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let place = path.lastIndex(of: slash) else { return path }
        return path[(place + 1)...]
    }

    /// `{//}`: the directory, as dirname(1) has it.
    static func directory(of path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let end = path.lastIndex(where: { $0 != slash }) else {
            return path.isEmpty ? [dot] : [slash]
        }
        guard let place = path[...end].lastIndex(of: slash) else { return [dot] }
        guard let last = path[..<place].lastIndex(where: { $0 != slash }) else { return [slash] }
        return path[...last]
    }
}
