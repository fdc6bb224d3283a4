internal import FoundationEssentials
internal import Glibc
internal import Testing

@testable internal import Cohort

/// What a killed pool leaves is removed by the next, and nothing else is.
struct RunDirectoryTests {
    private let parent =
        FileManager.default.temporaryDirectory.path + "/run-directories-\(UInt64.random(in: 0...(.max)))"

    init() throws {
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: parent).sorted() }
    }

    @Test func `a directory that nobody holds is removed with its socket`() throws {
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let abandoned = parent + "/cohort-pool-abcdef"
        mkdir(abandoned, 0o700)
        _ = FileManager.default.createFile(atPath: abandoned + "/socket", contents: nil)
        let held = try RunDirectory.make(in: parent)
        RunDirectory.removeAbandoned(beside: held)
        #expect(try names == [String(held.path.dropFirst(parent.count + 1))])
        held.remove()
        #expect(try names == [])
    }

    @Test func `what others can enter, has another name, or holds something stays`() throws {
        defer { try? FileManager.default.removeItem(atPath: parent) }
        for (name, mode) in [
            ("cohort-pool-public", 0o755), ("cohort-other-abcdef", 0o700), ("cohort-pool-filled", 0o700),
        ] {
            mkdir("\(parent)/\(name)", 0o700)
            chmod("\(parent)/\(name)", mode_t(mode))
        }
        _ = FileManager.default.createFile(atPath: parent + "/cohort-pool-filled/notes", contents: nil)
        RunDirectory.removeAbandoned(in: parent)
        #expect(try names == ["cohort-other-abcdef", "cohort-pool-filled", "cohort-pool-public"])
    }

    @Test func `only its maker holds it`() throws {
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let made = try RunDirectory.make(in: parent)
        let named = try #require(RunDirectory(holding: made.socket))
        #expect(named.path == made.path)
        #expect(RunDirectory(holding: "/tmp/elsewhere") == nil)
        RunDirectory.removeAbandoned(in: parent)
        #expect(try names.count == 1)
        made.remove()
        #expect(try names == [])
    }
}
