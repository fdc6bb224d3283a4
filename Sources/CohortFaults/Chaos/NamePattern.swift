internal import Glibc

/// Shell patterns for the names of tasks.
enum NamePattern {
    /// - Parameters:
    ///   - pattern: `*`, `?` and `[…]` as the shell has them; with a slash it is for the path, else for the name.
    ///   - path: the names of the groups around the task and its own, with slashes between.
    static func matches(_ pattern: String, name: String, path: String) -> Bool {
        // A name may hold brackets of its own, which nobody wants to escape.
        if pattern == name || pattern == path { return true }
        return fnmatch(pattern, pattern.contains("/") ? path : name, 0) == 0
    }
}
