internal import Cohort
internal import CohortCore
internal import CohortReport
internal import CohortRuntime
internal import Glibc

/// A short exchange with a running coordinator: ask, wait for the answer, leave.
final class Session {
    let client: Client
    private let connection: Connection
    private var interruption: Interruption
    /// Of signals, while nobody reads what is printed.
    let watch = WriteWatch()
    /// Why the session is over; told once what came before that has been dealt with.
    private var loss: Failure?
    /// It was told that the coordinator does not answer.
    private var isInterrupted = false
    /// What to ask again when another session continues this one; told whether the coordinator still knows of this client.
    var askAgain: (_ isKnown: Bool) throws -> Void = { _ in }
    /// It is about a group that the coordinator had: one that was started anew without a journal may have another one of
    /// that number or name.
    var isAboutGroup = false

    /// - Parameter policy: what it does when the coordinator is gone.
    init(_ options: CoordinatorOptions, name: String, policy: ReturnPolicy = .withinLease) throws {
        interruption = try Interruption()
        connection = try Connection(options, name: name, policy: policy)
        client = connection.client
        watch.begin(interruption.signals.descriptor) { [unowned self] in
            interruption.poll() ? interruption.first : nil
        }
    }

    /// Prints to standard output, until a signal comes.
    func print(_ text: String) throws {
        do throws(ReportError) {
            try StreamOutput.write(Array(text.utf8).span.bytes, to: .stdout, 1, watch)
            if let signal = watch.stopSignal { throw .interrupted(signal: signal) }
        } catch {
            throw error.ending
        }
    }

    func close() { connection.close() }

    /// Waits for the answer to a query that has been sent, and hands over what comes before it.
    ///
    /// A query that was lost with the coordinator is asked again.
    @discardableResult
    func untilAnswered(_ take: (ClientUpdate) throws -> Void = { _ in }) throws -> Snapshot {
        while true {
            if let snapshot = try nextUpdate(take) { return snapshot }
        }
    }

    /// Waits for something to come, and hands it over.
    ///
    /// - Parameter timeout: how long to wait; `nil` for ever.
    /// - Returns: the answer to a query, if that has come.
    @discardableResult
    func nextUpdate(within timeout: Duration? = nil, _ take: (ClientUpdate) throws -> Void) throws -> Snapshot? {
        if let loss { throw loss }
        _ = Descriptors.wait(for: [client.notices.descriptor, interruption.signals.descriptor], timeout: timeout)
        if interruption.poll(), let signal = interruption.first { throw ExitStatusError(code: 128 + signal) }
        var snapshot: Snapshot?
        for notice in client.notices.takeAll() {
            switch notice {
            case .connected: break
            case .unanswered(let explanation): Failure.note("cohort: \(explanation)")
            case .update(let update): try take(update)
            case .snapshot(let answer): snapshot = answer
            case .interrupted(let explanation):
                isInterrupted = true
                Failure.note("cohort: \(explanation)")
            case .restored(.same): noteReturn()
            case .restored(.forgotten) where isAboutGroup:
                throw Failure(.coordinator, "the coordinator was started anew and has forgotten its groups")
            case .restored(let continuation):
                noteReturn()
                try askAgain(continuation == .resumed)
            case .lost(_, let explanation): loss = Failure(.coordinator, explanation)
            }
        }
        return snapshot
    }

    /// Only where its absence was told: shorter ones nobody notices.
    private func noteReturn() {
        if isInterrupted { Failure.note("cohort: the coordinator is back") }
        isInterrupted = false
    }

    /// Waits for so long, or until the session or the user ends it, and hands over what comes meanwhile.
    ///
    /// - Parameter isDone: looked at after whatever has come: whether that was what is waited for.
    func pause(
        for span: Duration,
        unless isDone: () -> Bool = { false },
        _ take: (ClientUpdate) throws -> Void = { _ in }
    ) throws {
        let end = ContinuousClock.now + span
        while !isDone(), case let left = end - .now, left > .zero { try nextUpdate(within: left, take) }
    }

    /// Sends a request about a group and waits until it has been dealt with.
    ///
    /// - Parameter isRepeatable: it means the same when it comes twice.
    func request(isRepeatable: Bool = true, _ send: @escaping (Client) -> Void) throws {
        let client = client
        isAboutGroup = true
        askAgain = { isKnown in
            // What had not arrived before the coordinator went comes into the session that continues this one by itself.
            if !isKnown {
                guard isRepeatable else {
                    throw Failure(
                        .coordinator,
                        "the connection was lost before the answer came; whether the request took effect is not known"
                    )
                }
                send(client)
            }
            client.query()
        }
        send(client)
        client.query()
        try untilAnswered { update in
            if let refusal = update.refusals.first { throw Failure(.usage, refusal.message) }
            if let refusal = update.answers.first(where: { $0.code != nil }) {
                throw Failure(.usage, refusal.message)
            }
        }
    }
}
