internal import ArgumentParser
internal import CohortBatch
internal import CohortCore
internal import CohortProcess
internal import CohortRuntime

/// A span of time on the command line: `500ms`, `30s`, `10m`, `1h30m`, or seconds as a number.
struct DurationArgument {
    var duration: Duration

    var span: TimeSpan { TimeSpan(duration) }

    var text: String { CohortDuration.format(duration) }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
    case jsonl
}

/// Where tasks run.
struct PoolOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Use a running coordinator instead of a pool of one's own.", valueName: "endpoint"))
    var connect: String?

    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        parsing: .unconditional,
        help: ArgumentHelp("How many tasks run at once in a pool of one's own (default: the cores).", valueName: "n"),
        transform: ValueForm.slots
    )
    var jobs: Int?

    @OptionGroup var keys: KeyOptions

    func validate() throws {
        if let connect {
            try CoordinatorOptions.check(connect)
        } else if keys.isGiven {
            throw ValidationError("--server-key and --key go with --connect; a pool of one's own is private as it is")
        }
        if connect != nil, jobs != nil {
            throw ValidationError("-j sets the slots of a pool of one's own; with --connect the workers have theirs")
        }
    }

    var slots: Int { jobs ?? Host.cores }

    /// Where commands run that do not say where. A running worker may be anywhere, and they are to run where the user is, as
    /// they do in a pool of one's own, whose workers are started there.
    var directory: String? { connect == nil ? nil : Host.workingDirectory }
}

/// Where results are kept.
struct ResultsOptions: ParsableArguments {
    @Option(
        name: .customLong("results"),
        help: ArgumentHelp(
            "Keep each task's output and the outcome document in files, in a new directory.",
            valueName: "dir"
        )
    )
    var directory: String?

    @Flag(help: "With --results: the directory may have files in it; those of the same name are replaced.")
    var force = false

    func validate() throws {
        if force, directory == nil { throw ValidationError("--force goes with --results DIR, whose files it replaces") }
    }
}

/// Which coordinator a request goes to.
struct CoordinatorOptions: ParsableArguments {
    static let defaultEndpoint = "tcp://127.0.0.1:7077"

    @Option(help: ArgumentHelp("The coordinator.", valueName: "endpoint"))
    var connect = CoordinatorOptions.defaultEndpoint

    @OptionGroup var keys: KeyOptions

    func validate() throws { try Self.check(connect) }

    /// Names an endpoint that is none, before anything is done.
    static func check(_ endpoint: String) throws {
        do {
            _ = try Endpoint(endpoint)
        } catch {
            throw ValidationError("--connect: \(error)")
        }
    }
}

/// Which keys to show to a coordinator that wants some.
struct KeyOptions: ParsableArguments {
    @Option(
        // A key may begin with a dash.
        parsing: .unconditional,
        help: ArgumentHelp(
            "The coordinator's public key, or a file with it (default: \(PeerKeys.serverKeyVariable)).",
            valueName: "key"
        )
    )
    var serverKey: String?

    @Option(
        help: ArgumentHelp(
            "The file with a key of one's own, from 'cohort keygen' (default: \(PeerKeys.keyFileVariable)).",
            valueName: "file"
        )
    )
    var key: String?

    var isGiven: Bool { serverKey != nil || key != nil }

    /// The keys that are named here or in the environment, `nil` if there are none.
    func load() throws -> PeerKeys? {
        do {
            return try PeerKeys.load(serverKey: serverKey, keyFile: key)
        } catch {
            throw Failure(.usage, error.description)
        }
    }
}

/// A group that was opened by somebody else: its number, or its name.
struct GroupArgument {
    static let help = ArgumentHelp(
        "The group's number, or its name if only one group that is open has it.",
        valueName: "group"
    )

    var target: GroupTarget
    var text: String

    init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        self.text = text
        target = UInt64(text).map { .id(GroupID($0)) } ?? .name(text)
    }
}
