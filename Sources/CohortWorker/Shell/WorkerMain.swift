internal import CCohortProcess
internal import Cohort
internal import CohortCore
package import CohortProcess
package import CohortRuntime
@preconcurrency internal import Glibc
internal import Synchronization

/// The life of a worker's processes: a guardian, which outlives the worker by a moment and ends whatever it leaves, and
/// the worker itself.
package enum WorkerMain {
    /// Why a worker ended otherwise than by request.
    package struct EndedError: Error, CustomStringConvertible {
        package let description: String
    }

    /// How long a coordinator may take to answer before somebody is told.
    private static let patience = Duration.seconds(2)

    private enum Message: Sendable {
        case notice(WorkerNotice)
        case guardianDied
    }

    /// Runs a worker to its end. In the process that the user has started, this does not return.
    ///
    /// - Parameters:
    ///   - name: `nil` for one made of host and process id.
    ///   - keys: for a coordinator that wants them; from a file, which the call hosts read too.
    ///   - isPrivate: part of a pool of one's own: it ends with its coordinator, and says nothing.
    ///   - hostArguments: command line of the call hosts.
    ///   - restarts: how often the worker is started again when it dies.
    package static func run(
        endpoint: String,
        name: String?,
        keys: PeerKeys? = nil,
        slots: Int,
        functions: FunctionRegistry,
        runsCommands: Bool = true,
        isPrivate: Bool,
        hostArguments: [String] = CallPool.Configuration.thisProgram,
        restarts: RestartBudget = .standard
    ) throws {
        // Whoever reads what this says may go, and neither the worker nor its supervisor is to go with him. What is started
        // here has the default again.
        signal(SIGPIPE, SIG_IGN)
        // Three or four for each task that runs.
        DescriptorLimit.raise()
        let title = "cohort worker: "
        let says: (String) -> Void = { Notice.say(title + $0) }
        if !Guardian.isGuarded {
            let leftovers = isPrivate ? PrivatePool.leftovers(of: endpoint) : Guardian.Leftovers()
            let place = (name.map { "\($0) " } ?? "") + "on \(Host.name)"
            let lastWords = Guardian.LastWords(
                before: "\(title)the supervisor of worker process ",
                after: " (\(place)), process \(Host.processID), has died; the worker and all that it ran were ended\n"
            )
            try WorkerSupervisor(
                restarts: restarts,
                leftovers: leftovers,
                // The owner of a pool of his own sees for himself.
                lastWords: isPrivate ? nil : lastWords,
                keys: keys,
                says: says
            ).run()
        }
        cohort_name_process("cohort-worker")
        let record = WorkerSupervisor.inheritedRecord()
        let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        let messages = try Mailbox<Message>()
        try Guardian.watchFromChild { messages.put(.guardianDied) }
        var configuration = WorkerConfiguration(
            endpoint: endpoint,
            name: name ?? "\(Host.name)-\(Host.processID)",
            slots: slots,
            functions: functions,
            runsCommands: runsCommands
        )
        configuration.keys = keys
        configuration.hostArguments = hostArguments
        configuration.record = record
        configuration.reconnects = !isPrivate
        configuration.patience = isPrivate ? .seconds(30) : nil
        let token = configuration.token
        // From the first greeting on the coordinator may give it tasks, before anybody here has heard of a session. By the
        // token it knows whose death it is told.
        record?.record.session = SessionNote(endpoint: endpoint, epoch: 0, session: 0, token: token)
        let worker = try WorkerProcess(configuration) { messages.put(.notice($0)) }
        try serve(
            worker,
            at: endpoint,
            isPrivate: isPrivate,
            signals,
            messages,
            record?.record,
            token,
            says: isPrivate ? { _ in } : says
        )
    }

    private static func serve(
        _ worker: WorkerProcess,
        at endpoint: String,
        isPrivate: Bool,
        _ signals: SignalDescriptor,
        _ messages: Mailbox<Message>,
        _ record: AttemptRecord?,
        _ token: PeerToken,
        says: (String) -> Void
    ) throws {
        // Who dies before everything is stopped has died, whatever it was about to do.
        func leave(_ reason: String) {
            worker.stop(reason: reason)
            record?.isLeaving = true
        }
        var isDraining = false
        var isWaiting = true
        while true {
            let ready = Descriptors.wait(
                for: [signals.descriptor, messages.descriptor],
                timeout: isWaiting ? Self.patience : nil
            )
            if ready.isEmpty, isWaiting {
                isWaiting = false
                worker.explainSilence()
            }
            while let signal = signals.next() {
                if isDraining || signal == SIGINT { return leave("the worker was stopped") }
                isDraining = true
                says("draining: running tasks finish; a second signal kills them")
                worker.drain()
            }
            for message in messages.takeAll() {
                switch message {
                case .guardianDied:
                    worker.stop(reason: "the worker was killed")
                    if isPrivate { PrivatePool.leftovers(of: endpoint).remove() }
                    return
                case .notice(.drained): return leave("the worker has drained")
                case .notice(.connected(let coordinator, let epoch, let session)):
                    isWaiting = false
                    record?.session = SessionNote(
                        endpoint: coordinator,
                        epoch: epoch,
                        session: session,
                        token: token
                    )
                    says("connected to \(coordinator)")
                case .notice(.unanswered(let trouble)) where !isPrivate:
                    let trouble = trouble ?? Reachability.trouble(at: endpoint)
                    says("no coordinator answers at \(endpoint) yet (\(trouble)); trying again until one does")
                case .notice(.unanswered): break
                case .notice(.reconnecting(let explanation)):
                    says("\(explanation); looking for a coordinator there again")
                case .notice(.ended(let explanation)):
                    leave("the session has ended")
                    throw EndedError(description: explanation)
                }
            }
        }
    }
}
