/// The input sources of a `cohort map`, in GNU parallel's grammar.
///
/// | words | source |
/// |---|---|
/// | `::: a b` | the words themselves, never split further |
/// | `:::: f -` | the lines of each file, a source a file; `-` is standard input |
/// | `:::+ a b`, `::::+ f` | the same, linked to the source before: values go in pairs, and the shorter source ends both |
/// | none | the lines of standard input |
///
/// Several sources give every combination, the last varying fastest. One thing differs from parallel: a source
/// without values gives no combinations, where parallel puts in one empty value.
package struct MapInput: Sendable, Equatable {
    package struct Source: Sendable, Equatable {
        package enum Values: Sendable, Equatable {
            case arguments([[UInt8]])
            /// The path of a file, without NUL bytes.
            case file([UInt8])
            case standardInput
        }

        package var values: Values
        /// Goes in step with the source before it.
        package var isLinked: Bool

        package init(_ values: Values, isLinked: Bool = false) {
            self.values = values
            self.isLinked = isLinked
        }
    }

    /// Never empty, and the first is not linked.
    package private(set) var sources: [Source]
    /// What ends a value in files and on standard input: a newline, or NUL for `--null`.
    package var separator: UInt8

    private init(sources: [Source], separator: UInt8) {
        self.sources = sources
        self.separator = separator
    }

    /// Splits the words of a command line into the command and its input sources.
    ///
    /// - Parameters:
    ///   - words: everything after the options; the command may be empty, as in `cohort map ::: 'echo 1' 'echo 2'`.
    ///   - nullSeparated: values in files end with NUL instead of a newline.
    package static func split(
        _ words: [[UInt8]],
        nullSeparated: Bool = false
    ) throws(MapInputError) -> (command: [[UInt8]], input: MapInput) {
        var sources: [Source] = []
        var rest = words[...]
        let command = rest.prefix { Marker($0) == nil }
        rest = rest.dropFirst(command.count)
        while let word = rest.first, let marker = Marker(word) {
            let values = rest.dropFirst().prefix { Marker($0) == nil }
            rest = rest.dropFirst(values.count + 1)
            if marker.isLinked, sources.isEmpty {
                throw MapInputError(
                    "'\(marker.text)' links to the source before it, and there is none: use '\(marker.plain)'"
                )
            }
            if !marker.namesFiles {
                sources.append(Source(.arguments(Array(values)), isLinked: marker.isLinked))
                continue
            }
            if values.isEmpty {
                throw MapInputError("'\(marker.text)' needs the name of a file after it, or - for standard input")
            }
            for path in values {
                let isStandardInput = path == [UInt8(ascii: "-")]
                sources.append(Source(isStandardInput ? .standardInput : .file(path), isLinked: marker.isLinked))
            }
        }
        if sources.isEmpty {
            sources.append(Source(.standardInput))
        }
        if sources.count(where: { $0.values == .standardInput }) > 1 {
            throw MapInputError("standard input can be one source only: save it in a file to use it twice")
        }
        let separator = nullSeparated ? 0 : UInt8(ascii: "\n")
        return (Array(command), MapInput(sources: sources, separator: separator))
    }

    /// `split` for words that are text.
    package static func split(
        _ words: [String],
        nullSeparated: Bool = false
    ) throws(MapInputError) -> (command: [[UInt8]], input: MapInput) {
        var bytes: [[UInt8]] = []
        for word in words {
            bytes.append(Array(word.utf8))
        }
        return try split(bytes, nullSeparated: nullSeparated)
    }

    /// Opens the sources and starts to read them.
    ///
    /// - Parameter standardInput: the descriptor to read where `-` or nothing is given; it stays open.
    package func makeItems(standardInput: Int32 = 0) throws(MapInputError) -> MapItems {
        try MapItems(sources, separator: separator, standardInput: standardInput)
    }

    /// How many items there will be, if that can be told without reading anything.
    package var count: Int? {
        var product = 1
        var index = 0
        while index < sources.count {
            var shortest = Int.max
            repeat {
                guard case .arguments(let values) = sources[index].values else { return nil }
                shortest = min(shortest, values.count)
                index += 1
            } while index < sources.count && sources[index].isLinked
            let (next, overflow) = product.multipliedReportingOverflow(by: shortest)
            if overflow { return nil }
            product = next
        }
        return product
    }

    /// `:::`, `:::+`, `::::` or `::::+`.
    private struct Marker {
        var text: String
        var namesFiles: Bool
        var isLinked: Bool

        init?(_ word: [UInt8]) {
            let colons = word.prefix { $0 == UInt8(ascii: ":") }.count
            guard colons == 3 || colons == 4 else { return nil }
            let rest = word[colons...]
            guard rest.isEmpty || rest.elementsEqual("+".utf8) else { return nil }
            text = String(decoding: word, as: UTF8.self)
            namesFiles = colons == 4
            isLinked = !rest.isEmpty
        }

        var plain: String { namesFiles ? "::::" : ":::" }
    }
}
