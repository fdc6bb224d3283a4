internal import Cohort
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("Where commands run")
    struct PlaceTests {
        private let sandbox: Sandbox
        private let cluster: Cluster

        init() throws {
            sandbox = try Sandbox()
            cluster = try Cluster(sandbox)
        }

        @Test("A batch runs where it was run or submitted; a worker that has no such directory says so")
        func workingDirectory() throws {
            let (here, file) = (sandbox.path("here"), try sandbox.write("b.yaml", "tasks: [{run: pwd}]"))
            let submitted = try sandbox.shell(
                "mkdir here gone; cd gone; cohort submit --connect \(cluster.endpoint) \(file); rmdir ../gone"
            )
            let worker = try cluster.worker("one")
            let run = try sandbox.shell("cd here; cohort run \(file) --connect \(cluster.endpoint)")
            #expect(run.lines == [here])
            let again = try sandbox.shell("cd here; cohort submit \(file) --connect \(cluster.endpoint)")
            #expect(try cluster.wait(again.lines[0]).document.tasks.map(\.stdout) == [here + "\n"])
            let leaf = try #require(try cluster.wait(submitted.lines[0]).document.error?.leaves.first)
            #expect(leaf.type == .startFailed)
            let gone = "'\(sandbox.path("gone"))': no such file or directory"
            for words in [gone, "on \(leaf.host ?? "?"): ", "set cwd"] { #expect(leaf.message.contains(words)) }
            withExtendedLifetime(worker) {}
        }
    }
}
