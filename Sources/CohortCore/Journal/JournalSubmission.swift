/// Tasks that were added to a group in one go.
package struct JournalSubmission: Sendable, Equatable {
    package var group: GroupID
    /// Number of the first task.
    package var first: UInt32
    /// Its place in the order of spawning; those of the others follow.
    package var order: UInt64
    /// Templates that are new in the group.
    package var templates: [JournalTemplate]
    package var runs: [JournalRun]
    /// The tasks' payloads one after the other.
    package var payload: [UInt8]
    /// If it came by way of a key for a group that others add tasks to as well.
    package var joined: JournalJoinedSubmission?

    package init(
        group: GroupID,
        first: UInt32,
        order: UInt64,
        templates: [JournalTemplate],
        runs: [JournalRun],
        payload: [UInt8],
        joined: JournalJoinedSubmission? = nil
    ) {
        self.group = group
        self.first = first
        self.order = order
        self.templates = templates
        self.runs = runs
        self.payload = payload
        self.joined = joined
    }
}

package struct JournalTemplate: Sendable, Equatable {
    package var id: TemplateID
    package var template: TaskTemplate

    package init(id: TemplateID, template: TaskTemplate) {
        self.id = id
        self.template = template
    }
}

/// Consecutive tasks of one template.
package struct JournalRun: Sendable, Equatable {
    package var template: TemplateID
    /// One entry a task: the length of its payload.
    package var lengths: [UInt32]

    package init(template: TemplateID, lengths: [UInt32]) {
        self.template = template
        self.lengths = lengths
    }
}

/// How a submission stands among those of the client that has brought it.
package struct JournalJoinedSubmission: Sendable, Equatable {
    package var client: PeerToken
    package var key: GroupKey
    /// Number of the first task among those that the client has added with this key.
    package var first: UInt32
    /// What its own templates have become.
    package var templates: [TemplateID]
    /// The task that has added them: the client is not the group's owner, and is told of them besides.
    package var task: AttemptRef?

    package init(client: PeerToken, key: GroupKey, first: UInt32, templates: [TemplateID], task: AttemptRef?) {
        self.client = client
        self.key = key
        self.first = first
        self.templates = templates
        self.task = task
    }
}
