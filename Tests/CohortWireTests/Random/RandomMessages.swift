internal import CohortCore
internal import CohortFuzzKit

@testable internal import CohortWire

/// Messages that follow from a seed, with a taste for the values at which mistakes show.
struct RandomMessages {
    var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func header() -> FrameHeader {
        FrameHeader(epoch: number(), session: number(), sequence: number(), acknowledge: number())
    }

    mutating func body() -> FrameBody { body(pick(BodyKind.allCases)) }

    mutating func body(_ kind: BodyKind) -> FrameBody {
        switch kind {
        case .hello: .hello(greeting())
        case .welcome:
            .welcome(
                Acceptance(
                    heartbeat: span(),
                    lease: span(),
                    coordinator: text(),
                    resumed: flag(),
                    unwanted: list { $0.ref() },
                    durable: flag(),
                    lineage: number()
                )
            )
        case .refused: .refused(text())
        case .heartbeat: .heartbeat(last: number())
        case .resend: .resend(from: number())
        case .goodbye: .goodbye(text())
        case .obituary: .obituary(worker: number(), PeerToken(number()), death())
        case .openGroup: .openGroup(groupSpec())
        case .submit: .submit(submission())
        case .seal: .seal(GroupKey(number()), pick([.returned, .cancelled, .failed(detail())]))
        case .joinGroup: .joinGroup(GroupKey(number()), ref())
        case .cancelGroup: .cancelGroup(target(), grace: maybe { $0.span() }, reason: text(), token: number())
        case .cancelTask: .cancelTask(GroupKey(number()), index: number(), reason: text(), token: number())
        case .setDeadline: .setDeadline(target(), maybe { $0.span() }, token: number())
        case .extendDeadline: .extendDeadline(target(), by: span(), token: number())
        case .consumed:
            .consumed(
                weight: number(),
                list {
                    ConsumedOutput(
                        group: GroupID($0.number()),
                        index: $0.number(),
                        attempt: $0.number(),
                        position: $0.number()
                    )
                }
            )
        case .watch: .watch(target())
        case .query: .query
        case .update: .update(update())
        case .snapshot: .snapshot(snapshot())
        case .assign: .assign(assignBatch())
        case .cancel: .cancel(list { $0.cancelOrder() })
        case .grant: .grant(list { OutputGrant(ref: $0.ref(), position: $0.number()) })
        case .forget: .forget(list { TemplateID($0.number()) })
        case .proceed: .proceed(list { $0.ref() })
        case .report: .report(report())
        case .draining: .draining
        }
    }

    // MARK: Values

