internal import CohortProcess
internal import CohortWorker
internal import Glibc
internal import Testing

extension CallPoolTests {
    /// A call that waits for tasks of its own gives up its place in the pool.
    @Suite struct Waiting {
        private static let long = Duration.seconds(3_600)

        /// What a call is to wait for.
        private func waits(_ files: TestDirectory, _ names: [String], stubborn: Bool = false) -> String {
            let list = names.map { "\"\(files.path($0))\"" }.joined(separator: ",")
            return "{\"files\": [\(list)], \"stubborn\": \(stubborn)}"
        }

        private func harness(maxHosts: Int = 1) throws -> CallPoolHarness {
            try CallPoolHarness(maxHosts: maxHosts, arguments: [CallPoolHarness.fixture])
        }

        @Test func thePoolIsFreeMeanwhile() async throws {
            let files = TestDirectory()
            let harness = try harness()
            harness.submit(1, "fixture.wait", waits(files, ["a"]))
            try await harness.waiting(1)
            #expect(harness.log.first == .started(1))
            harness.submit(2, "fixture.pid")
            harness.submit(3, "fixture.pid", prefetchable: false)
            let others = [try await harness.result(2).text, try await harness.result(3).text]
            // One after the other in one host beside the one that waits.
            #expect(others[0] == others[1])
            #expect(harness.hosts().count == 2)
            files.make("a")
            try await harness.wanting(1)
            harness.pool.proceed(1)
            #expect(try await harness.result(1).text?.contains("\\/a\"]") == true)
        }

        @Test func itDoesNotGoOnBeforeItIsLetTo() async throws {
            let files = TestDirectory()
            let harness = try harness()
            // For nothing: it has not asked yet.
            harness.submit(1, "fixture.wait", waits(files, ["a"]), prefetchable: false)
            try await harness.waiting(1)
            harness.pool.proceed(1)
            files.make("a")
            try await harness.wanting(1)
            #expect(harness.output(1) == "")
            harness.pool.proceed(1)
            _ = try await harness.result(1)
            #expect(harness.output(1) == "on \(files.path("a"))\n")
        }

        @Test func whatWaitsBehindItComesBack() async throws {
            let files = TestDirectory()
            let harness = try harness()
            harness.pool.submit(
                [harness.call(1, "fixture.wait", waits(files, ["a"]))] + (2...5).map { harness.call($0, "fixture.pid") }
            )
            #expect(try await harness.returned(4) == [2, 3, 4, 5])
            files.make("a")
            try await harness.wanting(1)
            harness.pool.proceed(1)
            // From here on it takes calls again.
            harness.submit(6, "fixture.pid")
            _ = try await harness.result(1)
            _ = try await harness.result(6)
            #expect(harness.hosts().count == 1)
        }

        @Test func theLastOfSeveralWaitsAsks() async throws {
            let files = TestDirectory()
            let harness = try harness()
            harness.submit(1, "fixture.wait", waits(files, ["a", "b", "c"]))
            try await harness.waiting(1)
            for name in ["b", "a"] {
                files.make(name)
                try await harness.wait { _ in harness.output(1).hasSuffix("on \(files.path(name))\n") ? () : nil }
            }
            files.make("c")
            try await harness.wanting(1)
            harness.pool.proceed(1)
            #expect(try await harness.result(1).text?.split(separator: ",").count == 3)
            let asked = harness.log.filter { $0 == .waiting(1) || $0 == .wanting(1) }
            #expect(asked == [.waiting(1), .wanting(1)])
        }

        @Test func aCancelReachesItAndItNeedNotAsk() async throws {
            let files = TestDirectory()
            let harness = try harness()
            harness.submit(1, "fixture.wait", waits(files, ["a"]))
            try await harness.waiting(1)
            harness.pool.cancel(1, grace: Self.long, reason: "enough")
            #expect(try await harness.result(1) == .cancelled(started: true, forced: false))
            harness.submit(2, "fixture.pid")
            _ = try await harness.result(2)
            #expect(harness.hosts().count == 1)
        }

        @Test func aCancelLetsItGoOnThatHasAsked() async throws {
            let files = TestDirectory()
            let harness = try harness()
            harness.submit(1, "fixture.wait", waits(files, ["a"]))
            files.make("a")
            try await harness.wanting(1)
            harness.pool.cancel(1, grace: Self.long, reason: "enough")
            #expect(try await harness.result(1).text?.contains("\\/a\"]") == true)
        }

        @Test func theGraceEndsForItToo() async throws {
            let files = TestDirectory()
            let harness = try harness()
            harness.submit(1, "fixture.wait", waits(files, ["a"], stubborn: true))
            try await harness.waiting(1)
            harness.pool.cancel(1, grace: .milliseconds(30), reason: "enough")
            #expect(try await harness.result(1) == .cancelled(started: true, forced: true))
        }

        @Test func itIsBlamedForTheDeathOfItsHost() async throws {
            let files = TestDirectory()
            let harness = try harness()
            harness.submit(1, "fixture.wait", waits(files, ["a"]))
            try await harness.waiting(1)
            for host in harness.hosts() { kill(host, SIGKILL) }
            #expect(try await harness.result(1) == .lost(.signalled(signal: SIGKILL, coreDumped: false), forced: false))
            harness.submit(2, "fixture.pid")
            _ = try await harness.result(2)
        }

        @Test func fiftyDeepInAPoolOfOne() async throws {
            let files = TestDirectory()
            let harness = try harness()
            let depth = 50 as UInt64
            for id in 1...depth {
                harness.submit(id, "fixture.wait", waits(files, ["\(id)"]))
                try await harness.waiting(id)
            }
            harness.submit(depth + 1, "fixture.pid")
            _ = try await harness.result(depth + 1)
            #expect(harness.hosts().count == Int(depth) + 1)
            for id in (1...depth).reversed() {
                files.make("\(id)")
                try await harness.wanting(id)
                harness.pool.proceed(id)
                _ = try await harness.result(id)
            }
            // With many hosts at hand, as many calls run at once as before.
            harness.pool.submit((101...120).map { harness.call($0, "fixture.pid") })
            var used: Set<String?> = []
            for id in 101...120 as ClosedRange<UInt64> { used.insert(try await harness.result(id).text) }
            #expect(used.count == 1)
        }

        @Test(arguments: [1, 10, 10_000])
        func theLastNoteOfProgressIsKept(count: Int) async throws {
            let harness = try harness()
            let started = ContinuousClock.now
            harness.submit(1, "fixture.progress", "\(count)")
            _ = try await harness.result(1)
            let seconds = (ContinuousClock.now - started) / .seconds(1)
            let notes = harness.log.filter { if case .progress = $0 { true } else { false } }
            #expect(notes.last == .progress(1, fraction: 1, note: "step \(count)"))
            // The first, ten in a second at most, and the last.
            #expect(Double(notes.count) <= 2 + 10 * seconds)
            #expect(harness.log.first == .started(1))
        }
    }
}

extension CallPoolHarness {
    func waiting(_ id: UInt64) async throws {
        try await wait { $0.contains(.waiting(id)) ? () : nil }
    }

    func wanting(_ id: UInt64) async throws {
        try await wait { $0.contains(.wanting(id)) ? () : nil }
    }
}
