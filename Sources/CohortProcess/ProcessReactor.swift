internal import CCohortProcess
internal import Glibc

/// The thread of a `ProcessLoop`: its state, and the loop itself. Made by the creator of the loop, then used by nobody but
/// the thread.
final class ProcessReactor {
    let inbox: ProcessInbox
    let environment: ProcessEnvironment
    let tag: AttemptTag
    let claimsStrangers: Bool
    private let onEvents: @Sendable ([ProcessEvent]) -> Void

    let epoll: Int32
    let devNull: Int32
    /// Where output is read to before its size is known.
    let scratch: UnsafeMutableRawBufferPointer

    /// By serial.
    var commands: [UInt64: RunningCommand] = [:]
    /// Serials by the caller's names.
    var serials: [UInt64: UInt64] = [:]
    /// Serials by the pids of own processes that were not reaped yet. A pid stands for its session as well.
    var leaders: [Int32: UInt64] = [:]
    var lastSerial: UInt64 = 0
    /// Serials of the hosts that live, and of those that have ended and of which something may be left.
    var hosts: [UInt64: HostActivity] = [:]
    var endedHosts: [UInt64: EndedHost] = [:]
    /// Commands in phase `ending`.
    var ending: [RunningCommand] = []
    /// Commands that may have something to read.
    var ready: [RunningCommand] = []
    /// Commands whose grace runs.
    var graced: [RunningCommand] = []

    var lists = ChildLists.none
    var refreshAt: Int64 = 0
    var orphans: [Int32: Orphan] = [:]
    /// Processes that were killed as descendants of a command's orphans, and may be adopted when they have ended.
    var relatives: [Int32: UInt64] = [:]
    var sweepAt = Int64.max
    /// Time until the next look at processes that were killed and are not gone, in nanoseconds.
    var sweepInterval = ProcessReactor.shortestSweep

    /// What has happened in this round.
    var events: [ProcessEvent] = []
    private var orders: [ProcessInbox.Order] = []
    private(set) var isStopping = false

    init(
        inbox: ProcessInbox,
        environment: ProcessEnvironment,
        claimsStrangers: Bool,
        onEvents: @escaping @Sendable ([ProcessEvent]) -> Void
    ) throws(SpawnError) {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        if epoll < 0 {
            throw .system("make an epoll descriptor", errno)
        }
        let devNull = open("/dev/null", O_RDWR | O_CLOEXEC)
        if devNull < 0 {
            let number = errno
            close(epoll)
            throw .system("open /dev/null", number)
        }
        self.inbox = inbox
        self.environment = environment
        self.claimsStrangers = claimsStrangers
        self.onEvents = onEvents
        self.epoll = epoll
        self.devNull = devNull
        tag = AttemptTag(inherited: environment[AttemptTag.name])
        scratch = .allocate(byteCount: ProcessReactor.largestChunk, alignment: 64)
        if !watch(inbox.wakeup, EPOLLIN, .wakeup) {
            throw .system("watch an eventfd", errno)
        }
    }

    deinit {
        scratch.deallocate()
        close(devNull)
        close(epoll)
    }

    /// The thread's main function: returns after a stop, when everything is gone.
    func run() {
        inbox.adoptCurrentThread()
        lists = ChildLists()
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 256) { buffer in
            while !(isStopping && commands.isEmpty && !hasOwnOrphans) {
                let count = epoll_wait(epoll, buffer.baseAddress, Int32(buffer.count), waitTime())
                obeyOrders()
                for event in buffer.prefix(Int(max(0, count))) {
                    dispatch(Token(rawValue: event.data.u64))
                }
                endGraces()
                settleEnded()
                readReady()
                deliver()
            }
        }
        lists.close()
    }

    /// Milliseconds that nothing is due in; -1 for no limit.
    private func waitTime() -> Int32 {
        if !ready.isEmpty { return 0 }
        var due = sweepAt
        for command in graced {
            due = min(due, command.killAt ?? .max)
        }
        if due == .max { return -1 }
        // Rounded up: too early would mean to wait again.
        let wait = max(0, due - Self.now() + 999_999) / 1_000_000
        return Int32(min(wait, 1 << 30))
    }

    private func obeyOrders() {
        inbox.take(into: &orders)
        for order in orders {
            switch order {
            case .start(let id, let command):
                start(id, command)
            case .cancel(let id, let grace):
                command(id).map { cancel($0, grace: grace) }
            case .kill(let id):
                command(id).map(kill)
            case .grant(let id, let bytes):
                command(id).map { grant($0, bytes: bytes) }
            case .hostBegins(let serial, let activity):
                hosts[serial] = activity
                sweepAt = min(sweepAt, Self.now() + Self.routineSweep)
            case .hostEnded(let serial, let whenGone):
                hosts[serial] = nil
                endedHosts[serial] = EndedHost(isGivenUpAt: Self.now() + Self.hostPatience, whenGone: whenGone)
                sweepAt = 0
            case .stop:
                isStopping = true
                hosts = [:]
                commands.values.forEach(kill)
                sweepAt = 0
            }
        }
        orders.removeAll(keepingCapacity: true)
    }

    private func dispatch(_ token: Token) {
        guard let command = commands[token.serial] else { return }
        switch token.source {
        case .end: leaderEnded(command)
        case .stdin: feed(command)
        case .stdout:
            command.stdout.noteReadable()
            markReady(command)
        case .stderr:
            command.stderr.noteReadable()
            markReady(command)
        }
    }

    private func deliver() {
        if events.isEmpty { return }
        onEvents(events)
        events.removeAll(keepingCapacity: true)
    }

    private func command(_ id: UInt64) -> RunningCommand? {
        serials[id].flatMap { commands[$0] }
    }

    /// Adds a descriptor to the poll set, edge-triggered; false with errno if that fails.
    func watch(_ descriptor: Int32, _ interest: EPOLL_EVENTS, _ token: Token) -> Bool {
        var event = epoll_event()
        event.events = interest.rawValue | EPOLLET.rawValue
        event.data.u64 = token.rawValue
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    /// Monotonic time in nanoseconds.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension ProcessReactor {
    static var largestChunk: Int { 64 * 1024 }
    /// How much of one stream is read in a round, so that a command that writes without end does not hold up the others.
    static var roundQuota: Int { 256 * 1024 }

    /// What a descriptor in the poll set is.
    struct Token {
        enum Source: UInt64 {
            case end
            case stdin
            case stdout
            case stderr
        }

        let rawValue: UInt64

        init(rawValue: UInt64) {
            self.rawValue = rawValue
        }

        init(_ serial: UInt64, _ source: Source) {
            rawValue = serial << 2 | source.rawValue
        }

        /// The inbox: serials begin at 1.
        static var wakeup: Token { Token(rawValue: 0) }

        var serial: UInt64 { rawValue >> 2 }
        // Two bits, and as many cases.
        var source: Source { Source(rawValue: rawValue & 3).unsafelyUnwrapped }
    }
}
