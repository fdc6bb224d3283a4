internal import Glibc
internal import Testing

@testable internal import CohortProcess

struct ProcessPartsTests {
    @Test func `keeps the last bytes of a stream`() {
        var tail = OutputTail()
        var all: [UInt8] = []
        for size in [1, 10, 4000, 95, 1, 4096, 3, 9000, 4095, 4095, 4095, 0, 700] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: (all.count + $0) &* 167 >> 3) }
            all += bytes
            bytes.withUnsafeBytes { tail.append($0) }
            #expect(tail.content == all.suffix(4096))
        }
    }

    @Test func `later variables win over earlier ones and over the base`() throws {
        var environment = ProcessEnvironment.inherited().adding([("HOME", "/a"), ("NEW", "1"), ("HOME", "/b")])
        environment.set("NEW", to: "2")
        #expect(environment["HOME"] == "/b")
        let entries = environment.withPointers { pointers in
            var entries: [String] = []
            var next = pointers
            while let entry = next.pointee {
                entries.append(String(cString: entry))
                next += 1
            }
            return entries
        }
        #expect(entries.filter { $0.hasPrefix("HOME=") } == ["HOME=/b"])
        #expect(entries.filter { $0.hasPrefix("NEW=") } == ["NEW=2"])
        #expect(entries.contains { $0.hasPrefix("PATH=") })
    }

    @Test func `exactly the variables of a dictionary`() {
        let environment = ProcessEnvironment(["B": "2", "A": "1"])
        #expect(environment["A"] == "1")
        #expect(environment["PATH"] == nil)
        #expect(ProcessEnvironment(["": "x"]).problem != nil)
        #expect(ProcessEnvironment(["A": "x\0"]).problem != nil)
    }

    @Test(arguments: [
        (CohortProcess.ExitStatus.exited(code: 3), Int32(3)),
        (.signalled(signal: SIGKILL, coreDumped: false), 137),
    ])
    func `shells add 128 to a signal`(status: CohortProcess.ExitStatus, code: Int32) {
        #expect(status.shellCode == code)
    }

    @Test func `wait statuses are taken apart`() {
        #expect(CohortProcess.ExitStatus(waitStatus: 0x2A00) == .exited(code: 42))
        #expect(CohortProcess.ExitStatus(waitStatus: SIGTERM) == .signalled(signal: SIGTERM, coreDumped: false))
        #expect(CohortProcess.ExitStatus(waitStatus: SIGSEGV | 0x80) == .signalled(signal: SIGSEGV, coreDumped: true))
    }

    @Test func `tags of loops inside of each other name both commands`() throws {
        let outer = AttemptTag(inherited: nil)
        let inner = AttemptTag(inherited: outer.value(serial: 0xAB))
        let stranger = AttemptTag(inherited: nil)
        var request = SpawnRequest(arguments: ["sleep", "86397"], parentDeathSignal: 0)
        request.environment.set(AttemptTag.name, to: inner.value(serial: 7))
        let process = try Spawn.spawn(request)
        defer {
            kill(process.pid, SIGKILL)
            close(process.pidfd)
            _ = Spawn.reap(process.pid)
        }
        while outer.read(fromEnvironmentOf: process.pid) == .unknown { sched_yield() }
        #expect(outer.read(fromEnvironmentOf: process.pid) == .command(serial: 0xAB))
        #expect(inner.read(fromEnvironmentOf: process.pid) == .command(serial: 7))
        #expect(stranger.read(fromEnvironmentOf: process.pid) == .foreign)
    }
}
