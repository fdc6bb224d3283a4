internal import ArgumentParser
internal import CohortBatch

/// Commands that there are not, and those that may have been meant.
enum Misspelling {
    /// What to say if the first word, or that after `help`, is no command; `nil` if it is one, or an option.
    static func advice(for words: ArraySlice<String>) -> String? {
        guard let word = words.first == "help" ? words.dropFirst().first : words.first else { return nil }
        guard !word.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
        let commands = CohortCommand.configuration.subcommands.map { $0.configuration }
        guard !commands.contains(where: { $0.commandName == word }) else { return nil }
        let names = commands.filter(\.shouldDisplay).compactMap(\.commandName)
        let near = EditDistance.nearest(to: word, among: names)
        return "there is no command '\(word)'; " + (near.map { "did you mean '\($0)'?" } ?? "see 'cohort --help'")
    }
}
