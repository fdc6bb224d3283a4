/// The environment variable by which the processes of a command are known, wherever they have gone in the process tree.
///
/// Its value names the command, and before that the commands around it if this process is itself part of one: an outer
/// loop then recognises what an inner one has started. Hosts and what they start are known in the same way.
struct AttemptTag {
    static let name = "COHORT_ATTEMPT_TAG"

    /// What a process's environment says.
    enum Reading: Equatable {
        /// Part of the command, or host, with this serial.
        case command(serial: UInt64)
        /// Started by someone else who tags.
        case foreign
        case untagged
        /// The process is amid execve, or has ended.
        case unknown
    }

    private let prefix: String
    /// Unique to one loop.
    private let loop: String

    /// `inherited` is the tag under which this process itself runs.
    init(inherited: String?) {
        let loop = String(UInt64.random(in: .min ... .max), radix: 16)
        self.loop = loop
        prefix = inherited.map { "\($0)/\(loop)-" } ?? "\(loop)-"
    }

    func value(serial: UInt64) -> String {
        prefix + String(serial, radix: 16)
    }

    func read(fromEnvironmentOf pid: Int32) -> Reading {
        let entries: [ArraySlice<UInt8>]
        switch ProcFile.environment(of: pid) {
        case .entries(let found): entries = found
        case .none: return .unknown
        case .hidden: return .untagged
        }
        let key = Array("\(AttemptTag.name)=".utf8)
        guard let entry = entries.first(where: { $0.starts(with: key) }) else { return .untagged }
        for part in entry.dropFirst(key.count).split(separator: UInt8(ascii: "/")) {
            let fields = part.split(separator: UInt8(ascii: "-"))
            if fields.count == 2, fields[0].elementsEqual(loop.utf8),
                let serial = UInt64(String(decoding: fields[1], as: UTF8.self), radix: 16)
            {
                return .command(serial: serial)
            }
        }
        return .foreign
    }
}
