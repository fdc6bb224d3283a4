internal import FoundationEssentials
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("Options")
    struct OptionTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        /// What the program says of itself for those who make manuals of it.
        private struct Help: Decodable {
            struct Argument: Decodable {
                struct Name: Decodable {
                    var kind: String
                    var name: String
                }
                var kind: String
                var shouldDisplay: Bool
                var isOptional: Bool
                var names: [Name]?
                var valueName: String?
            }
            struct Command: Decodable {
                var commandName: String
                var shouldDisplay: Bool?
                var subcommands: [Command]?
                var arguments: [Argument]?
            }
            var command: Command
        }

        /// Values that are good as they are, whatever they are.
        private static let free: Set<String> = ["file", "dir", "name", "key", "function", "reason", "plan", "group"]

        /// Something for whatever else must be given.
        private static func required(by command: Help.Command) -> [String] {
            (command.arguments ?? []).filter { !$0.isOptional }.flatMap { argument in
                (argument.names?.first.map { ["--\($0.name)"] } ?? []) + ["1"]
            }
        }

        @Test("A wrong value of any option of any command is told with what is right, and an example")
        func wrongValues() throws {
            let text = try sandbox.cohort("--experimental-dump-help").standardOutput
            let help = try JSONDecoder().decode(Help.self, from: Data(text.utf8))
            var tried = 0
            for command in help.command.subcommands ?? [] where command.shouldDisplay ?? true {
                for option in command.arguments ?? [] where option.kind == "option" && option.shouldDisplay {
                    let name = try #require(option.names?.first { $0.kind == "long" }?.name)
                    guard let value = option.valueName, !Self.free.contains(value) else { continue }
                    for wrong in ["?!"] + (["n", "count", "time", "n/time"].contains(value) ? ["-1"] : []) {
                        tried += 1
                        let words = [command.commandName, "--\(name)", wrong] + Self.required(by: command)
                        let finished = try sandbox.start(["cohort"] + words, input: []).wait()
                        let told = finished.standardError.split(separator: "\n").first ?? ""
                        #expect(finished.code == 2, "\(command.commandName) --\(name) \(wrong): \(finished)")
                        #expect(told.contains(wrong) && told.hasPrefix("cohort: "), "\(finished)")
                        #expect(told.contains("such as ") || told.contains("one of '"), "\(finished)")
                    }
                }
            }
            #expect(tried > 40)
        }

        @Test(
            "Numbers and times out of bounds are told, and none of them is a crash",
            arguments: [
                ["map", "--retries", "99999999999", "true", ":::", "a"], ["map", "--timeout", "0", "true", ":::", "a"],
                ["map", "-j0", "true", ":::", "a"], ["wait", "1", "--timeout", "99999999999999d"],
                ["sim", "--seed", "18446744073709551616"], ["bench", "--calls", "0"], ["worker", "--slots", "4097"],
                ["coordinator", "--retain", "0"], ["status", ""],
            ]
        )
        func bounds(words: [String]) throws {
            let finished = try sandbox.start(["cohort"] + words, input: []).wait()
            #expect(finished.code == 2, "\(finished)")
            #expect(finished.standardError.contains(" is invalid for '"), "\(finished)")
        }

        @Test(
            "Options of GNU parallel that map lacks are told with what there is instead",
            arguments: [
                (["--halt", "bogus"], "--keep-going"), (["--halt=now,fail=1"], "--keep-going"), (["-N", "0"], ":::+"),
                (["-N2"], ":::+"), (["--colsep", ","], "-0"), (["-X"], "xargs"), (["--pipe"], "standard input"),
                (["-S", "host"], "--connect"), (["--eta"], "progress"),
                (["--keep-ordr"], "did you mean '--keep-order'?"),
                (["--nothing"], "cohort help map"),
            ] as [([String], String)]
        )
        func parallel(words: [String], advice: String) throws {
            let finished = try sandbox.start(["cohort", "map"] + words + ["echo", ":::", "a"], input: []).wait()
            #expect(finished.code == 2 && finished.output.isEmpty, "\(finished)")
            let told = finished.standardError.split(separator: "\n").first ?? ""
            #expect(told.contains("option '\(words[0].prefix(words[0].hasPrefix("--") ? 6 : 2))"), "\(finished)")
            #expect(told.contains(advice), "\(finished)")
        }

        @Test("Help for a command that there is not is an error too")
        func helpForNothing() throws {
            let finished = try sandbox.cohort("help", "rum")
            #expect(finished.code == 2 && finished.standardError.contains("did you mean 'run'?"), "\(finished)")
            #expect(try sandbox.cohort("help", "run").code == 0)
        }
    }
}
