internal import Glibc
internal import Synchronization

/// Runs the calls that a pool sends, one at a time in order of arrival.
///
/// Three parts share `state`:
/// - the *reader*, a thread that takes orders from the socket and never runs user code;
/// - the *runner*, a Swift task that runs one call after another. There is none while no call waits. A task that was
///   cancelled stays so, hence a runner whose call was cancelled hands the rest over to a new one;
/// - the *attendant*, a thread that looks in while the runner is busy: it tells of a call that takes long and of how far it
///   has come, and sends the replies that wait for company.
final class CallHost: Sendable {
    /// How long replies may wait for further ones, and when a call counts as taking long.
    static let lingerMicroseconds: UInt32 = 250

    let functions: FunctionRegistry
    let socket: Int32
    let page: HostPage
    /// Where what begins is marked, for the case that the worker is killed.
    let record: AttemptRecord?
    let meter: OutputMeter
    let outbox: HostOutbox
    let session: HostSession
    let state = Mutex(State())
    /// Posted when the attendant has something to look after.
    let attention = Semaphore()

    struct State {
        var queue = CallQueue()
        var running: Running?
        /// Calls are handed back instead of being run, until the pool has seen what made it so.
        var isHolding = false
        /// The task that runs `running`, and has to end before the next call begins.
        var runner: Task<Void, Never>?
        var isRunnerCancelled = false
        /// The attendant looks in again by itself.
        var isAttended = false
        /// What the attendant saw running when it last looked.
        var lastSeen: UInt64 = 0
    }

    struct Running {
        let sequence: UInt64
        let hold: CallHold
        let scope: CallScope
        /// The pool knows that it has started.
        var isAnnounced: Bool
        var slot = Slot()
        var progress = Progress()
    }

    /// Where a call stands with its slot.
    struct Slot {
        /// Waits for tasks of its own that block.
        var waits = 0
        /// `waiting` was said and not yet answered by `proceed`: it holds no slot.
        var isAway = false
        /// `wanting` was said and not yet answered.
        var isWanted = false
        /// Waits that are over and go on with a slot.
        var returning: [CheckedContinuation<Void, Never>] = []
    }

    /// What a call has told of how far it has come.
    struct Progress {
        /// The latest, if it is not sent yet.
        var pending: ProgressNote?
        /// When the next one may be sent, on the monotonic clock.
        var nextAt: UInt64 = 0
    }

    /// - Parameter session: the way to the coordinator, for the groups that functions open.
    init(
        functions: FunctionRegistry,
        socket: Int32,
        page: HostPage,
        record: AttemptRecord?,
        output: OutputDescriptors,
        session: HostSession
    ) {
        self.functions = functions
        self.socket = socket
        self.page = page
        self.record = record
        meter = OutputMeter(descriptors: output, page: page)
        outbox = HostOutbox(socket: socket, page: page)
        self.session = session
    }

    func start() throws(CallPoolError) {
        state.withLock { _ in outbox.append(ReplyHeader(kind: .ready)) }
        outbox.flush()
        try PosixThread.start(named: "call-attendant") { self.attend() }
        try PosixThread.start(named: "call-reader") { self.read() }
    }

    // MARK: Orders, on the reader's thread

    func enqueue(_ calls: [HostCall]) {
        if calls.isEmpty { return }
        let (takesNone, isAttended) = state.withLock { state in
            state.queue.append(calls)
            let takesNone = state.isHolding || state.running?.slot.isAway == true
            if takesNone { recallAll(&state) } else { startRunner(&state) }
            defer { state.isAttended = true }
            return (takesNone, state.isAttended)
        }
        if takesNone { outbox.flush() }
        // Here, so that the runner, which is on its way already, need not wake anybody before its first call.
        if !isAttended { attention.post() }
    }

    func resume() {
        state.withLock { $0.isHolding = false }
    }

    /// Hands back every call that waits.
    func recallAll(_ state: inout State) {
        while let call = state.queue.removeFirst() {
            outbox.append(ReplyHeader(kind: .recalled, sequence: call.sequence))
        }
    }

    func cancel(_ sequence: UInt64, reason: String) {
        var returning: [CheckedContinuation<Void, Never>] = []
        let runner: Task<Void, Never>? = state.withLock { state in
            if let running = state.running, running.sequence == sequence {
                guard running.scope.cancel(reason: reason) else { return nil }
                returning = state.running?.slot.takeReturning() ?? []
                state.isRunnerCancelled = true
                return state.runner
            }
            if state.queue.remove(sequence) {
                let header = ReplyHeader(kind: .finished, status: .cancelledBeforeStart, sequence: sequence)
                outbox.append(header)
            }
            return nil
        }
        outbox.flush()
        if let runner {
            // Cancelling runs the handlers that the function has set up: user code, to be kept off this thread if possible.
            do {
                try PosixThread.start(named: "call-cancel") { runner.cancel() }
            } catch {
                runner.cancel()
            }
        }
        // It cleans up, for which it need not wait.
        for wait in returning { wait.resume() }
    }

    func recall(_ sequence: UInt64) {
        state.withLock { state in
            if state.queue.remove(sequence) {
                outbox.append(ReplyHeader(kind: .recalled, sequence: sequence))
            }
        }
        outbox.flush()
    }

    // MARK: The runner

    /// Starts a runner if there is work and none runs.
    func startRunner(_ state: inout State) {
        guard state.runner == nil, !state.queue.isEmpty else { return }
        state.isRunnerCancelled = false
        state.runner = Task.detached { await self.run() }
    }

    // MARK: The attendant

    private func attend() {
        // When to look in without being asked to.
        var due: UInt64?
        while true {
            attention.wait(until: due)
            var isNeeded = true
            while isNeeded {
                usleep(Self.lingerMicroseconds)
                (isNeeded, due) = state.withLock { state in (lookAfter(&state), reportProgress(&state)) }
                outbox.flush()
            }
        }
    }

    /// Announces a call that takes long; returns whether there is anything left that may need looking after.
    private func lookAfter(_ state: inout State) -> Bool {
        // The runner asks for attention again when it begins another call.
        guard let running = state.running, !running.isAnnounced else {
            state.isAttended = false
            return false
        }
        if state.lastSeen == running.sequence { announce(&state) }
        state.lastSeen = running.sequence
        return true
    }

    /// Tells the pool that the running call has started, if it does not know that yet.
    func announce(_ state: inout State) {
        guard let running = state.running, !running.isAnnounced else { return }
        state.running?.isAnnounced = true
        outbox.append(ReplyHeader(kind: .started, sequence: running.sequence))
    }
}
