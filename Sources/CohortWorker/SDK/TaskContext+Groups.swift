public import Cohort

extension TaskContext {
    /// Opens a group of the task's own, runs `body` to fill it, and returns when everything in it has ended.
    ///
    /// It is as `Pool.withGroup`, and belongs to the task: a cancel of the task reaches the tasks in it at once, and if this
    /// process dies they are stopped before the task counts as ended. What fails in it is an error of the task only if
    /// the function lets it out; it then stands in the task's place in the tree of errors.
    ///
    /// While anything in the task waits for one of its groups or tasks, the task holds no slot: nesting of any depth works in
    /// a pool of one slot. It gets one back before tasks that have not begun.
    ///
    /// Called in the body of such a group it opens one beside that; `Group.withGroup` opens one inside.
    ///
    /// - Throws: ``GroupError``.
    public func withGroup<R: Sendable>(
        _ name: String,
        _ options: GroupOptions = GroupOptions(),
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async throws(GroupError) -> R {
        let (link, session): (CallLink, GroupSession)
        do {
            (link, session) = try await connection()
        } catch {
            throw GroupError.refused(name, because: error.description)
        }
        return try await session.withGroup(name, options, owner: link.ref, slots: link, body)
    }

    /// Adds a task to the group that this task belongs to, which must accept siblings (``GroupOptions/acceptsSiblings``).
    ///
    /// Returns when the coordinator has accepted it: the group then waits for it, though this task may have ended long since.
    /// The handle is for this task only.
    ///
    /// - Parameters:
    ///   - name: what the task is called; nil for the function's name.
    /// - Throws: ``SpawnRefused`` if the group is stopping, or does not accept siblings.
    public func spawnSibling<I, O>(
        _ function: RemoteFunction<I, O>,
        _ input: I,
        name: String? = nil,
        _ options: TaskOptions = TaskOptions()
    ) async throws(SpawnRefused) -> TaskHandle<O> {
        let (link, session): (CallLink, GroupSession)
        do {
            (link, session) = try await connection()
        } catch {
            throw SpawnRefused(code: .lost, message: error.description)
        }
        return try await session.spawnSibling(
            of: link.ref,
            function,
            input,
            name: name,
            options,
            slots: link
        )
    }

    private func connection() async throws(HostSession.Missing) -> (CallLink, GroupSession) {
        guard let link else {
            throw HostSession.Missing(description: "this context is of no running task, which alone can open groups")
        }
        return (link, try await link.host.session.session())
    }
}
