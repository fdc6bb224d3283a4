/// One combination of input values: what one task of a `cohort map` gets.
package struct MapItem: Sendable, Equatable {
    /// Counts from 1, in the order of the input.
    package var number: Int
    /// One value a source, in the order of the sources. Bytes, for lines need not be valid UTF-8.
    package var values: [[UInt8]]

    package init(number: Int, values: [[UInt8]]) {
        self.number = number
        self.values = values
    }
}
