/// The items of a `cohort map`, made as they are asked for.
///
/// The first source, and what is linked to it, is read as it goes, so that one source of any length takes constant memory. Every
/// other source is read whole before the first item, because its values are needed again and again.
/// Not `Sendable`: one thread asks.
package struct MapItems {
    /// The most memory that the values of the sources after the first may take, in bytes.
    static let heldBytesMax = 1 << 30
    /// What a value takes beside its bytes.
    private static let valueCost = 32

    /// A source that is read once, value by value.
    private enum Stream {
        case arguments(ArraySlice<[UInt8]>)
        case lines(LineReader)

        mutating func next() throws(MapInputError) -> [UInt8]? {
            switch self {
            case .arguments(let rest):
                guard let value = rest.first else { return nil }
                self = .arguments(rest.dropFirst())
                return value
            case .lines(let reader):
                return try reader.next()
            }
        }
    }

    /// The first source and those linked to it.
    private var first: [Stream] = []
    /// For each further source with those linked to it: its rows, one value a source in each.
    private var others: [[[[UInt8]]]] = []
    /// The row that the first source has come to; `nil` before the first one and at the end.
    private var row: [[UInt8]]?
    /// Places in `others` of the next item, all 0 when a new row of the first source is due.
    private var places: [Int] = []
    private var number = 0
    private var isAtEnd = false

    init(_ sources: [MapInput.Source], separator: UInt8, standardInput: Int32) throws(MapInputError) {
        var dimensions: [[Stream]] = []
        for source in sources {
            let stream: Stream =
                switch source.values {
                case .arguments(let values): .arguments(values[...])
                case .file(let path): .lines(try LineReader(path: path, separator: separator))
                case .standardInput:
                    .lines(LineReader(descriptor: standardInput, name: "standard input", separator: separator))
                }
            if source.isLinked, !dimensions.isEmpty {
                dimensions[dimensions.count - 1].append(stream)
            } else {
                dimensions.append([stream])
            }
        }
        first = dimensions.first ?? []
        var heldBytes = 0
        for var dimension in dimensions.dropFirst() {
            var rows: [[[UInt8]]] = []
            while let row = try Self.nextRow(&dimension) {
                for value in row {
                    heldBytes += value.count + Self.valueCost
                }
                guard heldBytes <= Self.heldBytesMax else {
                    throw MapInputError("the sources after the first hold more than 1 GiB: put the longest one first")
                }
                rows.append(row)
            }
            if rows.isEmpty { isAtEnd = true }
            others.append(rows)
        }
        places = Array(repeating: 0, count: others.count)
    }

    /// The next item, `nil` when there are no more.
    package mutating func next() throws(MapInputError) -> MapItem? {
        if isAtEnd { return nil }
        if places.allSatisfy({ $0 == 0 }) {
            row = try Self.nextRow(&first)
        }
        guard let row else {
            isAtEnd = true
            return nil
        }
        var values = row
        for (dimension, place) in zip(others, places) {
            values += dimension[place]
        }
        advancePlaces()
        number += 1
        return MapItem(number: number, values: values)
    }

    /// Counts up with the last place fastest.
    private mutating func advancePlaces() {
        for index in places.indices.reversed() {
            places[index] += 1
            if places[index] < others[index].count { return }
            places[index] = 0
        }
    }

    /// One value of each source that goes in step; `nil` as soon as one has ended.
    private static func nextRow(_ streams: inout [Stream]) throws(MapInputError) -> [[UInt8]]? {
        var row: [[UInt8]] = []
        for index in streams.indices {
            guard let value = try streams[index].next() else { return nil }
            row.append(value)
        }
        return row
    }
}
