extension ErrorNode: JSONRepresentable, Codable {
    /// Type of a group node in JSON.
    static let groupType = "ErrorGroup"

    fileprivate enum CodingKeys: String, CodingKey {
        case type, message, group, errors, omitted, task, id, attempt, attempts, signal, stderr, trace, worker, host
        case command, elapsed, cancelled
        case exitCode = "exit_code"
        case timedOut = "timed_out"
    }

    /// The node with its members in reading order.
    public var json: JSONValue {
        switch self {
        case .group(let group): group.json
        case .leaf(let leaf): leaf.json
        }
    }

    /// Reads a node: what has `errors` is a group, anything else a leaf.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // A call may throw an `ErrorGroup` of its own language: only a group has `errors`.
        if container.contains(.errors) {
            self = .group(try Group(from: decoder))
        } else {
            self = .leaf(try Leaf(from: decoder))
        }
    }
}

extension ErrorNode.Group: JSONRepresentable, Codable {
    private typealias Keys = ErrorNode.CodingKeys

    /// The group's members and the nodes below it.
    public var json: JSONValue {
        var object = JSONObject()
        object.append(Keys.type, .string(ErrorNode.groupType))
        object.append(Keys.message, .string(message))
        object.append(Keys.group, .string(group))
        object.appendIfPresent(Keys.id, id.map(JSONValue.string))
        object.appendIfPresent(Keys.task, task.map(JSONValue.string))
        if timedOut { object.append(Keys.timedOut, .bool(true)) }
        if cancelled { object.append(Keys.cancelled, .bool(true)) }
        object.appendIfPresent(Keys.elapsed, elapsed.map { JSONValue(seconds: $0) })
        object.append(Keys.errors, .array(errors.map(\.json)))
        object.appendIfPresent(Keys.omitted, omitted.map(JSONValue.int))
        return .object(object)
    }

    /// Reads the group and the nodes below it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.init(
            group: try container.decode(String.self, forKey: .group),
            errors: try container.decode([ErrorNode].self, forKey: .errors),
            omitted: try container.decodeIfPresent(Int.self, forKey: .omitted),
            message: try container.decode(String.self, forKey: .message),
            id: try container.decodeIfPresent(String.self, forKey: .id),
            timedOut: try container.decodeIfPresent(Bool.self, forKey: .timedOut) ?? false,
            cancelled: try container.decodeIfPresent(Bool.self, forKey: .cancelled) ?? false,
            elapsed: try container.decodeSecondsIfPresent(forKey: .elapsed),
            task: try container.decodeIfPresent(String.self, forKey: .task)
        )
    }
}

extension ErrorNode.Leaf: JSONRepresentable, Codable {
    private typealias Keys = ErrorNode.CodingKeys

    /// Members without a value are left out.
    public var json: JSONValue {
        var object = JSONObject()
        object.appendIfPresent(Keys.task, task.map(JSONValue.string))
        object.appendIfPresent(Keys.group, group.map(JSONValue.string))
        object.appendIfPresent(Keys.id, id.map(JSONValue.string))
        object.append(Keys.type, .string(type.rawValue))
        object.append(Keys.message, .string(message))
        object.appendIfPresent(Keys.attempt, attempt.map(JSONValue.int))
        object.appendIfPresent(Keys.attempts, attempts.map(JSONValue.int))
        object.appendIfPresent(Keys.exitCode, exitCode.map(JSONValue.int))
        object.appendIfPresent(Keys.signal, signal.map(JSONValue.string))
        object.append(Keys.stderr, .string(stderr))
        object.appendIfPresent(Keys.trace, trace.map(JSONValue.string))
        object.appendIfPresent(Keys.worker, worker.map(JSONValue.string))
        object.appendIfPresent(Keys.host, host.map(JSONValue.string))
        object.appendIfPresent(Keys.command, command.map(JSONValue.string))
        object.appendIfPresent(Keys.elapsed, elapsed.map { JSONValue(seconds: $0) })
        return .object(object)
    }

    /// Reads a leaf. Only `type` and `message` must be there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.init(
            task: try container.decodeIfPresent(String.self, forKey: .task),
            group: try container.decodeIfPresent(String.self, forKey: .group),
            id: try container.decodeIfPresent(String.self, forKey: .id),
            type: try container.decode(ErrorType.self, forKey: .type),
            message: try container.decode(String.self, forKey: .message),
            attempt: try container.decodeIfPresent(Int.self, forKey: .attempt),
            attempts: try container.decodeIfPresent(Int.self, forKey: .attempts),
            exitCode: try container.decodeIfPresent(Int.self, forKey: .exitCode),
            signal: try container.decodeIfPresent(String.self, forKey: .signal),
            stderr: try container.decodeIfPresent(String.self, forKey: .stderr) ?? "",
            trace: try container.decodeIfPresent(String.self, forKey: .trace),
            worker: try container.decodeIfPresent(String.self, forKey: .worker),
            host: try container.decodeIfPresent(String.self, forKey: .host),
            command: try container.decodeIfPresent(String.self, forKey: .command),
            elapsed: try container.decodeSecondsIfPresent(forKey: .elapsed)
        )
    }
}
