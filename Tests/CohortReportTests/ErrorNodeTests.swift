internal import Cohort
internal import FoundationEssentials
internal import Testing

private func leaf(_ task: String, _ type: ErrorType = .commandFailed) -> ErrorNode {
    .leaf(ErrorNode.Leaf(task: task, type: type, message: "m"))
}

private func group(_ name: String, _ errors: [ErrorNode], omitted: Int? = nil, message: String? = nil) -> ErrorNode {
    .group(ErrorNode.Group(group: name, errors: errors, omitted: omitted, message: message))
}

@Suite struct ErrorNodeTests {
    let tree = group(
        "outer",
        [
            leaf("a"),
            group("inner", [leaf("b", "ValueError"), leaf("c")]),
            group("failed", [leaf("d", "ValueError")], message: "broken"),
        ]
    )

    @Test func countsAndListsLeavesDepthFirst() {
        #expect(tree.count == 4)
        #expect(tree.leaves.map(\.task) == ["a", "b", "c", "d"])
        #expect(leaf("x").leaves.count == 1)
    }

    @Test func filterKeepsTheStructureAndCutsEmptyBranches() {
        let found = tree.filter { $0.type == "ValueError" }
        #expect(
            found
                == group(
                    "outer",
                    [
                        group("inner", [leaf("b", "ValueError")]),
                        group("failed", [leaf("d", "ValueError")], message: "broken"),
                    ]
                )
        )
        let start = #"{"type": "ErrorGroup", "message": "2 errors in group outer", "#
        #expect(found?.jsonText(.line).hasPrefix(start) == true)
        #expect(tree.filter { _ in false } == nil)
        #expect(tree.filter { _ in true } == tree)
    }

    @Test func splitLosesNothing() {
        let parts = tree.split { $0.task == "b" }
        #expect(parts.matching == group("outer", [group("inner", [leaf("b", "ValueError")])]))
        #expect(parts.rest?.leaves.map(\.task) == ["a", "c", "d"])
        let capped = tree.capped(at: 2)
        let both = capped.split { $0.task == "a" }
        #expect(both.matching?.count == 1)
        #expect(both.rest?.count == 3)
    }

    @Test func capCountsWhatItCutsOff() {
        #expect(tree.capped(at: 10) == tree)
        let capped = tree.capped(at: 2)
        #expect(capped.count == 4)
        #expect(capped.leaves.map(\.task) == ["a", "b"])
        #expect(
            capped
                == group(
                    "outer",
                    [
                        leaf("a"),
                        group("inner", [leaf("b", "ValueError")], omitted: 1, message: "2 errors in group inner"),
                    ],
                    omitted: 1,
                    message: "4 errors in group outer"
                )
        )
        #expect(capped.capped(at: 1).count == 4)
        #expect(tree.capped(at: 0).leaves.map(\.task) == ["a"])
    }

    @Test func manyErrorsStayQuick() throws {
        let many = group("g", (0..<1_000).map { leaf("t\($0)") })
        #expect(many.capped(at: 10).leaves.count == 10)
        #expect(many.filter { $0.task == "t999" }?.count == 1)
        #expect(try JSONDecoder().decode(ErrorNode.self, from: Data(many.jsonText().utf8)) == many)
    }

    @Test func aThrownErrorGroupIsALeaf() throws {
        let node = leaf("t", "ErrorGroup")
        #expect(try JSONDecoder().decode(ErrorNode.self, from: Data(node.jsonText().utf8)) == node)
    }

    @Test func leavesAreReadFromLittle() throws {
        let node = try JSONDecoder().decode(
            ErrorNode.self,
            from: Data(#"{"group": "g", "type": "GroupTimeout", "message": "too late"}"#.utf8)
        )
        #expect(node == .leaf(ErrorNode.Leaf(group: "g", type: .groupTimeout, message: "too late")))
    }
}
