internal import CZeroMQ

/// What the libzmq that this process runs with is and can.
public enum Library {
    /// A version of libzmq, compared by its three numbers.
    public struct Version: Hashable, Comparable, Sendable, CustomStringConvertible {
        /// Changes with the binary interface.
        public let major: Int
        /// Changes with new features.
        public let minor: Int
        /// Changes with every release.
        public let patch: Int

        /// The three numbers with dots between them.
        public var description: String { "\(major).\(minor).\(patch)" }

        /// Makes a version to compare with.
        public init(_ major: Int, _ minor: Int, _ patch: Int) {
            self.major = major
            self.minor = minor
            self.patch = patch
        }

        /// Whether the left version is the older one.
        public static func < (left: Version, right: Version) -> Bool {
            (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
        }
    }

    /// An optional part of libzmq, present or not by how it was built.
    public struct Capability: Hashable, Sendable {
        let name: String

        /// The `ipc://` transport.
        public static let ipc = Capability(name: "ipc")
        /// Authentication and encryption by CURVE.
        public static let curve = Capability(name: "curve")
        /// The interfaces that libzmq does not promise to keep.
        public static let draft = Capability(name: "draft")
    }

    /// The version in use, which may be newer than the one compiled against.
    public static var version: Version {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe zmq_version(&major, &minor, &patch)
        return Version(Int(major), Int(minor), Int(patch))
    }

    /// Whether the library in use was built with a capability.
    public static func has(_ capability: Capability) -> Bool {
        unsafe zmq_has(capability.name) == 1
    }
}
