internal import Testing

@testable internal import CohortCore

@Suite struct TaskTableTests {
    @Test func holdsWhatADictionaryHolds() {
        var generator = SeededGenerator(seed: 7)
        var table = TaskTable<[Int]>()
        var model: [TaskKey: [Int]] = [:]
        for step in 0..<20_000 {
            // Few places and generations, so that keys come back and runs of probes grow together.
            let key = TaskKey(
                index: .random(in: 0..<300, using: &generator),
                generation: .random(in: 1...3, using: &generator)
            )
            switch Int.random(in: 0..<5, using: &generator) {
            case 0, 1:
                table[key] = [step]
                model[key] = [step]
            case 2:
                table[key]?.append(step)
                model[key]?.append(step)
            case 3:
                #expect(table.removeValue(forKey: key) == model.removeValue(forKey: key))
            default:
                table[key] = nil
                model[key] = nil
            }
            #expect(table[key] == model[key])
            #expect(table.contains(key) == (model[key] != nil))
            #expect(table.count == model.count)
        }
        for (key, value) in model { #expect(table[key] == value) }
        #expect(table.values.map { $0[0] }.sorted() == model.values.map { $0[0] }.sorted())
    }

    @Test func isEqualByContentNotByHistory() {
        var left = TaskTable<Int>()
        var right = TaskTable<Int>()
        for index in 0..<40 as Range<UInt32> { left[TaskKey(index: index, generation: 1)] = Int(index) }
        for index in (0..<80 as Range<UInt32>).reversed() { right[TaskKey(index: index, generation: 1)] = Int(index) }
        #expect(left != right)
        for index in 40..<80 as Range<UInt32> { right.removeValue(forKey: TaskKey(index: index, generation: 1)) }
        #expect(left == right)
        right[TaskKey(index: 3, generation: 1)] = 4
        #expect(left != right)
    }

    @Test func takesTheKeyZero() {
        var table = TaskTable<Int>()
        let zero = TaskKey(raw: 0)
        #expect(!table.contains(zero))
        table[zero] = 1
        #expect(table[zero] == 1)
        #expect(table.removeValue(forKey: zero) == 1)
        #expect(table.isEmpty)
    }
}
