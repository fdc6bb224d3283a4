/// Where something about each task stands, for other modules: a generic table would not be specialized there, which costs
/// more than the table saves.
package struct TaskPlaces: Sendable {
    private var table = TaskTable<UInt32>()

    package init() {}

    package subscript(task: TaskKey) -> UInt32? {
        get { table[task] }
        set { table[task] = newValue }
    }

    @discardableResult
    package mutating func removeValue(forKey task: TaskKey) -> UInt32? { table.removeValue(forKey: task) }
}
