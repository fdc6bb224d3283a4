/// What is left of a group that runs.
public struct UnfinishedTasks: Sendable, Equatable {
    /// A task that runs.
    public struct Running: Sendable, Equatable {
        /// What it is called.
        public var name: String
        /// Identifies the task at its coordinator.
        public var id: String
        /// Name of the worker that runs it.
        public var worker: String?
        /// Where that worker runs.
        public var host: String?
        /// Since its attempt began.
        public var elapsed: Duration

        /// A task that runs.
        public init(name: String, id: String, worker: String?, host: String?, elapsed: Duration) {
            self.name = name
            self.id = id
            self.worker = worker
            self.host = host
            self.elapsed = elapsed
        }
    }

    /// Tasks of the group and of all groups in it that workers have.
    public var running: Int
    /// Tasks of the group and of all groups in it that no worker has yet.
    public var queued: Int
    /// Why those do not start, if there is a reason worth telling.
    public var waiting: String?
    /// The group's own tasks that run, in the order of submission; of many only the first ones.
    public var tasks: [Running]

    /// So many tasks, and those of them that are named.
    public init(running: Int, queued: Int, waiting: String? = nil, tasks: [Running] = []) {
        self.running = running
        self.queued = queued
        self.waiting = waiting
        self.tasks = tasks
    }
}

extension UnfinishedTasks: JSONRepresentable, Codable {
    private enum CodingKeys: String, CodingKey {
        case running, queued, waiting, tasks
    }

    /// The numbers, why nothing starts, and the list of what runs.
    public var json: JSONValue {
        var object = JSONObject()
        object.append(CodingKeys.running, .int(running))
        object.append(CodingKeys.queued, .int(queued))
        object.append(CodingKeys.waiting, waiting.map(JSONValue.string) ?? .null)
        object.append(CodingKeys.tasks, .array(tasks.map(\.json)))
        return .object(object)
    }

    /// Reads what `json` has.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            running: try container.decode(Int.self, forKey: .running),
            queued: try container.decode(Int.self, forKey: .queued),
            waiting: try container.decodeIfPresent(String.self, forKey: .waiting),
            tasks: try container.decode([Running].self, forKey: .tasks)
        )
    }
}

extension UnfinishedTasks.Running: JSONRepresentable, Codable {
    private enum CodingKeys: String, CodingKey {
        case name, id, worker, host, elapsed
    }

    /// The task with its members in reading order.
    public var json: JSONValue {
        var object = JSONObject()
        object.append(CodingKeys.name, .string(name))
        object.append(CodingKeys.id, .string(id))
        object.append(CodingKeys.worker, worker.map(JSONValue.string) ?? .null)
        object.append(CodingKeys.host, host.map(JSONValue.string) ?? .null)
        object.append(CodingKeys.elapsed, JSONValue(seconds: elapsed))
        return .object(object)
    }

    /// Reads what `json` has.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(String.self, forKey: .name),
            id: try container.decode(String.self, forKey: .id),
            worker: try container.decodeIfPresent(String.self, forKey: .worker),
            host: try container.decodeIfPresent(String.self, forKey: .host),
            elapsed: try container.decodeSeconds(forKey: .elapsed)
        )
    }
}
