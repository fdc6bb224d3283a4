internal import CohortBatch

/// Options that `cohort map` does not have: those of GNU parallel, with what to use instead, and misspelt ones.
enum ParallelOption {
    private static let advice: [(names: [String], text: String)] = [
        (
            ["--halt", "--halt-on-error"],
            "the first failure stops the rest, as with parallel's now,fail=1; --keep-going runs all, as with never"
        ),
        (
            ["-N", "-n", "--max-args", "--max-replace-args", "-L", "-l", "--max-lines"],
            "a task takes one argument of each source; link sources with :::+ to give it more, such as ::: a b :::+ c d"
        ),
        (["-X", "-m", "--xargs"], "a task takes one argument of each source; xargs puts many into one command"),
        (
            ["-C", "--colsep", "-d", "--delimiter"],
            "arguments are lines, or with -0 end with NUL; split columns before, and link them with ::::+ FILE"
        ),
        (["--pipe", "--pipepart", "--spreadstdin"], "standard input is read for arguments, and is not passed on"),
        (
            ["--resume", "--resume-failed", "--retry-failed"],
            "a run always begins anew; the log of --joblog tells what has ended well"
        ),
        (
            ["-S", "--sshlogin", "--slf", "--sshloginfile"],
            "tasks run on other hosts with --connect ENDPOINT, where workers are connected"
        ),
        (["-P", "--max-procs"], "use -j N, such as -j 4"),
        (["-a", "--arg-file"], "give the file after ::::, such as :::: list.txt"),
        (["--bar", "--eta", "--progress"], "progress is shown by itself on a terminal"),
        (["--ungroup", "-u"], "use --line-buffer"),
        (["--keep"], "use -k"),
        (["--wd", "--workdir"], "commands run in the directory in which cohort is started"),
        (
            ["--delay", "--load", "--memfree", "--noswap"],
            "tasks start as soon as a slot is free; -j N sets how many there are"
        ),
    ]

    /// What to say of a word that begins as an option does.
    ///
    /// - Parameter known: the options that there are.
    static func advice(for word: String, among known: [String]) -> String {
        let isLong = word.hasPrefix("--")
        let name = isLong ? String(word.prefix { $0 != "=" }) : String(word.prefix(2))
        if let found = advice.first(where: { $0.names.contains(name) }) {
            return "map has no option '\(name)': \(found.text)"
        }
        let near = isLong ? EditDistance.nearest(to: name, among: known) : nil
        return "unknown option '\(word)'; "
            + (near.map { "did you mean '\($0)'?" } ?? "`cohort help map` lists those that there are")
    }
}
