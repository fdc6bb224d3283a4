internal import FoundationEssentials
internal import Glibc

enum Files {
    /// All of a file; empty if there is none.
    static func read(_ path: String) -> String {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    /// Bytes of a file; 0 if there is none.
    static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    static func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}

/// Looks again every 2 ms until `isReached`, which nobody else tells.
///
/// - Returns: false when the limit has passed before.
func wait(seconds: Double, until isReached: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !isReached() {
        if ContinuousClock.now >= end { return false }
        usleep(2_000)
    }
    return true
}
