/// `{"seconds": 0.5}`, just `0.5`, or nothing at all.
struct DemoSeconds: Codable, Sendable {
    /// Seconds; nil if none were given.
    var seconds: Double?

    private enum CodingKeys: CodingKey {
        case seconds
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() { return }
        seconds =
            if let number = try? value.decode(Double.self) {
                number
            } else {
                try decoder.container(keyedBy: CodingKeys.self).decode(Double.self, forKey: .seconds)
            }
        guard let seconds, (0...1e9).contains(seconds) else {
            let problem = "seconds must be from 0 to 1000000000"
            throw DecodingError.dataCorruptedError(in: value, debugDescription: problem)
        }
    }

    /// The time as a duration; `missing` if none was given.
    func duration(or missing: Duration) -> Duration {
        seconds.map { .seconds($0) } ?? missing
    }
}

/// `{"message": "no"}`, just `"no"`, or nothing at all.
struct DemoMessage: Codable, Sendable {
    var message: String

    private enum CodingKeys: CodingKey {
        case message
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            message = "failed as asked"
        } else if let text = try? value.decode(String.self) {
            message = text
        } else {
            message = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .message)
        }
    }
}

/// `{"code": 3}`, just `3`, or nothing at all.
struct DemoExitCode: Codable, Sendable {
    var code: UInt8

    private enum CodingKeys: CodingKey {
        case code
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            code = 1
        } else if let number = try? value.decode(UInt8.self) {
            code = number
        } else {
            code = try decoder.container(keyedBy: CodingKeys.self).decode(UInt8.self, forKey: .code)
        }
    }
}

/// `{"lines": ["a", "b"], "errors": ["c"]}`, just `["a", "b"]`, or just `"a"`.
struct DemoLines: Codable, Sendable {
    var lines: [String] = []
    /// For stderr.
    var errors: [String] = []

    private enum CodingKeys: CodingKey {
        case lines
        case errors
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let line = try? value.decode(String.self) {
            lines = [line]
        } else if let list = try? value.decode([String].self) {
            lines = list
        } else {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            lines = try container.decodeIfPresent([String].self, forKey: .lines) ?? []
            errors = try container.decodeIfPresent([String].self, forKey: .errors) ?? []
        }
    }
}

/// `{"depth": 2, "width": 3}`.
struct DemoTree: Codable, Sendable {
    static let depths = 0...60
    static let widths = 1...1_000

    /// How many levels of groups there are below the task.
    var depth: Int
    /// How many tasks each group has.
    var width: Int

    private enum CodingKeys: CodingKey {
        case depth
        case width
    }

    init(depth: Int, width: Int) {
        self.depth = depth
        self.width = width
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        depth = try Self.number(.depth, in: container, Self.depths)
        width = try Self.number(.width, in: container, Self.widths)
    }

    private static func number(
        _ key: CodingKeys,
        in container: KeyedDecodingContainer<CodingKeys>,
        _ range: ClosedRange<Int>
    ) throws -> Int {
        let number = try container.decode(Int.self, forKey: key)
        guard range.contains(number) else {
            let problem = "must be from \(range.lowerBound) to \(range.upperBound)"
            throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: problem)
        }
        return number
    }
}
