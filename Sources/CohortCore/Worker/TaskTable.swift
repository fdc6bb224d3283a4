/// Values by task: what a dictionary does, at a fraction of the cost, for a worker looks each task up several times.
///
/// Open addressing with linear probing. Keys are made by the coordinator, which a worker trusts, so that they need no hash
/// that an attacker cannot foresee. Iteration is in no order that means anything, but in the same one in every process.
struct TaskTable<Value> {
    private struct Bucket {
        static var empty: Bucket { Bucket(key: 0, place: -1) }

        var key: UInt64
        /// Of the value in `storage`; negative in an empty bucket.
        var place: Int

        var isEmpty: Bool { place < 0 }
    }

    private var buckets = ContiguousArray(repeating: Bucket.empty, count: 16)
    /// Values stay where they are when buckets move.
    private var storage: ContiguousArray<Value?> = []
    private var freePlaces: [Int] = []

    init() {}

    var count: Int { storage.count - freePlaces.count }
    var isEmpty: Bool { count == 0 }
    var values: some Sequence<Value> { storage.lazy.compactMap(\.self) }

    func contains(_ task: TaskKey) -> Bool { !buckets[bucket(of: task.raw)].isEmpty }

    /// Setting `nil` takes the value out.
    subscript(task: TaskKey) -> Value? {
        get {
            let bucket = buckets[bucket(of: task.raw)]
            return bucket.isEmpty ? nil : storage[bucket.place]
        }
        _modify {
            let index = bucket(of: task.raw)
            if buckets[index].isEmpty {
                var value: Value?
                yield &value
                if let value { insert(value, task.raw) }
            } else {
                let place = buckets[index].place
                yield &storage[place]
                if storage[place] == nil { vacate(index) }
            }
        }
    }

    @discardableResult
    mutating func removeValue(forKey task: TaskKey) -> Value? {
        let index = bucket(of: task.raw)
        guard !buckets[index].isEmpty else { return nil }
        let value = storage[buckets[index].place].take()
        vacate(index)
        return value
    }

    // MARK: Buckets

    private func home(of key: UInt64) -> Int {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
        Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 32) & (buckets.count - 1)
    }

    /// The bucket that holds the key, or the empty one where it belongs.
    private func bucket(of key: UInt64) -> Int {
        var index = home(of: key)
        while !buckets[index].isEmpty, buckets[index].key != key { index = (index + 1) & (buckets.count - 1) }
        return index
    }

    private mutating func insert(_ value: Value, _ key: UInt64) {
        if count * 2 >= buckets.count { grow() }
        let place = freePlaces.popLast() ?? storage.count
        if place == storage.count { storage.append(value) } else { storage[place] = value }
        buckets[bucket(of: key)] = Bucket(key: key, place: place)
    }

    private mutating func grow() {
        let old = buckets
        buckets = ContiguousArray(repeating: .empty, count: old.count * 2)
        for entry in old where !entry.isEmpty { buckets[bucket(of: entry.key)] = entry }
    }

    /// Empties a bucket, whose value has been taken, and closes the gap that this leaves in the runs of probes over it.
    private mutating func vacate(_ index: Int) {
        freePlaces.append(buckets[index].place)
        let mask = buckets.count - 1
        var gap = index
        var next = (index + 1) & mask
        while !buckets[next].isEmpty {
            // Only what would no longer be found moves up: what probes over the gap on its way from home.
            if (next - home(of: buckets[next].key)) & mask >= (next - gap) & mask {
                buckets[gap] = buckets[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        buckets[gap] = .empty
    }
}

extension TaskTable: Sendable where Value: Sendable {}

extension TaskTable: Equatable where Value: Equatable {
    /// The same values by the same keys, wherever they are.
    static func == (left: TaskTable, right: TaskTable) -> Bool {
        left.count == right.count
            && left.buckets.allSatisfy { $0.isEmpty || left.storage[$0.place] == right[TaskKey(raw: $0.key)] }
    }
}
