internal import CohortProcess
internal import Glibc

/// A call host as the pool's thread sees it: the process, what is on its way to it, and the calls it holds.
final class PooledHost {
    /// A call that the host was given and has not answered for.
    struct Call {
        let id: UInt64
        var credit: UInt64
        /// When it was reported as started; 0: it was not.
        var startedAt: UInt64 = 0
        var hold = CallHold.never
        var isCancelRequested = false
        /// It has had its last event.
        var isSettled = false
    }

    /// Why the host is going to end.
    enum Ending: Equatable {
        /// It was idle for long, or the pool stops.
        case dismissed
        /// It was killed because of this call, which it was executing.
        case killed(sequence: UInt64)
        /// It was killed because it no longer answered.
        case unresponsive
    }

    /// What a call does that has given up its slot, until it is let go on.
    enum Away: Equatable {
        /// It waits for tasks of its own.
        case waiting(sequence: UInt64)
        /// It has waited, and asks for a slot.
        case wanting(sequence: UInt64)

        var sequence: UInt64 {
            switch self {
            case .waiting(let sequence), .wanting(let sequence): sequence
            }
        }
    }

    let number: UInt64
    let process: SpawnedProcess
    let socket: Int32
    let page: HostPage
    var streams: [HostStream]
    var ending: Ending?
    var isReady = false
    /// Nothing more will come through the socket.
    var isDisconnected = false
    /// The call that was reported as started and has not ended.
    var announced: UInt64?
    /// Set while its call holds no slot: the host is given no other calls, and hands those back that it has.
    var away: Away?
    var idleSince: UInt64

    var received = FrameBuffer(capacity: 256 << 10)
    /// Bytes received in the host's life.
    var receivedBytes: UInt64 = 0
    /// Orders not yet sent, from `sentBytes` on.
    private(set) var orders: [UInt8] = []
    private var sentBytes = 0
    /// The socket took less than there was; the poller watches for room.
    var isBlocked = false

    /// Calls in order of their numbers, from `head` on; the first one is not settled.
    private var calls: [Call] = []
    private var head = 0
    private var firstSequence: UInt64 = 1
    /// Calls that are not settled.
    private(set) var load = 0 {
        didSet { if (load > 0) != (oldValue > 0) { activity.isBusy = load > 0 } }
    }
    private let activity: HostActivity

    init(
        number: UInt64,
        activity: HostActivity,
        process: SpawnedProcess,
        socket: Int32,
        page: HostPage,
        streams: [HostStream]
    ) {
        self.number = number
        self.activity = activity
        self.process = process
        self.socket = socket
        self.page = page
        self.streams = streams
        idleSince = MonotonicClock.nanoseconds()
    }

    var hasOrders: Bool { sentBytes < orders.count }

    var isAway: Bool { away != nil }

    // MARK: Calls

    /// Queues a call for the host.
    func append(_ request: CallRequest) {
        var header = OrderHeader(kind: .call, sequence: firstSequence + UInt64(calls.count - head))
        if !request.prefetchable { header.flags.insert(.exclusive) }
        if let timeout = request.timeoutNanoseconds {
            header.flags.insert(.hasTimeout)
            header.timeout = timeout
        }
        switch request.hold {
        case .never: break
        case .afterFailure: header.flags.insert(.holdAfterFailure)
        case .afterSuccess: header.flags.insert(.holdAfterSuccess)
        }
        if let deadline = request.deadlineNanoseconds {
            header.flags.insert(.hasDeadline)
            header.deadline = deadline
        }
        header.task = request.id
        header.fence = request.fence
        header.record = request.record
        header.attempt = request.attempt
        header.functionLength = UInt32(request.function.utf8.count)
        header.taskLength = UInt32(request.taskName.utf8.count)
        header.groupLength = UInt32(request.groupName.utf8.count)
        header.settingsLength = UInt32(request.settings.count)
        header.bodyLength = UInt32(request.bodyBytes)
        order(header)
        orders.append(contentsOf: request.function.utf8)
        orders.append(contentsOf: request.taskName.utf8)
        orders.append(contentsOf: request.groupName.utf8)
        orders.append(contentsOf: request.settings)
        orders.append(contentsOf: request.payload)
        calls.append(Call(id: request.id, credit: request.outputCredit, hold: request.hold))
        load += 1
    }

