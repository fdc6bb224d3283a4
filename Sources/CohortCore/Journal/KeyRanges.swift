/// A set of numbers that mostly come one after the other, as ranges in ascending order that do not touch.
package struct KeyRanges: Sendable, Equatable {
    package private(set) var ranges: [ClosedRange<UInt32>] = []

    package init(_ ranges: [ClosedRange<UInt32>] = []) {
        self.ranges = ranges
    }

    package func contains(_ key: UInt32) -> Bool {
        let place = firstPlace(endingAtOrAfter: key)
        return place < ranges.count && ranges[place].contains(key)
    }

    package mutating func insert(_ key: UInt32) {
        let place = firstPlace(endingAtOrAfter: key)
        if place < ranges.count, ranges[place].contains(key) { return }
        let touchesBefore = place > 0 && ranges[place - 1].upperBound + 1 == key
        let touchesAfter = place < ranges.count && key + 1 == ranges[place].lowerBound
        switch (touchesBefore, touchesAfter) {
        case (true, true):
            ranges[place - 1] = ranges[place - 1].lowerBound...ranges[place].upperBound
            ranges.remove(at: place)
        case (true, false): ranges[place - 1] = ranges[place - 1].lowerBound...key
        case (false, true): ranges[place] = key...ranges[place].upperBound
        case (false, false): ranges.insert(key...key, at: place)
        }
    }

    private func firstPlace(endingAtOrAfter key: UInt32) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
