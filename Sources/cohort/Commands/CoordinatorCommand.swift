internal import ArgumentParser
internal import CCohortProcess
internal import Cohort
internal import CohortCoordinator
internal import CohortCore
internal import CohortJournal
internal import CohortProcess
internal import CohortReport
internal import CohortRuntime
internal import Glibc
internal import Logging

/// `cohort coordinator`.
struct CoordinatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator",
        abstract: "Starts a coordinator, to which workers and clients connect.",
        discussion: """
            It runs until SIGTERM, SIGINT or SIGHUP: then it opens no further group, cancels those that are open, waits out their \
            grace, and says goodbye. A second signal ends it at once.

            With --key and --allow only peers come in whose public keys are listed, and what travels is encrypted. A line \
            of the list is PUBLIC-KEY ROLE [NAME], where the role is client, worker or both; # begins a comment. Without \
            keys everybody who can connect may run any command on the workers.

            With --state it keeps a journal: what it has told anybody is on disk first. However it ends, it goes on \
            from there when it is started again with the same file; workers and clients wait for it for the lease, \
            and come back by themselves. What runs for a client that waits ('run', 'map') is killed after a second \
            without a coordinator, for its client may have died as well; only what was submitted goes on. SIGTERM \
            and SIGHUP then end it at once and cancel nothing; SIGINT still does what is said above.

            Names in endpoints stand for addresses of IPv4; one of IPv6 is written in brackets, as in tcp://[::1]:7077.
            """
    )

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Where to listen: tcp://ADDRESS:PORT or ipc://PATH; may be repeated.", valueName: "endpoint")
    )
    var bind: [String] = [CoordinatorOptions.defaultEndpoint]

    @Option(
        help: ArgumentHelp(
            "The file with the coordinator's key, from 'cohort keygen'; goes with --allow.",
            valueName: "file"
        )
    )
    var key: String?

    @Option(help: ArgumentHelp("The list of the public keys that may come in, and as what.", valueName: "file"))
    var allow: String?

    @Flag(help: "Bind where other machines can connect, though there are no keys.")
    var insecure = false

    @OptionGroup
    var durability: DurabilityOptions

    @Flag(name: .long, help: .hidden)
    var `private` = false

    private enum Wish {
        static let signals = [SIGTERM, SIGINT, SIGHUP]
    }

    /// How long the end waits for somebody to read the rest of the log.
    private static let logPatience = Duration.seconds(2)

    func validate() throws {
        if key != nil, allow == nil {
            throw ValidationError("--key without --allow: say with --allow FILE who may come in")
        }
        if allow != nil, key == nil {
            throw ValidationError("--allow without --key: make a key with 'cohort keygen FILE' and give --key FILE")
        }
    }

    func run() throws {
        cohort_name_process("cohort-coord")
        var configuration = CoordinatorConfiguration(endpoints: bind)
        configuration.security = try security()
        configuration.isInsecure = insecure
        // A connection of each peer, and those of strangers that have not greeted yet.
        DescriptorLimit.raise()
        let signals = try SignalDescriptor(Wish.signals)
        let finished = try Mailbox<CoordinatorNotice>()
        let isPrivate = `private`
        // Who stops reading the log, as a pager does, must not stop the loop.
        let lines = try LineQueue(to: STDERR_FILENO) { dropped in
            "coordinator: \(dropped) lines of the log are missing here: what stands above was not read in time\n"
        }
        defer { lines.finish(within: Self.logPatience) }
        var log = Logger(label: "coordinator") { label in StreamLogHandler(label: label, stream: lines) }
        log.logLevel = isPrivate ? .error : .info
        // A state file that may not grow any further is an error to be told, not the end.
        signal(SIGXFSZ, SIG_IGN)
        durability.apply(to: &configuration.limits)
        let journal = try durability.openJournal(&configuration, log)
        let coordinator: Coordinator
        do {
            coordinator = try Coordinator(configuration, log: log) { finished.put($0) }
        } catch {
            throw Failure(.usage, "\(error)")
        }
        let paths = bind.compactMap { try? Endpoint($0, isBound: true).path }
        let sockets = paths.compactMap { SocketFile(at: $0) }
        if !isPrivate {
            log.info("listening", metadata: ["endpoints": "\(coordinator.endpoints.joined(separator: " "))"])
        }
        try serve(coordinator, signals, finished, log)
        log.info("ended")
        journal?.finish()
        for socket in sockets { socket.remove() }
        // The directory was made for this one pool.
        for path in isPrivate ? paths : [] { if let slash = path.lastIndex(of: "/") { rmdir(String(path[..<slash])) } }
    }

    private func security() throws -> CoordinatorConfiguration.Security? {
        guard let key, let allow else { return nil }
        do {
            return CoordinatorConfiguration.Security(
                keys: try KeyFile.readPair(key),
                allowed: try AllowList.load(allow)
            )
        } catch {
            throw Failure(.usage, "\(error)")
        }
    }

    /// Waits for the owner's end, for signals, and for the end of the drain that the first signal begins.
    private func serve(
        _ coordinator: Coordinator,
        _ signals: SignalDescriptor,
        _ finished: Mailbox<CoordinatorNotice>,
        _ log: Logger
    ) throws {
        let owner = getenv(Guardian.ownerVariable).flatMap { Int32(String(cString: $0)) }
        var isDraining = false
        while true {
            let ready = Descriptors.wait(for: [signals.descriptor, finished.descriptor] + (owner.map { [$0] } ?? []))
            if let owner, ready.contains(owner) {
                // Whoever wanted this coordinator has gone, and the workers go by themselves.
                return coordinator.stop(reason: "its owner has gone")
            }
            for notice in ready.contains(finished.descriptor) ? finished.takeAll() : [] {
                switch notice {
                case .drained: return coordinator.stop(reason: "the coordinator has been shut down")
                // To everybody else this is as if it had been killed: nobody was told what is not in the journal.
                case .journalFailed(let problem): throw Failure(.here, "the coordinator has ended: \(problem)")
                }
            }
            guard let signal = signals.next() else { continue }
            log.info("got a signal", metadata: ["signal": "\(SignalName.name(of: signal))"])
            // No goodbye: that would end what is to go on.
            if durability.state != nil, signal != SIGINT { return coordinator.abandon() }
            if isDraining { return coordinator.stop(reason: "the coordinator was ended by a second signal") }
            isDraining = true
            coordinator.drain()
        }
    }
}
