internal import Testing

@testable internal import CohortWire

/// A command's own bytes, which travel inside payload frames and templates.
struct CommandVector: Sendable, CustomTestStringConvertible {
    enum Content: Sendable, Equatable {
        case payload(CommandPayload)
        case settings(CommandSettings)
    }

    var name: String
    var description: String
    var content: Content

    init(_ name: String, _ description: String, _ content: Content) {
        self.name = name
        self.description = description
        self.content = content
    }

    var testDescription: String { name }

    var type: String {
        switch content {
        case .payload: "CommandPayload"
        case .settings: "CommandSpec"
        }
    }

    var bytes: [UInt8] {
        switch content {
        case .payload(let payload): payload.bytes
        case .settings(let settings): settings.bytes
        }
    }

    /// What `bytes` say, read in the way of this vector's content.
    func decode(_ bytes: [UInt8]) throws(FrameError) -> Content {
        switch content {
        case .payload: .payload(try CommandPayload(bytes: bytes))
        case .settings: .settings(try CommandSettings(bytes: bytes))
        }
    }

    /// Name of the file, without its extension.
    static let topic = "command"

    static let all = [
        CommandVector(
            "payload-arguments",
            "An argument list with an empty argument; stdin is /dev/null.",
            .payload(CommandPayload(program: .arguments([utf8("printf"), utf8("%s\n"), []])))
        ),
        CommandVector(
            "payload-arguments-not-text",
            "A file name in Latin-1: arguments are bytes.",
            .payload(CommandPayload(program: .arguments([utf8("cat"), [0x63, 0x61, 0x66, 0xe9]])))
        ),
        CommandVector(
            "payload-shell",
            "A line for the shell, and bytes for its stdin.",
            .payload(CommandPayload(program: .shell(utf8("sort | uniq -c")), standardInput: [0x62, 0x0a, 0x00, 0xff]))
        ),
        CommandVector(
            "payload-empty-input",
            "An stdin that is at its end at once, which is not the same as none.",
            .payload(CommandPayload(program: .shell(utf8("cat")), standardInput: []))
        ),
        CommandVector("settings-none", "No variable, and the worker's own directory.", .settings(CommandSettings())),
        CommandVector(
            "settings",
            "Variables in their order, one of them empty, and a directory.",
            .settings(
                CommandSettings(
                    variables: [("LC_ALL", "C"), ("EMPTY", ""), ("GRÜSSE", "ja")],
                    workingDirectory: "/srv/daten"
                )
            )
        ),
    ]

    private static func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }
}
