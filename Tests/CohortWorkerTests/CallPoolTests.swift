internal import CohortProcess
internal import CohortWorker
internal import Glibc
internal import Testing

/// Serialized, because some tests look for their hosts among the children of this process.
@Suite(.serialized, .timeLimit(.minutes(5)))
enum CallPoolTests {
    @Suite struct Results {
        @Test(arguments: [
            ("demo.echo", "[1, \"a\"]", "[1, \"a\"]"),
            ("demo.echo", "", ""),
            ("demo.noop", "", "null"),
            ("demo.sleep", "0.001", "0.001"),
            ("demo.sleep", "{\"seconds\": 0.001}", "0.001"),
            ("demo.sleep", "", "0"),
            ("demo.spin", "0.001", "0.001"),
            ("demo.stubborn", "0.001", "0.001"),
            ("demo.print", "\"a\"", "1"),
            ("demo.sum", "[1, 2, 3.5]", "6.5"),
        ])
        func functionReturns(function: String, arguments: String, expected: String) async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, function, arguments)
            #expect(try await harness.result(1) == .json(expected))
        }

        @Test(arguments: [
            ("demo.fail", "\"no\"", "DemoFailure", "no"),
            ("demo.fail", "{\"message\": \"no\"}", "DemoFailure", "no"),
            ("demo.sleep", "{}", "InvalidArguments", "args.seconds is missing"),
            ("demo.sleep", "{\"seconds\": \"x\"}", "InvalidArguments", "args.seconds is not Double"),
            ("demo.sleep", "-1", "InvalidArguments", "seconds must be from 0"),
            ("demo.sum", "[1, true]", "InvalidArguments", "args[1] is not Double"),
            ("demo.sum", "", "InvalidArguments", "the call has none"),
            ("demo.sum", "[1", "InvalidArguments", "args: "),
            ("demo.nothing", "", "UnknownFunction", "\"demo.nothing\"; it has: demo.context, demo.echo"),
        ])
        func functionFails(function: String, arguments: String, type: String, message: String) async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, function, arguments)
            let failure = try #require(try await harness.result(1).failure)
            #expect(failure.type == type)
            #expect(failure.message.contains(message))
        }

        @Test func contextNamesTheTask() async throws {
            let harness = try CallPoolHarness()
            var call = harness.call(1, "demo.context")
            (call.taskName, call.groupName, call.attempt) = ("fetch", "nightly", 3)
            harness.pool.submit([call])
            call.id = 2
            call.timeoutNanoseconds = 3_600_000_000_000
            harness.pool.submit([call])
            let plain = try #require(try await harness.result(1).text)
            let timed = try #require(try await harness.result(2).text)
            for part in ["\"task\":\"fetch\"", "\"group\":\"nightly\"", "\"attempt\":3"] {
                #expect(plain.contains(part))
            }
            #expect(!plain.contains("secondsLeft"))
            let left = try #require(timed.split(separator: "\"secondsLeft\":").last?.prefix { $0.isNumber })
            #expect((3_000..<3_600).contains(try #require(Int(left))), "\(timed)")
        }

        @Test func largePayloadsPass() async throws {
            let harness = try CallPoolHarness()
            let piece = (0..<9_973).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            var payload: [UInt8] = []
            for _ in 0..<1_000 { payload += piece }
            // Before, between and behind small ones, which go through the outbox.
            for id in 1...5 as ClosedRange<UInt64> {
                harness.pool.submit([
                    CallRequest(id: id, function: "demo.echo", payload: id.isMultiple(of: 2) ? payload : [UInt8(id)])
                ])
            }
            for id in 1...5 as ClosedRange<UInt64> {
                #expect(try await harness.result(id) == .ok(id.isMultiple(of: 2) ? payload : [UInt8(id)]))
            }
        }

        @Test func tooLargePayloadsAreRefused() async throws {
            let harness = try CallPoolHarness()
            harness.pool.submit([
                CallRequest(id: 1, function: "demo.echo", payload: Array(repeating: 1, count: 16 << 20 + 1)),
                CallRequest(id: 2, function: "demo.echo", payload: Array(repeating: 1, count: 64 << 20)),
                CallRequest(id: 3, function: "demo.echo", payload: [3]),
            ])
            #expect(try await harness.result(1).failure?.type == "ResultTooLarge")
            #expect(try await harness.result(2).failure?.type == "InvalidArguments")
            #expect(try await harness.result(3) == .ok([3]))
        }

        @Test func manyCallsEachEndOnce() async throws {
            let harness = try CallPoolHarness(maxHosts: 2)
            let ids = Array(1...5_000 as ClosedRange<UInt64>)
            harness.pool.submit(ids.map { CallRequest(id: $0, function: "demo.echo", payload: Array("\($0)".utf8)) })
            for id in ids {
                #expect(try await harness.result(id) == .json("\(id)"))
            }
            let ends = harness.log.filter { if case .finished = $0 { true } else { false } }
            #expect(ends.count == ids.count)
        }

        @Test func aCallAloneIsMeasured() async throws {
            let harness = try CallPoolHarness()
            harness.submit(1, "demo.spin", "0.05", prefetchable: false)
            let report = try await harness.report(1)
            #expect(report.elapsedNanoseconds >= 50_000_000)
            let used = try #require(report.userNanoseconds) + #require(report.systemNanoseconds)
            #expect(used > 0)
            #expect(harness.log.first == .started(1))
        }
    }
}
