internal import ArgumentParser
internal import CohortRuntime
internal import ZeroMQ

/// `cohort keygen [FILE]`.
struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Makes a key, by which a coordinator, worker or client is known.",
        discussion: """
            FILE gets both halves of the key and is for its owner alone; FILE.pub gets the public half, which anybody may \
            have. Make one for the coordinator and one for each peer. The coordinator is started with --key FILE and \
            --allow LIST, a file with a line 'PUBLIC-KEY client', 'PUBLIC-KEY worker' or 'PUBLIC-KEY both' for each peer. \
            Peers are started with --server-key FILE.pub, the coordinator's, and --key FILE, their own.
            """
    )

    @Argument(help: ArgumentHelp("Where to write it.", valueName: "file"))
    var file = "./cohort.key"

    @Flag(help: "Replace files that are there; whoever uses the old key is locked out.")
    var force = false

    func run() throws {
        do {
            let pair = try KeyFile.create(file, replacing: force)
            print(
                """
                public key   \(pair.publicKey)
                public half  \(KeyFile.publicPath(of: file))
                secret half  \(file), for its owner alone
                """
            )
        } catch {
            throw Failure(.usage, "\(error)")
        }
    }
}
