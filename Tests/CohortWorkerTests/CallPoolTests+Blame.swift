internal import CohortProcess
internal import CohortWorker
internal import Glibc
internal import Testing

extension CallPoolTests {
    @Suite struct Blame {
        /// Earlier calls keep their results even if the host had no time to send them; later ones are not charged.
        @Test(arguments: [
            ("demo.kill", "", CohortProcess.ExitStatus.signalled(signal: SIGKILL, coreDumped: false)),
            ("demo.exit", "3", CohortProcess.ExitStatus.exited(code: 3)),
            ("demo.exit", "0", CohortProcess.ExitStatus.exited(code: 0)),
        ])
        func onlyTheExecutingCallIsLost(
            function: String,
            arguments: String,
            status: CohortProcess.ExitStatus
        ) async throws {
            let harness = try CallPoolHarness()
            harness.pool.submit(
                (1...10).map { id in
                    id == 3 ? harness.call(id, function, arguments) : harness.call(id, "demo.echo", "\(id)")
                }
            )
            #expect(try await harness.result(1) == .json("1"))
            #expect(try await harness.result(2) == .json("2"))
            #expect(try await harness.result(3) == .lost(status, forced: false))
            #expect(try await harness.returned(7) == Array(4...10))
            // The pool goes on with a new host.
            harness.submit(11, "demo.echo", "11")
            #expect(try await harness.result(11) == .json("11"))
        }

        @Test func repeatedCrashesLoseNothingElse() async throws {
            let harness = try CallPoolHarness(maxHosts: 2)
            var open = Set(1...400 as ClosedRange<UInt64>)
            func submit(_ ids: [UInt64]) {
                harness.pool.submit(
                    ids.map { id in
                        harness.call(id, id.isMultiple(of: 20) ? "demo.kill" : "demo.echo", "\(id)")
                    }
                )
            }
            submit(open.sorted())
            var seen = 0
            while !open.isEmpty {
                let events = try await harness.wait { $0.count > seen ? Array($0[seen...]) : nil }
                seen += events.count
                for event in events {
                    switch event {
                    case .finished(let id, let report):
                        #expect(open.remove(id) != nil)
                        let killed = CallResult.lost(.signalled(signal: SIGKILL, coreDumped: false), forced: false)
                        #expect(report.result == (id.isMultiple(of: 20) ? killed : .json("\(id)")))
                    case .returned(let ids):
                        submit(ids)
                    case .started, .output, .waiting, .wanting, .progress:
                        break
                    }
                }
            }
        }

        /// Hosts are killed from outside in the midst of thousands of short calls: at most one call a host is lost.
        @Test func killsFromOutsideCostOneCallEach() async throws {
            let harness = try CallPoolHarness(maxHosts: 2)
            let total = 4_000 as UInt64
            harness.pool.submit((1...total).map { harness.call($0, "demo.echo", "\($0)") })
            var kills = 0
            var nextKill = 1
            var lost = 0
            var ended: Set<UInt64> = []
            var seen = 0
            while ended.count < Int(total) {
                let events = try await harness.wait { $0.count > seen ? Array($0[seen...]) : nil }
                seen += events.count
                for event in events {
                    switch event {
                    case .finished(let id, let report):
                        #expect(ended.insert(id).inserted)
                        if report.result == .json("\(id)") { continue }
                        #expect(report.result == .lost(.signalled(signal: SIGKILL, coreDumped: false), forced: false))
                        lost += 1
                    case .returned(let ids):
                        harness.pool.submit(ids.map { harness.call($0, "demo.echo", "\($0)") })
                    case .started, .output, .waiting, .wanting, .progress:
                        break
                    }
                }
                // Hosts get to do something in between, else the pool would give up starting any.
                if ended.count >= nextKill, let host = harness.hosts().randomElement() {
                    kill(host, SIGKILL)
                    kills += 1
                    nextKill = ended.count + 150
                }
            }
            #expect(kills > 0)
            #expect(lost <= kills)
        }

        @Test func aHostThatCrashesWhileIdleIsReplaced() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.noop")
            _ = try await harness.result(1)
            let hosts = harness.hosts()
            try #require(hosts.count == 1)
            for host in hosts { kill(host, SIGKILL) }
            await CallPoolHarness.end(of: hosts)
            harness.submit(2, "demo.echo", "2")
            #expect(try await harness.result(2) == .json("2"))
        }

        @Test func stopLeavesNothing() async throws {
            let hosts: Set<Int32>
            do {
                let harness = try CallPoolHarness(maxHosts: 2)
                harness.submit(1, "demo.stubborn", prefetchable: false)
                harness.submit(2, "demo.spin", prefetchable: false)
                try await harness.start(1)
                try await harness.start(2)
                hosts = harness.hosts()
                #expect(hosts.count == 2)
            }
            #expect(hosts.isDisjoint(with: ProcessTree.children(of: getpid())))
        }

        @Test func idleHostsAreLetGo() async throws {
            let harness = try CallPoolHarness(idleLimit: .milliseconds(20))
            harness.submit(1, "demo.noop")
            _ = try await harness.result(1)
            await CallPoolHarness.end(of: harness.hosts())
            harness.submit(2, "demo.echo", "2")
            #expect(try await harness.result(2) == .json("2"))
        }
    }

    @Suite struct Starting {
        @Test func aProgramThatDoesNotExistIsNamed() async throws {
            let harness = try CallPoolHarness(arguments: ["/nonexistent/worker"])
            harness.submit(1, "demo.noop")
            let failure = try #require(try await harness.result(1).failure)
            #expect(failure.type == "StartFailed")
            #expect(failure.message.contains("/nonexistent/worker"))
        }

        @Test func aProgramThatEndsAtOnceSaysWhy() async throws {
            let harness = try CallPoolHarness(arguments: ["/bin/sh", "-c", "echo broken >&2; exit 7"])
            harness.pool.submit([harness.call(1, "demo.noop"), harness.call(2, "demo.noop")])
            for id in 1...2 as ClosedRange<UInt64> {
                let failure = try #require(try await harness.result(id).failure)
                #expect(failure.type == "StartFailed")
                #expect(failure.message.contains("exit status 7"))
                #expect(failure.message.contains("broken"))
            }
        }

        @Test func aHostThatIsKilledAgainAndAgainIsGivenUp() async throws {
            let harness = try CallPoolHarness(arguments: ["/bin/sh", "-c", "kill -9 $$"])
            var returns = 0
            while harness.log.allSatisfy({ if case .finished = $0 { false } else { true } }) {
                harness.submit(1, "demo.noop")
                try await harness.wait { $0.count > returns ? () : nil }
                returns = harness.log.count
            }
            #expect(returns == 4)
            #expect(try await harness.result(1).failure?.message.contains("signal 9") == true)
        }

        @Test func aProgramThatNeverAnswersIsKilledWhenItsCallIsCancelled() async throws {
            let harness = try CallPoolHarness(arguments: ["/bin/sh", "-c", "exec sleep 1000"])
            harness.pool.submit([harness.call(1, "demo.noop"), harness.call(2, "demo.noop")])
            harness.pool.cancel(1, grace: .zero, reason: "test")
            #expect(try await harness.result(1) == .cancelled(started: false, forced: false))
            #expect(try await harness.returned(1) == [2])
        }
    }
}
