/// Who is to go on once all locks are free.
struct Wakeups {
    private var ends: [(watch: EndWatch, position: Int)] = []
    private var resumptions: [() -> Void] = []

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
        for (watch, position) in ends { watch.ended(position) }
        for resume in resumptions { resume() }
        self = Wakeups()
    }
}
