internal import CohortCore

@testable internal import CohortWire

extension VectorTopic {
    /// Sessions: how they begin, go on and end. Sent in both directions.
    static let session = VectorTopic(name: "session", vectors: greetings + answers + upkeep)

    private static let greetings = [
        Vector(
            "hello-client",
            "A client asks for a session. Nothing but the version stands in the header yet.",
            FrameHeader(),
            .hello(Greeting(role: .client, name: "nightly", host: "alpha", processID: 4711))
        ),
        Vector(
            "hello-worker",
            "A worker with four slots that runs commands and two functions.",
            FrameHeader(),
            .hello(
                worker(slots: 4, credit: 512, runsCommands: true, functions: ["demo.echo", "demo.sleep"])
            )
        ),
        Vector(
            "hello-worker-extremes",
            "The greatest numbers that a worker can name, and names that are not ASCII.",
            FrameHeader(),
            .hello(
                worker(
                    "wörker-\u{1F69A}",
                    host: "",
                    processID: .max,
                    slots: .max,
                    credit: .max,
                    runsCommands: false,
                    functions: ["größe.berechne", ""]
                )
            )
        ),
        Vector(
            "hello-supervisor",
            "A supervisor names itself. It gets no answer: obituaries need no session.",
            FrameHeader(),
            .hello(Greeting(role: .supervisor, name: "alpha-supervisor", host: "alpha", processID: 4700))
        ),
        Vector(
            "hello-client-again",
            "A client that says who it is continues a session that it has lost.",
            FrameHeader(),
            .hello(
                Greeting(
                    role: .client,
                    name: "nightly",
                    host: "alpha",
                    processID: 4711,
                    token: PeerToken(0x0807_0605_0403_0201),
                    request: SessionRequest(number: 3, previous: 2, lineage: 77)
                )
            )
        ),
        Vector(
            "hello-worker-holding",
            "A worker continues its session and tells what it has: one attempt in each state.",
            FrameHeader(),
            .hello(holdingWorker)
        ),
    ]

    private static let outOfMemory: WorkerDeath = {
        let begun = [AttemptRef(task: TaskKey(index: 3, generation: 2), attempt: 1)]
        var death = WorkerDeath(signal: 9, begun: begun)
        death.outOfMemory = true
        return death
    }()

    private static func worker(
        _ name: String = "alpha-1",
        host: String = "alpha",
        processID: UInt32 = 4712,
        slots: UInt32,
        credit: UInt32,
        runsCommands: Bool,
        functions: [String]
    ) -> Greeting {
        let offer = WorkerOffer(
            name: name,
            host: host,
            processID: processID,
            slots: slots,
            credit: credit,
            runsCommands: runsCommands,
            functions: functions
        )
        return Greeting(role: .worker(offer), name: name, host: host, processID: processID)
    }

    private static let holdingWorker: Greeting = {
        var offer = WorkerOffer(
            name: "alpha-1",
            host: "alpha",
            processID: 4712,
            slots: 4,
            credit: 512,
            runsCommands: true,
            functions: []
        )
        offer.held = HeldAttempt.State.allCases.enumerated().map { number, state in
            let task = TaskKey(index: UInt32(number), generation: 1)
            return HeldAttempt(ref: AttemptRef(task: task, attempt: 2), state: state)
        }
        return Greeting(
            role: .worker(offer),
            name: "alpha-1",
            host: "alpha",
            processID: 4712,
            token: PeerToken(5),
            request: SessionRequest(number: 9, previous: 7, lineage: 78)
        )
    }()

    private static let answers = [
        Vector(
            "welcome",
            "The coordinator opens session 7: heartbeats every second, a lease of ten.",
            .at(0),
            .welcome(Acceptance(heartbeat: .seconds(1), lease: .seconds(10), coordinator: "cohort-1"))
        ),
        Vector(
            "welcome-resumed",
            "What the worker has goes on, save for one attempt that is over; the coordinator keeps a journal.",
            .at(1),
            .welcome(
                Acceptance(
                    heartbeat: .seconds(1),
                    lease: .seconds(10),
                    coordinator: "cohort-1",
                    resumed: true,
                    unwanted: [AttemptRef(task: TaskKey(index: 3, generation: 1), attempt: 2)],
                    durable: true,
                    lineage: 78
                )
            )
        ),
        Vector(
            "welcome-extremes",
            "The greatest epoch, session and durations.",
            FrameHeader(epoch: .max, session: .max),
            .welcome(
                Acceptance(
                    heartbeat: TimeSpan(nanoseconds: .max),
                    lease: TimeSpan(nanoseconds: .max),
                    coordinator: "κοόρτις"
                )
            )
        ),
        Vector(
            "refused",
            "The coordinator cannot serve this peer.",
            FrameHeader(epoch: 0x0102_0304_0506_0708),
            .refused("the coordinator is shutting down")
        ),
        Vector(
            "refused-unknown-session",
            "The answer to a message of a session that this life of the coordinator does not know.",
            FrameHeader(epoch: .max),
            .refused("the session is not known here")
        ),
    ]

    private static let upkeep = [
        Vector(
            "heartbeat-nothing-sent",
            "The sender has sent nothing numbered so far, and received nothing.",
            .at(0),
            .heartbeat(last: 0)
        ),
        Vector(
            "heartbeat",
            "The sender has sent 128 numbered messages and received 64 without a gap.",
            .at(0, acknowledging: 64),
            .heartbeat(last: 128)
        ),
        Vector(
            "heartbeat-extremes",
            "The greatest numbers of a session.",
            FrameHeader(epoch: .max, session: .max, acknowledge: .max),
            .heartbeat(last: .max)
        ),
        Vector(
            "resend",
            "The sender lacks everything from message 3 on.",
            .at(0, acknowledging: 2),
            .resend(from: 3)
        ),
        Vector(
            "goodbye",
            "The sender ends the session.",
            .at(12, acknowledging: 30),
            .goodbye("all done")
        ),
        Vector("goodbye-without-reason", "A reason may be left out.", .at(1), .goodbye("")),
        Vector(
            "obituary-signal",
            "The worker of session 9 was killed by signal 9.",
            FrameHeader(epoch: 0x0102_0304_0506_0708),
            .obituary(worker: 9, PeerToken(0x1122), WorkerDeath(signal: 9))
        ),
        Vector(
            "obituary-exit-zero",
            "A worker that exited with status 0: the status is present although it is 0.",
            FrameHeader(epoch: 0x0102_0304_0506_0708),
            .obituary(worker: .max, PeerToken(.max), WorkerDeath(exitCode: 0))
        ),
        Vector(
            "obituary-unknown",
            "The supervisor knows that the worker is gone and not how.",
            FrameHeader(epoch: 0x0102_0304_0506_0708),
            .obituary(worker: 9, PeerToken(1), WorkerDeath())
        ),
        Vector(
            "obituary-exact",
            "The kernel killed the worker for want of memory, and the record of what had begun is there.",
            FrameHeader(epoch: 0x0102_0304_0506_0708),
            .obituary(worker: 9, PeerToken(1), outOfMemory)
        ),
        Vector(
            "obituary-exact-nothing-begun",
            "A record that is there and empty is not the same as none.",
            FrameHeader(epoch: 0x0102_0304_0506_0708),
            .obituary(worker: 9, PeerToken(1), WorkerDeath(signal: 11, begun: []))
        ),
    ]
}
