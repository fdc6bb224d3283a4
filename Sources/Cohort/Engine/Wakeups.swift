/// Who is to go on once all locks are free.
struct Wakeups {
    private var stops: [@Sendable () -> Void] = []
    private var ends: [(watch: EndWatch, position: Int)] = []
    private var resumptions: [() -> Void] = []

    /// Cancels the body of a group that stops, before anybody hears of the task whose failure has stopped it: a body that
    /// waits for that task is cancelled, and does not race on.
    mutating func stop(_ cancel: (@Sendable () -> Void)?) {
        if let cancel { stops.append(cancel) }
    }

    mutating func ended(_ registrations: [EndWatch.Registration]) {
        for registration in registrations { ends.append((registration.watch, registration.position)) }
    }

    mutating func resume(_ continuation: CheckedContinuation<Void, Never>?) {
        if let continuation { resumptions.append { continuation.resume() } }
    }

    mutating func resume(_ resumption: @escaping () -> Void) {
        resumptions.append(resumption)
    }

    mutating func perform() {
        for cancel in stops { cancel() }
        for (watch, position) in ends { watch.ended(position) }
        for resume in resumptions { resume() }
        self = Wakeups()
    }
}
