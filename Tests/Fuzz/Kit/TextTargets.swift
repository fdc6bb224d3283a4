internal import CohortBatch
internal import CohortCoordinator
internal import FoundationEssentials

/// The reader of batch files.
package struct BatchTarget: FuzzTarget {
    package static let name = "batch"
    package static let words = [
        "tasks: ", "name: ", "run: ", "call: ", "args: ", "group: ", "timeout: ", "on_error: ", "limit: ", "grace: ",
        "retries: ", "for_each: ", "from_file: ", "env: ", "cwd: ", "shield: ", "task_timeout: ", "- ", "\n", "  ", "{",
        "}",
        "[", "]", ", ", "&a ", "*a", "<<: ", "!!str ", "!!binary ", "|\n", ">-\n", "\"", "'", "{x}", "{{", "}}", "#",
        "null", "~", "true", "0x7f", "1e9999", "-1", "99999999999999999999", ".inf", ".nan", "10m", "5s", "\u{feff}",
        "\u{2028}", "\u{0}", "? ", "---\n", "...\n", "%YAML 1.1\n", "\\u0000", "\\ud800", "cancel", "continue", "first",
    ].map { Array($0.utf8) }

    package init() {}

    package func run(_ input: [UInt8]) throws {
        let limits = BatchReader.Limits(tasks: 10_000, values: 200_000, textBytes: 4 << 20)
        let text = String(decoding: input, as: UTF8.self)
        do {
            // No file is there, so that nothing but the input counts.
            let plan = try BatchFile.parse(text, fileName: "fuzz.yaml", directory: "/nonexistent", limits: limits)
            _ = DryRun.render(plan)
        } catch {
            if error.diagnostics.isEmpty { throw FuzzFailure("an error that says nothing") }
            for diagnostic in error.diagnostics where diagnostic.message.isEmpty || diagnostic.message.contains("\n") {
                throw FuzzFailure("not one line: '\(diagnostic.message)'")
            }
        }
    }
}

/// The reader of lists of keys.
package struct AllowTarget: FuzzTarget {
    package static let name = "allow"
    package static let words = [
        "client", "worker", "both", ",", " ", "\t", "\n", "\r\n", "#", "\u{0}", "\u{feff}",
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
    ].map { Array($0.utf8) }

    package init() {}

    package func run(_ input: [UInt8]) throws {
        do {
            let list = try AllowList(parsing: String(decoding: input, as: UTF8.self), file: "allow")
            if list.count == 0 { throw FuzzFailure("a list of nobody is taken") }
        } catch let error as AllowList.Errors {
            if error.errors.isEmpty || error.errors.count > AllowList.errorsMax {
                throw FuzzFailure("\(error.errors.count) errors")
            }
        }
    }
}
