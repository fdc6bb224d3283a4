/// The calls that wait in a host, in the order of their numbers, which have no gaps.
struct CallQueue {
    /// Calls taken out of turn leave a nil behind; the first one left is never nil.
    private var calls: [HostCall?] = []
    private var head = 0

    var isEmpty: Bool { head == calls.count }

    /// Number of the call whose turn it is.
    var firstSequence: UInt64? { isEmpty ? nil : calls[head]?.sequence }

    mutating func append(_ more: [HostCall]) {
        // Not as a whole: to make it an array of optionals costs a dynamic cast for each.
        for call in more { calls.append(call) }
    }

    mutating func removeFirst() -> HostCall? {
        guard !isEmpty else { return nil }
        let call = calls[head].take()
        head += 1
        dropHoles()
        return call
    }

    /// Takes a call out of turn. Returns false if it does not wait here.
    mutating func remove(_ sequence: UInt64) -> Bool {
        guard let first = firstSequence, sequence >= first, sequence - first < calls.count - head else { return false }
        guard calls[head + Int(sequence - first)].take() != nil else { return false }
        dropHoles()
        return true
    }

    private mutating func dropHoles() {
        while head < calls.count, calls[head] == nil {
            head += 1
        }
        if head == calls.count {
            calls.removeAll(keepingCapacity: head <= 4_096)
            head = 0
        } else if head >= 4_096 {
            calls.removeFirst(head)
            head = 0
        }
    }
}
