internal import CohortFaults
internal import Foundation
internal import Testing

/// The list of bugs that `.ci/mutants` plants: it must fit the sources.
@Suite("Planted bugs")
struct MutantListTests {
    private struct Mutant: Decodable {
        var id: Int
        var what: String
        var file: String
        var kind: String
        var original: String
        var mutated: String
        var promise: String
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func list() throws -> [Mutant] {
        let data = try Data(contentsOf: Self.root.appending(path: "Tests/Mutants/mutants.json"))
        return try JSONDecoder().decode([Mutant].self, from: data)
    }

    @Test("each of them is found in the sources, exactly once")
    func originals() throws {
        for mutant in try list() {
            let source = try String(contentsOf: Self.root.appending(path: mutant.file), encoding: .utf8)
            let count = source.components(separatedBy: mutant.original).count - 1
            #expect(count == 1, "\(mutant.id) \(mutant.what): \(count) places in \(mutant.file)")
        }
    }

    @Test("each has a number of its own, changes something, and names a promise that is checked")
    func entries() throws {
        let mutants = try list()
        #expect(mutants.map(\.id) == Array(1...mutants.count))
        #expect(mutants.count >= 25)
        for mutant in mutants {
            #expect(mutant.original != mutant.mutated)
            #expect(["expression", "statement"].contains(mutant.kind))
            #expect(Promise(rawValue: mutant.promise) != nil, "\(mutant.promise)")
        }
    }
}
