/// A text of lines of words, as key files and lists of keys are: blanks stand between words, and from a word that begins with
/// `#` on the line is a comment.
package struct WordLines: Sequence {
    package struct Word: Sendable, Equatable {
        package var text: String
        package var place: TextPlace
    }

    private let text: String

    package init(_ text: String) { self.text = text }

    /// The words of each line that has any.
    package func makeIterator() -> AnyIterator<[Word]> {
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .makeIterator()
        return AnyIterator {
            while let (index, line) = lines.next() {
                let words = Self.words(of: line, number: index + 1)
                if !words.isEmpty { return words }
            }
            return nil
        }
    }

    private static func words(of line: Substring.UnicodeScalarView, number: Int) -> [Word] {
        var words: [Word] = []
        var current = ""
        var start = 0
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\r" }
        func end() {
            guard !current.isEmpty else { return }
            words.append(Word(text: current, place: TextPlace(line: number, column: start)))
            current = ""
        }
        for (index, scalar) in line.enumerated() {
            if isBlank(scalar) {
                end()
                continue
            }
            if current.isEmpty {
                if scalar == "#" { return words }
                start = index + 1
            }
            current.unicodeScalars.append(scalar)
        }
        end()
        return words
    }
}
