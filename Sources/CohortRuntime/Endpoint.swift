/// An endpoint as users write it, looked at before libzmq does, which says little of what is wrong.
package struct Endpoint: Sendable, Hashable {
    /// Why a text is no endpoint: what is wrong with it, and what is right.
    package struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    private enum Place: Sendable, Hashable {
        case tcp(host: String)
        case ipc(path: String)
    }

    /// libzmq's own limit for a path, without the scheme.
    private static let longestPath = 107
    private static let form = "an endpoint is tcp://ADDRESS:PORT or ipc://PATH, such as tcp://127.0.0.1:7077"

    package let text: String
    private let place: Place

    /// - Parameter isBound: it is to be listened at, where the port may be `*` for any that is free.
    package init(_ text: String, isBound: Bool = false) throws(Invalid) {
        self.text = text
        if text.utf8.contains(0) { throw Invalid(description: "'\(text)' has a zero byte in it; \(Self.form)") }
        if text.hasPrefix("tcp://") {
            place = .tcp(host: try Self.host(of: text, isBound: isBound))
        } else if text.hasPrefix("ipc://") {
            place = .ipc(path: try Self.path(of: text))
        } else {
            throw Invalid(description: "'\(text)' is not an endpoint: \(Self.form)")
        }
    }

    /// The path of an `ipc` endpoint; `nil` for one in the abstract name space, which is not in the file system.
    package var path: String? {
        guard case .ipc(let path) = place, !path.hasPrefix("@") else { return nil }
        return path
    }

    /// The host of a `tcp` endpoint, without the brackets of an IPv6 address.
    package var host: String? {
        guard case .tcp(let host) = place else { return nil }
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// Whether only processes of this machine can connect to it.
    package var isLocal: Bool {
        switch place {
        case .ipc: return true
        case .tcp(let host):
            if ["localhost", "[::1]", "lo"].contains(host) { return true }
            let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
            return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
        }
    }

    private static func host(of text: String, isBound: Bool) throws(Invalid) -> String {
        let rest = text.dropFirst("tcp://".count)
        guard let colon = rest.lastIndex(of: ":"), colon != rest.startIndex else {
            throw Invalid(description: "'\(text)' has no port: \(form)")
        }
        let port = rest[rest.index(after: colon)...]
        let isWildcard = isBound && (port == "*" || port == "0")
        guard isWildcard || UInt16(port).map({ $0 > 0 }) == true, port.utf8.first != UInt8(ascii: "+") else {
            throw Invalid(description: "'\(text)' has no port: '\(port)' is not a number from 1 to 65535")
        }
        let host = String(rest[..<colon])
        if host.contains("/") || host.contains(where: \.isWhitespace) || host.contains(":") != host.hasPrefix("[") {
            throw Invalid(description: "'\(text)': '\(host)' is not a host (an IPv6 address stands in [ ]); \(form)")
        }
        if !isBound, host == "*" {
            throw Invalid(description: "'\(text)': a peer connects to one address, not to '*'")
        }
        return host
    }

    private static func path(of text: String) throws(Invalid) -> String {
        let path = String(text.dropFirst("ipc://".count))
        if path.isEmpty || path == "*" { throw Invalid(description: "'\(text)' has no path: \(form)") }
        if path.utf8.count > longestPath {
            throw Invalid(
                description: "'\(text)': the path has \(path.utf8.count) bytes, at most \(longestPath) work"
            )
        }
        return path
    }
}
