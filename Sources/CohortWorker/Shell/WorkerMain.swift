internal import CohortCore
internal import CohortProcess
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
    ///   - onOwnerEnd: called in the guardian when whoever wanted the worker has gone, and all of it is gone too.
    package static func run(
        endpoint: String,
        name: String?,
        keys: PeerKeys? = nil,
        slots: Int,
        functions: FunctionRegistry,
        runsCommands: Bool = true,
        isPrivate: Bool,
        hostArguments: [String] = CallPool.Configuration.thisProgram,
        onOwnerEnd: () -> Void = {}
    ) throws {
        if !Guardian.isGuarded {
            let notebook = try SessionNotebook()
            try Guardian.run(
                variables: notebook.variables,
                passing: [notebook.writing],
                onOwnerEnd: onOwnerEnd
            ) { status in
                if case .signalled(let signal, _) = status {
                    Obituary.send(notebook.latest, signal: signal, keys: keys)
                }
            }
        }
        let notebook = SessionNotebook.inherited()
        let signals = SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        let messages = Mailbox<Message>()
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
        configuration.reconnects = !isPrivate
        configuration.patience = isPrivate ? .seconds(30) : nil
        let token = configuration.token
        let worker = try WorkerProcess(configuration) { messages.put(.notice($0)) }
        try serve(
            worker,
            at: endpoint,
            signals,
            messages,
            notebook,
            token,
            says: isPrivate ? { _ in } : { fputs("cohort worker: \($0)\n", stderr) }
        )
    }

    private static func serve(
        _ worker: WorkerProcess,
        at endpoint: String,
        _ signals: SignalDescriptor,
        _ messages: Mailbox<Message>,
        _ notebook: SessionNotebook?,
        _ token: PeerToken,
        says: (String) -> Void
    ) throws {
        var isDraining = false
        var isWaiting = true
        while true {
            let ready = Descriptors.wait(
                for: [signals.descriptor, messages.descriptor],
                timeout: isWaiting ? Self.patience : nil
            )
            if ready.isEmpty, isWaiting {
                isWaiting = false
                says("no coordinator answers at \(endpoint) yet; trying again until one does")
            }
            while let signal = signals.next() {
                if isDraining || signal == SIGINT { return worker.stop(reason: "the worker was stopped") }
                isDraining = true
                says("draining: running tasks finish; a second signal kills them")
                worker.drain()
            }
            for message in messages.takeAll() {
                switch message {
                case .guardianDied: return worker.stop(reason: "the worker was killed")
                case .notice(.drained): return worker.stop(reason: "the worker has drained")
                case .notice(.connected(let coordinator, let epoch, let session)):
                    isWaiting = false
                    notebook?.write(
                        SessionNote(endpoint: coordinator, epoch: epoch, session: session, token: token)
                    )
                    says("connected to \(coordinator)")
                case .notice(.reconnecting(let explanation)): says("\(explanation); trying again")
                case .notice(.ended(let explanation)):
                    worker.stop(reason: "the session has ended")
                    throw EndedError(description: explanation)
                }
            }
        }
    }
}
