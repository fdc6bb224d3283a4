internal import Glibc
internal import Synchronization

/// Runs commands: starts them, feeds and reads them, cancels and kills them, and ends every process that they leave behind.
///
/// One thread does it all and lives until `stop`, so that commands can be bound to it by their parent-death signal: they
/// are killed if this process dies in any way. Each command leads a session of its own, without a controlling terminal.
/// The process becomes a subreaper: a descendant of a command whose parents have gone is adopted, attributed by session or
/// by an environment variable, and killed when its command has ended. A command has ended only when its own process and
/// all its descendants are gone and its output was reported.
///
/// All methods may be called from any thread, from `onEvents` too, and return at once unless they say otherwise. Words
/// about commands that are not known, or no longer, are ignored.
package final class ProcessLoop: Sendable {
    /// What to do with adopted children that are not known to belong to any command.
    package enum Strangers: Sendable {
        /// Reap them, and kill them when no command that might have started them runs any more. For a process whose
        /// children are all started by `Spawn` or by a loop.
        case claimed
        /// Leave them alone. For a process that starts children by other means. A command's process that has left the
        /// session AND cleared its environment may then outlive it.
        case ignored
    }

    private let inbox: ProcessInbox
    private let tag: AttemptTag
    private let thread: Mutex<pthread_t?>

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - environment: The base for all commands.
    ///   - strangers: What becomes of adopted children that no command is known to have started.
    ///   - onEvents: Called on the loop's thread, once per round, with all that has happened in it, in order. While it
    ///     runs nothing else is done: it should hand the events on.
    package init(
        environment: ProcessEnvironment = .inherited(),
        strangers: Strangers = .claimed,
        onEvents: @escaping @Sendable ([ProcessEvent]) -> Void
    ) throws(SpawnError) {
        try ProcessTree.becomeSubreaper()
        let inbox = try ProcessInbox()
        let reactor = try ProcessReactor(
            inbox: inbox,
            environment: environment,
            claimsStrangers: strangers == .claimed,
            onEvents: onEvents
        )
        self.inbox = inbox
        tag = reactor.tag
        thread = Mutex(try startThread(named: "cohort-process", reactor.run))
    }

    deinit {
        stop()
    }

    /// Starts a command under a name that no running command has.
    package func start(_ id: UInt64, _ command: CommandSpec) {
        inbox.post(.start(id, command))
    }

    /// Sends SIGTERM, then SIGCONT, to the command's process group; at the end of `grace` SIGKILL to its whole tree.
    ///
    /// The command's processes are gone, or past helping, when the grace has run out; its `exited` then waits for no grant.
    /// A second call sends nothing and may only shorten the grace.
    package func cancel(_ id: UInt64, grace: Duration) {
        inbox.post(.cancel(id, grace))
    }

    /// Sends SIGKILL to the command's whole tree. Output beyond the credit is thrown away.
    package func kill(_ id: UInt64) {
        inbox.post(.kill(id))
    }

    /// Allows `bytes` more bytes of output to be reported.
    package func grant(_ id: UInt64, bytes: Int) {
        inbox.post(.grant(id, bytes))
    }

    /// The variable by which what a host starts is known to this loop; the host is to be started with it.
    ///
    /// A host is a process that somebody else starts and ends, as the call hosts of a worker are. `number` is its own among
    /// all hosts, those before it included.
    package func variable(ofHost number: UInt64) -> (name: String, value: String) {
        (name: AttemptTag.name, value: tag.value(serial: ProcessReactor.serial(ofHost: number)))
    }

    /// A host is about to be started: what it loses sight of is spared from now on, and reaped when it ends.
    ///
    /// - Parameter activity: asked about what says nothing of whose it is: that is spared only while the host executes.
    package func hostBegins(_ number: UInt64, _ activity: HostActivity) {
        inbox.post(.hostBegins(ProcessReactor.serial(ofHost: number), activity))
    }

    /// A host has ended and was reaped: kills what it has left behind, wherever that is.
    ///
    /// - Parameter whenGone: called once on the loop's thread, when nothing is left, or after 2 s at most: what belongs to
    ///   another user cannot be killed. Not at all once the loop has stopped.
    package func hostEnded(_ number: UInt64, whenGone: @escaping @Sendable () -> Void) {
        inbox.post(.hostEnded(ProcessReactor.serial(ofHost: number), whenGone))
    }

    /// Kills everything, waits until it is gone and the last events are delivered, and ends the thread.
    ///
    /// Commands that are started after this fail to start; once the thread has ended they are ignored. From `onEvents` it
    /// does not wait.
    package func stop() {
        inbox.post(.stop)
        if inbox.isOnLoopThread { return }
        thread.withLock { thread in
            guard let joined = thread.take() else { return }
            pthread_join(joined, nil)
        }
    }
}
