/// One connected life of a client or worker. Unique within an epoch, never reused.
package struct SessionID: Sendable, Hashable, Comparable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: SessionID, right: SessionID) -> Bool { left.value < right.value }
}

/// Who a peer is across its sessions: made at random when its process starts, known to it and the coordinator alone.
package struct PeerToken: Sendable, Hashable, Comparable {
    /// Of a peer that does not say who it is, and so cannot come back.
    package static let none = PeerToken(0)
    /// Of a peer that has left, whose own is not known any more.
    package static let gone = PeerToken(.max)

    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: PeerToken, right: PeerToken) -> Bool { left.value < right.value }
}

/// The coordinator's number of a group: 1, 2, 3, … in the order of opening, never reused within an epoch.
package struct GroupID: Sendable, Hashable, Comparable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: GroupID, right: GroupID) -> Bool { left.value < right.value }
}

/// A client's own name for a group that it opens, unique within its session.
///
/// It lets a client open a whole tree of groups and submit into it without waiting for one answer in between.
package struct GroupKey: Sendable, Hashable {
    package var value: UInt32
    package init(_ value: UInt32) { self.value = value }
}

/// A task as the coordinator and its workers call it: the place of its record, and the generation of that place.
///
/// The generation grows whenever the place gets a new tenant, so a key of an ended task matches nothing.
package struct TaskKey: Sendable, Hashable, Comparable {
    package var raw: UInt64
    package init(raw: UInt64) { self.raw = raw }
    package init(index: UInt32, generation: UInt32) { raw = UInt64(generation) << 32 | UInt64(index) }
    package var index: Int { Int(truncatingIfNeeded: raw & 0xffff_ffff) }
    package var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) }
    package static func < (left: TaskKey, right: TaskKey) -> Bool { left.raw < right.raw }
}

/// One assignment of a task to a worker. The number fences every message about it: a stale one matches nothing.
package struct AttemptRef: Sendable, Hashable {
    package var task: TaskKey
    package var attempt: UInt32

    package init(task: TaskKey, attempt: UInt32) {
        self.task = task
        self.attempt = attempt
    }
}

/// A task template, unique within an epoch.
package struct TemplateID: Sendable, Hashable, Comparable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: TemplateID, right: TemplateID) -> Bool { left.value < right.value }
}
