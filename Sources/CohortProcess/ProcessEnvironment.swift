internal import Glibc

/// The environment of a program: a shared base, laid out once for all programs that use it, and a few variables on top.
///
/// Adding variables copies no part of the base. Where a name is set twice the later value counts.
package struct ProcessEnvironment: Sendable {
    private let base: EnvironmentBlock
    private var additions: [(name: String, value: String)] = []

    private init(base: EnvironmentBlock) {
        self.base = base
    }

    /// Exactly these variables. Names are checked when a program is started.
    package init(_ variables: [String: String]) {
        self.init(base: EnvironmentBlock([]))
        additions = variables.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// A copy of this process's environment as it is now, without the variables in `names`: by default those that are
    /// meant for this process alone.
    ///
    /// Must not run while another thread changes the environment (setenv).
    package static func inherited(removing names: Set<String> = Guardian.variables) -> ProcessEnvironment {
        var entries: [UnsafeMutablePointer<CChar>] = []
        var next = environ
        while let entry = next.pointee {
            if !names.contains(EnvironmentBlock.name(of: entry)) {
                entries.append(entry)
            }
            next += 1
        }
        return ProcessEnvironment(base: EnvironmentBlock(entries))
    }

    /// The value of `name`, if it is set.
    package subscript(name: String) -> String? {
        additions.last { $0.name == name }?.value ?? base[name]
    }

    /// Sets `name`, over the base and over earlier additions.
    package mutating func set(_ name: String, to value: String) {
        additions.append((name: name, value: value))
    }

    /// The same environment with `additions` set in their order.
    package func adding(_ additions: [(String, String)]) -> ProcessEnvironment {
        var copy = self
        copy.additions.append(contentsOf: additions.map { (name: $0.0, value: $0.1) })
        return copy
    }

    /// Why a variable cannot be passed to a program, or nil.
    var problem: String? {
        for (name, value) in additions {
            if name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || name.holdsNUL {
                return "environment variable name \(name.debugDescription) is empty or contains '=' or NUL"
            }
            if value.holdsNUL {
                return "environment variable '\(name)' contains a NUL byte"
            }
        }
        return nil
    }

    /// Calls `body` with the NULL-terminated array of `name=value` strings.
    func withPointers<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        var strings = CStrings()
        for index in additions.indices {
            let (name, value) = additions[index]
            if !additions[(index + 1)...].contains(where: { $0.name == name }) {
                strings.append(name, "=", value)
            }
        }
        let kept = base.entries { name in !additions.contains { $0.name == name } }
        return withExtendedLifetime(base) { strings.withPointers(after: kept, body) }
    }
}

/// `name=value` strings that stay where they are for as long as this object lives.
private final class EnvironmentBlock: Sendable {
    // Written in init and freed in deinit only, so that any thread may read them in between.
    nonisolated(unsafe) private let pointers: [UnsafeMutablePointer<CChar>]
    private let names: [String]

    init(_ entries: [UnsafeMutablePointer<CChar>]) {
        var copies: [UnsafeMutablePointer<CChar>] = []
        copies.reserveCapacity(entries.count)
        for entry in entries {
            let size = strlen(entry) + 1
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            copy.initialize(from: entry, count: size)
            copies.append(copy)
        }
        pointers = copies
        names = copies.map(EnvironmentBlock.name(of:))
    }

    deinit {
        for pointer in pointers {
            pointer.deallocate()
        }
    }

    /// What stands before the first '='.
    static func name(of entry: UnsafeMutablePointer<CChar>) -> String {
        let length = strchr(entry, Int32(UInt8(ascii: "="))).map { $0 - entry } ?? strlen(entry)
        return entry.withMemoryRebound(to: UInt8.self, capacity: length) {
            String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
    }

    subscript(name: String) -> String? {
        guard let index = names.firstIndex(of: name), let equals = strchr(pointers[index], Int32(UInt8(ascii: "=")))
        else { return nil }
        return String(cString: equals + 1)
    }

    func entries(where isIncluded: (String) -> Bool) -> [UnsafeMutablePointer<CChar>] {
        var result: [UnsafeMutablePointer<CChar>] = []
        result.reserveCapacity(pointers.count)
        for (index, name) in names.enumerated() where isIncluded(name) {
            result.append(pointers[index])
        }
        return result
    }
}
