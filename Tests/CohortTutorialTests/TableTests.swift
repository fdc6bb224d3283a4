internal import TestSupport
internal import Testing

/// The tables of AsyncioToCohort.md name a test for every row, and each of those is there.
@Suite("From asyncio to Cohort")
struct TableTests {
    private struct Row: CustomStringConvertible {
        var number: Int
        var construct: String
        /// What the last cell names.
        var proofs: [String]

        var description: String { "line \(number): \(construct)" }
    }

    private static let document = "Sources/Cohort/Cohort.docc/AsyncioToCohort.md"

    /// The rows of all tables whose last column is the proof.
    private static func rows() throws -> [Row] {
        let text = try #require(TutorialFiles.text(document))
        var rows: [Row] = []
        var isTable = false
        for (place, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.split(separator: " ").joined(separator: " ") }
            guard let first = cells.first, let last = cells.last else {
                isTable = false
                continue
            }
            if last == "proof" {
                isTable = true
            } else if isTable, !first.hasPrefix("---") {
                let spans = last.split(separator: "`", omittingEmptySubsequences: false)
                let proofs = spans.indices.filter { $0 % 2 == 1 }.map { String(spans[$0]) }
                rows.append(Row(number: place + 1, construct: first, proofs: proofs))
            }
        }
        return rows
    }

    @Test func everyRowHasAProof() throws {
        let rows = try Self.rows()
        #expect(rows.count > 60)
        for row in rows { #expect(!row.proofs.isEmpty, "\(row)") }
    }

    @Test func everyProofIsThere() throws {
        for row in try Self.rows() {
            for proof in row.proofs { #expect(Self.exists(proof), "\(row): there is no \(proof)") }
        }
    }

    @Test func aProofThatIsNotThereIsNoticed() {
        for name in [
            "conformance no-such", "tutorial no-such", "batch no-such", "TableTests.noSuch", "NoSuch.test", "",
        ] {
            #expect(!Self.exists(name))
        }
    }

    private static func exists(_ proof: String) -> Bool {
        let words = proof.split(separator: " ").map(String.init)
        switch words.first {
        case "conformance" where words.count == 2:
            return TutorialFiles.text("Tests/Conformance/scenarios/\(words[1]).json") != nil
        case "tutorial" where words.count == 2:
            return TutorialFiles.text("workers/tutorial/expected/\(words[1]).txt") != nil
        case "batch" where words.count == 2:
            return TutorialFiles.text("workers/tutorial/batch/\(words[1]).txt") != nil
        default:
            let parts = proof.split(separator: ".").map(String.init)
            return parts.count == 2 && hasTest(parts[1], in: parts[0])
        }
    }

    /// Whether a suite, which stands in a file of its name or in `SUITE+Aspect.swift`, has a test of this name.
    private static func hasTest(_ name: String, in suite: String) -> Bool {
        for target in ProcessScan.names(in: "\(TutorialFiles.repository)/Tests") where target.hasSuffix("Tests") {
            for file in ProcessScan.names(in: "\(TutorialFiles.repository)/Tests/\(target)")
            where file == "\(suite).swift" || file.hasPrefix("\(suite)+") {
                let text = TutorialFiles.text("Tests/\(target)/\(file)") ?? ""
                if text.contains("func \(name)(") { return true }
            }
        }
        return false
    }
}
