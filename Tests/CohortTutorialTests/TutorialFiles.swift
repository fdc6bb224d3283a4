internal import TestSupport
internal import Testing

/// Where the tutorial's examples and what they print are kept.
enum TutorialFiles {
    /// The root of the repository.
    static let repository: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/")
    }()
    static let tutorial = repository + "/workers/tutorial"

    /// The content of a file of the repository; `nil` if there is none.
    static func text(_ path: String) -> String? {
        ProcessScan.contents("\(repository)/\(path)").map { String(decoding: $0, as: UTF8.self) }
    }

    /// The names, without extension, of the files in a directory that have this extension.
    static func names(in directory: String, _ ending: String) -> [String] {
        ProcessScan.names(in: "\(tutorial)/\(directory)").filter { $0.hasSuffix(ending) }
            .map { String($0.dropLast(ending.count)) }
    }

    /// Expects that what is printed is the content of a file.
    ///
    /// Where times are shown, three tries are made: a machine that stands still for a moment makes others of them.
    static func expect(
        _ path: String,
        location: SourceLocation = #_sourceLocation,
        _ printed: () throws -> String
    ) throws {
        let expected = try #require(text(path), sourceLocation: location)
        var last = ""
        for _ in 0..<(expected.contains(/[0-9] ?m?s\b/) ? 3 : 1) {
            last = try printed()
            if last == expected { return }
            print("\(path): something else was printed:\n\(last)")
        }
        #expect(last == expected, sourceLocation: location)
    }
}