    func orderCancel(_ sequence: UInt64, reason: String) {
        order(OrderHeader(bodyLength: UInt32(reason.utf8.count), kind: .cancel, sequence: sequence))
        orders.append(contentsOf: reason.utf8)
    }

    func orderRecall(_ sequence: UInt64) {
        order(OrderHeader(kind: .recall, sequence: sequence))
    }

    func orderResume() {
        order(OrderHeader(kind: .resume, sequence: 0))
    }

    func orderProceed(_ sequence: UInt64) {
        order(OrderHeader(kind: .proceed, sequence: sequence))
    }

    private func order(_ header: OrderHeader) {
        withUnsafeTemporaryAllocation(byteCount: OrderHeader.size, alignment: 8) { bytes in
            guard let start = bytes.baseAddress else { return }
            header.write(to: start)
            orders.append(contentsOf: bytes)
        }
    }

    /// The number of an unsettled call.
    func sequence(of id: UInt64) -> UInt64? {
        for index in head..<calls.count where calls[index].id == id && !calls[index].isSettled {
            return firstSequence + UInt64(index - head)
        }
        return nil
    }

    /// Every unsettled call with its number, in order.
    func forEachCall(_ body: (UInt64, Call) -> Void) {
        for index in head..<calls.count where !calls[index].isSettled {
            body(firstSequence + UInt64(index - head), calls[index])
        }
    }

    /// An unsettled call; nil if there is none of that number.
    subscript(sequence: UInt64) -> Call? {
        get {
            guard let index = index(of: sequence), !calls[index].isSettled else { return nil }
            return calls[index]
        }
        set {
            guard let index = index(of: sequence), let newValue else { return }
            calls[index] = newValue
        }
    }

    /// Strikes a call out; returns it if it was not settled yet.
    func settle(_ sequence: UInt64) -> Call? {
        guard let index = index(of: sequence), !calls[index].isSettled else { return nil }
        let call = calls[index]
        calls[index].isSettled = true
        load -= 1
        if announced == sequence { announced = nil }
        if away?.sequence == sequence { away = nil }
        while head < calls.count, calls[head].isSettled {
            head += 1
            firstSequence += 1
        }
        if head == calls.count {
            calls.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1_024 {
            calls.removeFirst(head)
            head = 0
        }
        return call
    }

    private func index(of sequence: UInt64) -> Int? {
        guard sequence >= firstSequence, sequence - firstSequence < UInt64(calls.count - head) else { return nil }
        return head + Int(sequence - firstSequence)
    }

    // MARK: Sending

    /// Sends as many orders as the socket takes.
    func send() {
        while hasOrders {
            let count = orders.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[sentBytes...])
                return Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count < 0 {
                if errno == EINTR { continue }
                // A broken connection shows up as the end of what can be read.
                break
            }
            sentBytes += count
        }
        if !hasOrders {
            orders.removeAll(keepingCapacity: orders.count <= 1 << 20)
            sentBytes = 0
        } else if sentBytes >= 1 << 20 {
            orders.removeFirst(sentBytes)
            sentBytes = 0
        }
    }

    // MARK: Ending

    /// Kills the host and everything below it.
    func kill(because reason: Ending) {
        guard ending == nil || ending == .dismissed else { return }
        ending = reason
        ProcessTree.killDescendants(of: process.pid, within: .zero)
        Glibc.kill(-process.pid, SIGKILL)
    }

    /// Lets an idle host go.
    func dismiss() {
        ending = .dismissed
        shutdown(socket, Int32(SHUT_WR))
    }

    /// Collects the process, which has ended, and whatever it left in its process group.
    func reap() -> ExitStatus {
        // Before the leader is reaped, because until then nobody else can get the group's number.
        Glibc.kill(-process.pid, SIGKILL)
        let status = Spawn.reap(process.pid)
        close(process.pidfd)
        close(socket)
        for stream in streams { close(stream.descriptor) }
        return status ?? .signalled(signal: SIGKILL, coreDumped: false)
    }
}

/// A host whose process has ended, and what its end means for the calls that it had.
struct EndedHost {
    let host: PooledHost
    /// The call that was executing.
    let charged: UInt64?
    let status: ExitStatus
    /// Why it could not begin to serve.
    let startFailure: CallFailure?
}

extension CallRequest {
    /// Length of the call as the body of an order.
    var bodyBytes: Int {
        function.utf8.count + taskName.utf8.count + groupName.utf8.count + settings.count + payload.count
    }
}
