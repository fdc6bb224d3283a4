internal import Cohort
internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("A coordinator with a state file")
    struct StateFileTests {
        private let sandbox: Sandbox
        private var state: String { sandbox.path("state.db") }

        init() throws { sandbox = try Sandbox() }

        private func coordinator(
            _ options: String...,
            bind: String = "tcp://127.0.0.1:*",
            environment: [(String, String)] = []
        ) throws -> Program {
            let words = ["cohort", "coordinator", "--bind", bind, "--state", state] + options
            return try sandbox.start(words, input: [], environment: environment)
        }

        /// A state file as a coordinator leaves it.
        private func makeState() throws {
            let coordinator = try coordinator()
            try coordinator.waitForError("listening")
            coordinator.send(SIGTERM)
            #expect(try coordinator.wait().code == 0)
        }

        private func change(at offset: Int, _ bytes: [UInt8]) throws {
            var data = try Data(contentsOf: URL(filePath: state))
            data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            try data.write(to: URL(filePath: state))
        }

        private func expectFailure(_ coordinator: Program, _ text: String) throws {
            let finished = try coordinator.wait()
            #expect(finished.code == 2)
            #expect(finished.standardError.contains(text), "\(finished)")
            #expect(finished.standardError.contains("state file"), "\(finished)")
        }

        // MARK: Files that cannot be used

        @Test("ends when another one has the file")
        func inUse() throws {
            let first = try coordinator()
            try first.waitForError("listening")
            try expectFailure(coordinator(), "in use by another coordinator")
            // Whatever way the first one ends.
            first.send(SIGKILL)
            _ = try first.wait()
            try coordinator().waitForError("listening")
        }

        @Test("ends when the file is damaged, of a later version, or something else")
        func damage() throws {
            try makeState()
            // Where SQLite keeps the user version: 4 bytes, big-endian.
            try change(at: 60, [0, 0, 0, 99])
            try expectFailure(coordinator(), "later version")
            try change(at: 100, [UInt8](repeating: 0xee, count: 2_000))
            try expectFailure(coordinator(), "damaged")
            try sandbox.write("state.db", "dear diary")
            try expectFailure(coordinator(), "no state file")
            #expect(sandbox.read("state.db") == "dear diary")
        }

        @Test("ends when there is no such directory")
        func noDirectory() throws {
            let finished = try sandbox.cohort("coordinator", "--bind", "tcp://127.0.0.1:*", "--state", "no/where/x.db")
            #expect(finished.code == 2)
            #expect(finished.standardError.contains("there is no directory no/where"))
        }

        @Test("ends when the file or its directory can only be read")
        func readOnly() throws {
            try makeState()
            // The superuser may write everywhere, and so becomes somebody else.
            let words = ["cohort", "coordinator", "--bind", "tcp://127.0.0.1:*", "--state", state]
            let isSuperuser = geteuid() == 0
            let user = isSuperuser ? ["setpriv", "--reuid=65534", "--clear-groups", "--"] : []
            chmod(sandbox.directory, 0o777)
            chmod(state, 0o444)
            try expectFailure(sandbox.start(user + words, input: []), "can only be read")
            chmod(state, 0o666)
            chmod(sandbox.directory, 0o555)
            try expectFailure(sandbox.start(user + words, input: []), "nothing can be written in")
            chmod(sandbox.directory, 0o700)
        }

        @Test("ends with status 1 when the disk stays full for the lease; what was told before is there afterwards")
        func fullDisk() throws {
            let reserved = try ReservedPort()
            let coordinator = try coordinator(
                "--lease",
                "2s",
                "--heartbeat",
                "200ms",
                bind: reserved.endpoint,
                environment: [("COHORT_STATE_PAGES", "60")]
            )
            try coordinator.waitForError("listening")
            let endpoint = try Cluster.endpoint(of: coordinator)
            let file = try sandbox.write("small.yaml", "group: small\ntasks: [{run: echo hello}]")
            let number = try #require(try sandbox.cohort("submit", file, "--connect", endpoint).lines.first)
            // More than there is room for: it must not be told that this was accepted.
            let large = try sandbox.write(
                "large.yaml",
                "group: large\ntasks: [{run: [echo, \"\(String(repeating: "x", count: 400_000))\"]}]"
            )
            let submitter = try sandbox.startCohort("submit", large, "--connect", endpoint)
            try coordinator.waitForError("nothing is accepted")
            let finished = try coordinator.wait()
            #expect(finished.code == 1)
            #expect(finished.standardError.contains("full"), "\(finished)")
            let again = try Cluster(sandbox, bind: endpoint, options: ["--state", state])
            let groups = try again.status().groups
            #expect(groups.contains { $0.id == number })
            let answer = try submitter.wait()
            // It has waited, and now there is room.
            #expect(answer.code == 0, "\(answer)")
            #expect(try again.status().groups.count == 2)
            withExtendedLifetime(reserved) {}
        }

        @Test("remembers as many finished groups as it was told to, across lives")
        func retention() throws {
            let cluster = try Cluster(sandbox, options: ["--state", state, "--retain", "2"])
            let worker = try cluster.worker("one")
            var numbers: [String] = []
            for name in ["a", "b", "c"] {
                let number = try cluster.submit("group: \(name)\ntasks: [{run: echo \(name)}]")
                _ = try cluster.wait(number)
                numbers.append(number)
            }
            #expect(try cluster.status().groups.map(\.id) == Array(numbers.suffix(2)))
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            let again = try cluster.restarted()
            #expect(try again.status().groups.map(\.id) == Array(numbers.suffix(2)))
            #expect(try again.wait(numbers[2]).document.tasks.map(\.stdout) == ["c\n"])
            #expect(try again.cohort("wait", numbers[0]).code == 2)
            withExtendedLifetime(worker) {}
        }

        // MARK: Options

        @Test(
            "says what is wrong with its options",
            arguments: [
                (["--lease", "2s"], "three heartbeats"), (["--heartbeat", "1ms"], "from 10ms"),
                (["--lease", "3d"], "at most 1d"), (["--retain", "some"], "--retain"), (["--state", ""], "--state"),
                (["--retain", "0"], "a number from 1"), (["--retain", "0s"], "a number from 1"),
            ]
        )
        func options(_ options: [String], _ text: String) throws {
            let finished = try sandbox.start(["cohort", "coordinator"] + options, input: []).wait()
            #expect(finished.code == 2)
            #expect(finished.standardError.contains(text), "\(finished)")
        }
    }
}