    mutating func number<Number: FixedWidthInteger>() -> Number {
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: 0
        case 1: .max
        case 2: .min
        case 3: Number(Int.random(in: 1...100, using: &generator))
        default: .random(in: .min ... .max, using: &generator)
        }
    }

    mutating func flag() -> Bool { .random(using: &generator) }

    mutating func span() -> TimeSpan { TimeSpan(nanoseconds: number()) }

    mutating func text() -> String {
        let words = [
            "", "a", "nightly", "größe", "\u{1F40B}\u{200D}", "line\nline", "nul\0nul", "e\u{301}", "\u{feff}",
        ]
        return (0..<Int.random(in: 0...3, using: &generator)).map { _ in pick(words) }.joined(separator: " ")
    }

    mutating func bytes(atMost count: Int = 40) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &generator)).map { _ in number() }
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &generator)]
    }

    /// A part of a whole, the ends included, in the steps in which it travels.
    mutating func fraction() -> Double { Double(Int.random(in: 0...1_000_000, using: &generator)) / 1e6 }

    mutating func maybe<Value>(_ make: (inout RandomMessages) -> Value) -> Value? {
        flag() ? make(&self) : nil
    }

    mutating func list<Value>(atMost count: Int = 4, _ make: (inout RandomMessages) -> Value) -> [Value] {
        (0..<Int.random(in: 0...count, using: &generator)).map { _ in make(&self) }
    }

    // MARK: Sessions and groups

    private mutating func greeting() -> Greeting {
        let (name, host, processID): (String, String, UInt32) = (text(), text(), number())
        let offer = WorkerOffer(
            name: name,
            host: host,
            processID: processID,
            slots: max(1, number()),
            credit: number(),
            runsCommands: flag(),
            functions: list { $0.text() },
            held: list { HeldAttempt(ref: $0.ref(), state: $0.pick(HeldAttempt.State.allCases)) }
        )
        let previous: UInt32 = number() / 2
        return Greeting(
            role: pick([.client, .worker(offer), .supervisor]),
            name: name,
            host: host,
            processID: processID,
            token: PeerToken(number()),
            request: SessionRequest(number: previous + 1, previous: previous, lineage: number())
        )
    }

    private mutating func death() -> WorkerDeath {
        var death = WorkerDeath(
            exitCode: maybe { $0.number() },
            signal: maybe { $0.number() },
            begun: maybe { $0.list { $0.ref() } }
        )
        death.coreDumped = flag()
        death.outOfMemory = flag()
        return death
    }

    private mutating func target() -> GroupTarget {
        pick([.key(GroupKey(number())), .id(GroupID(number())), .name(text())])
    }

    private mutating func groupSpec() -> GroupSpec {
        GroupSpec(
            key: GroupKey(number()),
            parent: maybe { GroupKey($0.number()) },
            owner: maybe { $0.ref() },
            name: text(),
            policy: pick(FailurePolicy.allCases),
            limit: maybe { $0.number() },
            timeout: maybe { $0.span() },
            grace: maybe { $0.span() },
            shield: flag(),
            detached: flag(),
            isScope: flag(),
            acceptsSiblings: flag()
        )
    }

    // MARK: Tasks

    mutating func template() -> TaskTemplate {
        TaskTemplate(
            name: text(),
            function: text(),
            timeout: maybe { $0.span() },
            retries: number(),
            backoff: span(),
            shield: flag(),
            output: pick(OutputMode.allCases),
            spec: bytes()
        )
    }

    private mutating func submission() -> TaskSubmission {
        var payload: [UInt8] = []
        let runs = list { random in
            let lengths = random.list { random in
                let piece = random.bytes()
                payload += piece
                return UInt32(piece.count)
            }
            return TaskRun(template: random.number(), lengths: lengths)
        }
        return TaskSubmission(
            group: GroupKey(number()),
            first: number(),
            firstTemplate: number(),
            templates: list { $0.template() },
            runs: runs,
            payload: payload
        )
    }

    mutating func detail() -> AttemptDetail {
        var detail = AttemptDetail()
        detail.type = text()
        detail.message = text()
        detail.trace = text()
        detail.command = text()
        detail.exitCode = maybe { $0.number() }
        detail.signal = maybe { $0.number() }
        detail.coreDumped = flag()
        detail.forced = flag()
        detail.standardOutput = bytes()
        detail.standardError = bytes()
        detail.standardOutputBytes = number()
        detail.standardErrorBytes = number()
        detail.userTime = span()
        detail.systemTime = span()
        detail.maxResidentBytes = number()
        detail.tree = bytes()
        detail.rest = maybe { $0.stretch() }
        return detail
    }

    private mutating func stretch() -> OutputStretch {
        var bytes: [UInt8] = []
        let runs = list { random in
            let piece = random.bytes()
            bytes += piece
            return OutputStretch.Run(stream: random.pick(OutputStream.allCases), length: UInt32(piece.count))
        }
        return OutputStretch(offset: number(), runs: runs, bytes: bytes)
    }

    mutating func ref() -> AttemptRef { AttemptRef(task: TaskKey(raw: number()), attempt: number()) }

    private mutating func cancelOrder() -> CancelOrder {
        CancelOrder(ref: ref(), grace: span(), cause: pick(CancelCause.allCases), reason: text())
    }
}
