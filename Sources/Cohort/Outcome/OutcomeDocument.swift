internal import FoundationEssentials

/// What became of a group, its tasks and its child groups: the document that `--output json` prints.
///
/// The same type stands for the group at the top, which carries the `version` of the format, and for the groups in it,
/// which do not.
public struct OutcomeDocument: Sendable, Equatable {
    /// The version that this library writes, and the newest one that it reads.
    public static let currentVersion = 1

    /// Version of the format; `nil` in a child group.
    public var version: Int?
    /// Name of the group.
    public var group: String
    /// Identifies the group at its coordinator.
    public var id: String
    /// Decided once: errors outrank a cancel from outside, which outranks a timeout. `nil` while the group runs.
    public var outcome: GroupOutcome?
    /// Its deadline, or one around it, fired; stays visible beside the outcome `errors`.
    public var timedOut: Bool
    /// It was stopped from outside; stays visible beside the outcomes `ok` and `errors`.
    public var cancelled: Bool
    /// What whoever cancelled it gave as reason.
    public var cancelReason: String?
    /// Name of the group whose deadline fired: this one or one around it.
    public var deadlineOf: String?
    /// When the group was opened, by its coordinator's clock.
    public var startedAt: Timestamp
    /// From the opening of the group until everything in it was gone.
    public var elapsed: Duration
    /// Tasks of this group and of all groups in it, those included that are not listed.
    public var counts: OutcomeCounts?
    /// How many of the cancelled tasks had not begun; `nil` if none, or if that was not counted.
    public var neverStarted: Int?
    /// While the group runs, for those who have asked what it has come to: what is left of it.
    public var unfinished: UnfinishedTasks?
    /// In the order of submission.
    public var tasks: [TaskResult]
    /// How many tasks of this group are missing from `tasks`, because only so many are kept.
    public var tasksOmitted: Int?
    /// The child groups.
    public var groups: [OutcomeDocument]
    /// Why the outcome is `errors`; always a group, even around a single error.
    public var error: ErrorNode?

    /// A document of the current version; pass `version: nil` for a child group.
    public init(
        version: Int? = OutcomeDocument.currentVersion,
        group: String,
        id: String,
        outcome: GroupOutcome?,
        timedOut: Bool = false,
        cancelled: Bool = false,
        cancelReason: String? = nil,
        deadlineOf: String? = nil,
        startedAt: Timestamp,
        elapsed: Duration,
        counts: OutcomeCounts? = nil,
        neverStarted: Int? = nil,
        unfinished: UnfinishedTasks? = nil,
        tasks: [TaskResult] = [],
        tasksOmitted: Int? = nil,
        groups: [OutcomeDocument] = [],
        error: ErrorNode? = nil
    ) {
        self.version = version
        self.group = group
        self.id = id
        self.outcome = outcome
        self.timedOut = timedOut
        self.cancelled = cancelled
        self.cancelReason = cancelReason
        self.deadlineOf = deadlineOf
        self.startedAt = startedAt
        self.elapsed = elapsed
        self.counts = counts
        self.neverStarted = neverStarted
        self.unfinished = unfinished
        self.tasks = tasks
        self.tasksOmitted = tasksOmitted
        self.groups = groups
        self.error = error
    }

    /// Reads a document from JSON.
    ///
    /// Members that this version does not know are ignored. Throws a `DecodingError` that names the place.
    public init(jsonText: String) throws {
        self = try JSONDecoder().decode(OutcomeDocument.self, from: Data(jsonText.utf8))
    }

    /// `counts`, or if it is absent the sum over the tasks listed here and in the groups below.
    public var tally: OutcomeCounts {
        if let counts { return counts }
        var tally = OutcomeCounts()
        for task in tasks { tally.add(task.outcome) }
        for group in groups { tally += group.tally }
        return tally
    }
}

// MARK: - JSON

extension OutcomeDocument: JSONRepresentable, Codable {
    private enum CodingKeys: String, CodingKey {
        case version, group, id, outcome, cancelled, elapsed, counts, unfinished, tasks, groups, error
        case timedOut = "timed_out"
        case cancelReason = "cancel_reason"
        case deadlineOf = "deadline_of"
        case startedAt = "started_at"
        case neverStarted = "never_started"
        case tasksOmitted = "tasks_omitted"
    }

    /// The document with its members in reading order.
    public var json: JSONValue {
        var object = JSONObject()
        object.appendIfPresent(CodingKeys.version, version.map(JSONValue.int))
        object.append(CodingKeys.group, .string(group))
        object.append(CodingKeys.id, .string(id))
        object.append(CodingKeys.outcome, outcome.map { .string($0.rawValue) } ?? .null)
        object.append(CodingKeys.timedOut, .bool(timedOut))
        object.append(CodingKeys.cancelled, .bool(cancelled))
        object.appendIfPresent(CodingKeys.cancelReason, cancelReason.map(JSONValue.string))
        object.appendIfPresent(CodingKeys.deadlineOf, deadlineOf.map(JSONValue.string))
        object.append(CodingKeys.startedAt, .string(startedAt.description))
        object.append(CodingKeys.elapsed, JSONValue(seconds: elapsed))
        object.appendIfPresent(CodingKeys.counts, counts?.json)
        object.appendIfPresent(CodingKeys.neverStarted, neverStarted.map(JSONValue.int))
        object.appendIfPresent(CodingKeys.unfinished, unfinished?.json)
        object.append(CodingKeys.tasks, .array(tasks.map(\.json)))
        object.appendIfPresent(CodingKeys.tasksOmitted, tasksOmitted.map(JSONValue.int))
        object.append(CodingKeys.groups, .array(groups.map(\.json)))
        object.append(CodingKeys.error, error?.json ?? .null)
        return .object(object)
    }

    /// Reads the group and the groups in it; rejects a version that is newer than `currentVersion`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decodeIfPresent(Int.self, forKey: .version)
        if let version, !(1...Self.currentVersion).contains(version) {
            throw DecodingError.dataCorruptedError(
                forKey: .version,
                in: container,
                debugDescription: "version \(version) of the outcome document is not known here, only versions up to "
                    + "\(Self.currentVersion)"
            )
        }
        self.init(
            version: version,
            group: try container.decode(String.self, forKey: .group),
            id: try container.decode(String.self, forKey: .id),
            outcome: try container.decodeIfPresent(GroupOutcome.self, forKey: .outcome),
            timedOut: try container.decode(Bool.self, forKey: .timedOut),
            cancelled: try container.decode(Bool.self, forKey: .cancelled),
            cancelReason: try container.decodeIfPresent(String.self, forKey: .cancelReason),
            deadlineOf: try container.decodeIfPresent(String.self, forKey: .deadlineOf),
            startedAt: try container.decode(Timestamp.self, forKey: .startedAt),
            elapsed: try container.decodeSeconds(forKey: .elapsed),
            counts: try container.decodeIfPresent(OutcomeCounts.self, forKey: .counts),
            neverStarted: try container.decodeIfPresent(Int.self, forKey: .neverStarted),
            unfinished: try container.decodeIfPresent(UnfinishedTasks.self, forKey: .unfinished),
            tasks: try container.decode([TaskResult].self, forKey: .tasks),
            tasksOmitted: try container.decodeIfPresent(Int.self, forKey: .tasksOmitted),
            groups: try container.decode([OutcomeDocument].self, forKey: .groups),
            error: try container.decodeIfPresent(ErrorNode.self, forKey: .error)
        )
    }
}
