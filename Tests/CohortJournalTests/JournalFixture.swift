internal import CohortCore
internal import FoundationEssentials
internal import Glibc

@testable internal import CohortJournal

/// A directory for the state file of one test.
final class JournalFixture {
    let directory: String

    init() throws {
        var template = Array("/tmp/cohort-journal-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var path: String { directory + "/state.db" }

    func store(pages: Int? = nil) throws -> JournalStore { try JournalStore(path: path, pages: pages) }

    /// A batch with a row of every kind, and something in every field.
    static func fullBatch() -> JournalBatch {
        var batch = JournalBatch()
        batch.counters.nextGroup = .max
        batch.counters.nextTemplate = 3
        batch.counters.nextWorker = 4
        batch.counters.nextOrder = 5
        batch.counters.nextSequence = 6
        batch.counters.generation = 7
        batch.counters.lineage = 8
        let attempt = AttemptRef(task: TaskKey(index: 5, generation: .max), attempt: 2)
        batch.clients = [
            JournalClient(
                token: PeerToken(.max),
                sessions: KnownSessions(first: 2, latest: 3),
                keys: [1...4, 9 ... .max],
                extensions: DecidedExtensions(
                    latest: .max,
                    refused: [DecidedExtensions.Refused(token: 7, code: .draining, message: "m")]
                )
            )
        ]
        batch.joins = [
            JournalJoin(key: ClientKey(client: PeerToken(.max), key: GroupKey(1)), group: GroupID(7), task: attempt),
            JournalJoin(key: ClientKey(client: PeerToken(5), key: GroupKey(.max)), group: GroupID(8), task: nil),
        ]
        batch.workers = [worker]
        batch.groups = [group(7), group(8, parent: 7)]
        batch.submissions = [submission(7, first: 0), submission(7, first: 2)]
        batch.tasks = [task(7, 0, attempt), task(7, 1, attempt)]
        let failure = PendingFailure(outcome: .lost, detail: detail, retryAt: Instant(nanoseconds: 5))
        batch.failures = [
            JournalFailure(group: GroupID(7), index: 1, failure: failure),
            JournalFailure(group: GroupID(8), index: 1, failure: failure),
        ]
        batch.ends = [end(0, 7, 2)]
        batch.closings = [closing(1, head: 7, group: 9)]
        return batch
    }

    static var worker: JournalWorker {
        let offer = WorkerOffer(
            name: "w",
            host: "h",
            processID: 12,
            slots: 3,
            credit: 4,
            runsCommands: true,
            functions: ["a", "b"]
        )
        return JournalWorker(
            number: 9,
            token: PeerToken(77),
            latestSession: .max,
            offer: offer,
            draining: true,
            departed: false
        )
    }

    static func group(_ id: UInt64, parent: UInt64? = nil) -> JournalGroup {
        var counts = TaskCounts()
        counts.queued = 1
        counts.running = 2
        counts.ok = 3
        counts.error = 4
        counts.timeout = 5
        counts.cancelled = 6
        counts.lost = .max
        return JournalGroup(
            id: GroupID(id),
            key: GroupKey(3),
            owner: PeerToken(5),
            name: "größe",
            parent: parent.map(GroupID.init),
            opener: parent.map { _ in 6 },
            head: GroupID(parent ?? id),
            policy: .first,
            limit: .max,
            grace: .seconds(5),
            shield: true,
            detached: true,
            isScope: true,
            acceptsSiblings: true,
            isCleanup: true,
            phase: .stopping,
            sealed: true,
            orphaned: true,
            openedAt: Instant(nanoseconds: 1_800_000_000_000_000_000),
            closedAt: Instant(nanoseconds: 4),
            deadline: Instant(nanoseconds: .max),
            timedOut: true,
            cancelledFromOutside: true,
            cause: .requested,
            reason: "why",
            deadlineOf: "other",
            failures: 4,
            hasWinner: true,
            childCancelled: true,
            bodyCancelled: true,
            bodyFailed: true,
            outcome: .timeout,
            counts: counts,
            closedBelow: TaskCounts(),
            closedInside: counts,
            omitted: 9
        )
    }

    static func submission(_ group: UInt64, first: UInt32) -> JournalSubmission {
        let template = TaskTemplate(
            name: "t",
            function: "f",
            timeout: .seconds(1),
            retries: 3,
            backoff: .milliseconds(5),
            shield: true,
            output: .stream,
            spec: [0, 255]
        )
        return JournalSubmission(
            group: GroupID(group),
            first: first,
            order: 12,
            templates: [JournalTemplate(id: TemplateID(4), template: template)],
            runs: [JournalRun(template: TemplateID(4), lengths: [1, 2])],
            payload: [1, 2, 3],
            joined: JournalJoinedSubmission(
                client: PeerToken(1),
                key: GroupKey(2),
                first: 3,
                templates: [TemplateID(4)],
                task: AttemptRef(task: TaskKey(raw: .max), attempt: 1)
            )
        )
    }

    static var detail: AttemptDetail {
        var detail = AttemptDetail()
        detail.type = "T"
        detail.message = "m"
        detail.trace = "t"
        detail.tree = [1]
        detail.command = "c"
        detail.exitCode = -1
        detail.signal = 9
        detail.coreDumped = true
        detail.forced = true
        detail.standardOutput = [2]
        detail.standardError = [3]
        detail.standardOutputBytes = 4
        detail.standardErrorBytes = 5
        detail.userTime = .seconds(6)
        detail.systemTime = .seconds(7)
        detail.maxResidentBytes = 8
        detail.rest = OutputStretch(
            offset: 9,
            runs: [OutputStretch.Run(stream: .standardError, length: 1)],
            bytes: [10]
        )
        return detail
    }

    static func task(_ group: UInt64, _ index: UInt32, _ ref: AttemptRef) -> JournalTask {
        let attempt = FinishedAttempt(ref: ref, status: .failed, elapsed: .seconds(2), valueLength: 1, detail: 0)
        return JournalTask(
            group: GroupID(group),
            index: index,
            key: ref.task,
            state: .ending,
            attempt: 2,
            executions: 3,
            worker: 4,
            flags: [.cancelSeen, .startTold],
            cause: .deadline,
            startedAt: Instant(nanoseconds: 1_700_000_000_000_000_000),
            crashes: 2,
            end: PendingEnd(attempt: attempt, detail: detail, value: [9])
        )
    }

    static func end(_ sequence: UInt64, _ group: UInt64, _ index: UInt32, value: [UInt8] = [1, 0, 2]) -> JournalEnd {
        JournalEnd(
            sequence: sequence,
            head: GroupID(7),
            report: TaskReport(
                group: GroupID(group),
                index: index,
                outcome: .error,
                started: true,
                afterCancel: true,
                cause: .siblingFailed,
                attempts: 3,
                elapsed: .seconds(1),
                worker: 9,
                valueLength: UInt32(value.count)
            ),
            detail: detail,
            value: value,
            name: "n",
            sibling: PeerToken(3),
            isOmitted: true
        )
    }

    static func closing(_ sequence: UInt64, head: UInt64, group: UInt64) -> JournalClosing {
        JournalClosing(
            sequence: sequence,
            head: GroupID(head),
            key: GroupKey(4),
            report: GroupReport(
                group: GroupID(group),
                parent: GroupID(head),
                name: "c",
                outcome: .errors,
                timedOut: true,
                cancelled: true,
                cause: .shutdown,
                reason: "r",
                deadlineOf: "d",
                counts: TaskCounts(),
                elapsed: .seconds(3),
                openedAgo: .seconds(4),
                omitted: 1,
                below: Self.group(7).counts
            ),
            accepted: [AcceptedTasks(key: GroupKey(4), first: 1, index: 2, count: 3)]
        )
    }
}
