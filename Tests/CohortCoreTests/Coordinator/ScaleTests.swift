internal import CohortCore
internal import Glibc
internal import Testing

/// Large and deep groups.
@Suite struct ScaleTests {
    @Test func oneFailureAmongTenThousand() {
        var script = CoreScript(checksInvariants: false)
        let client = script.client()
        script.worker(slots: 100)
        script.open(client, 1)
        script.submit(client, 1, count: 10_000)
        script.seal(client, 1)
        for index in 0..<100 { script.start("g1/\(index)") }
        script.settle()
        script.finish("g1/50", .failed, error: "A")
        let lines = script.trace.lines
        #expect(lines.filter { $0.contains("assign") }.isEmpty)
        #expect(lines.filter { $0.contains("w1 cancel") }.count == 99)
        #expect(lines.filter { $0.contains("cancelled unstarted") }.count == 9_900)
        #expect(script.core.checkInvariants() == [])
        for index in 0..<100 where index != 50 { script.finish("g1/\(index)", .cancelled) }
        #expect(script.trace.lines.last == "c1 closed g1 errors (siblingFailed)")
        #expect(script.core.checkInvariants() == [])
        expectTold(script, group: 1, tasks: 10_000)
    }

    @Test func aThousandFailuresAtOnceAreAllTold() {
        for isNested in [false, true] {
            var script = CoreScript(checksInvariants: false)
            let client = script.client()
            let worker = script.worker(slots: 1_000)
            script.open(client, 1)
            script.open(client, 2, in: 1)
            let key: UInt32 = isNested ? 2 : 1
            script.submit(client, key, count: 1_000)
            script.seal(client, 2)
            script.seal(client, 1)
            let held = (0..<1_000).map { script.held("g\(key)/\($0)") }
            script.report(from: worker) { $0.started = held.map(\.ref) }
            script.settle()
            script.report(from: worker) { report in
                for (index, task) in held.enumerated() {
                    var detail = AttemptDetail()
                    detail.type = "E\(index)"
                    report.details.append(detail)
                    report.finished.append(FinishedAttempt(ref: task.ref, status: .failed, detail: Int32(index)))
                }
            }
            let ended = script.trace.lines.filter { $0.contains("ended") }
            #expect(ended.first == "c1 ended g\(key)/0 error E0")
            #expect(
                ended.dropFirst().elementsEqual(
                    (1..<1_000).map {
                        "c1 ended g\(key)/\($0) error E\($0) (siblingFailed)"
                    }
                )
            )
            #expect(script.trace.lines.last == "c1 closed g1 errors (siblingFailed)")
            #expect(script.core.checkInvariants() == [])
        }
    }

    @Test func aWorkerThatDiesUnderAThousandTasksLosesThemAll() {
        var script = CoreScript(checksInvariants: false)
        let client = script.client()
        let worker = script.worker(slots: 1_000)
        script.open(client, 1)
        script.submit(client, 1, count: 1_000)
        script.seal(client, 1)
        let held = (0..<1_000).map { script.held("g1/\($0)") }
        script.report(from: worker) { $0.started = held.map(\.ref) }
        script.settle()
        script.lose(worker)
        #expect(script.trace.lines.filter { $0.contains("lost WorkerLost") }.count == 1_000)
        #expect(script.trace.lines.last == "c1 closed g1 errors (siblingFailed)")
    }

    @Test func retriesThatFallDueTogetherDoNotSearchThroughEachOther() throws {
        let few = try requeueing(5_000)
        let many = try requeueing(20_000)
        // Four times as many take four times as long, and sixteen times if each looks through those before it.
        #expect(many < few * 9)
    }

    /// Has retries fall due all at once while no worker is there.
    ///
    /// - Returns: the processor time of this thread that took, which other load does not lengthen.
    private func requeueing(_ count: Int) throws -> Duration {
        var script = CoreScript(checksInvariants: false)
        let client = script.client()
        let workers = (0..<5).map { _ in script.worker(slots: 4_096) }
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, TaskTemplate(name: "task", retries: 1, backoff: .seconds(1)), count: count)
        script.send(burst: (0..<count).map { CoreScript.finished(script.held("g1/\($0)"), .failed) })
        for worker in workers { script.lose(worker) }
        script.settle()
        script.jump(by: .seconds(2))
        let before = try processorTime()
        script.send(.timeReached)
        let taken = try processorTime() - before
        script.worker()
        script.expect("w6 assign g1/0 #2")
        #expect(script.core.checkInvariants() == [])
        return taken
    }

    private func processorTime() throws -> Duration {
        var time = timespec()
        try #require(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    @Test func sixtyGroupsDeep() {
        for ending in ["failure", "cancel", "deadline"] {
            var script = CoreScript()
            let client = script.client()
            script.worker()
            for key: UInt32 in 1...60 {
                let timeout: TimeSpan? = key == 1 && ending == "deadline" ? .seconds(1) : nil
                script.open(client, key, in: key == 1 ? nil : key - 1, timeout: timeout)
            }
            script.submit(client, 60)
            for key: UInt32 in 1...60 { script.seal(client, key) }
            script.start("g60/0")
            script.settle()
            switch ending {
            case "failure":
                script.finish("g60/0", .failed, error: "A")
            case "cancel":
                script.cancel(client, 1)
                script.finish("g60/0", .cancelled)
            default:
                script.advance(by: .seconds(1))
                script.finish("g60/0", .cancelled)
            }
            let closed = script.take(containing: "closed")
            let outcomes = closed.map { $0.split(separator: " ")[3] }
            #expect(closed.count == 60)
            #expect(closed.last?.hasPrefix("c1 closed g1 ") == true)
            switch ending {
            case "failure": #expect(outcomes.allSatisfy { $0 == "errors" })
            case "cancel": #expect(outcomes.allSatisfy { $0 == "cancelled" })
            default:
                #expect(outcomes.dropLast().allSatisfy { $0 == "cancelled" })
                #expect(outcomes.last == "timeout")
            }
        }
    }

    @Test func aThousandGroupsSideBySideFail() {
        var script = CoreScript(checksInvariants: false)
        let client = script.client()
        let worker = script.worker(slots: 1_000)
        script.open(client, 1)
        for key: UInt32 in 2...1_001 {
            script.open(client, key, in: 1)
            script.submit(client, key)
            script.seal(client, key)
        }
        script.seal(client, 1)
        let held = (2...1_001).map { script.held("g\($0)/0") }
        script.settle()
        script.report(from: worker) { report in
            report.finished = held.map { FinishedAttempt(ref: $0.ref, status: .failed) }
        }
        let closed = script.take(containing: "closed")
        #expect(closed.count == 1_001)
        #expect(closed.last == "c1 closed g1 errors (siblingFailed)")
        #expect(script.core.checkInvariants() == [])
    }

    /// Every task of the group has been told exactly once.
    private func expectTold(_ script: CoreScript, group: UInt64, tasks: Int) {
        var told: [Int: Int] = [:]
        for case .update(_, let update) in script.actions {
            for report in update.reports where report.group == GroupID(group) {
                told[Int(report.index), default: 0] += 1
            }
        }
        #expect(told.count == tasks)
        #expect(told.values.allSatisfy { $0 == 1 })
    }
}
