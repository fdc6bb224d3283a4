/// What must be left when every task has gone: nothing.
extension WorkerCore {
    /// - Returns: one line for each thing that was left behind; empty when all is well.
    package func checkEmptiness() -> [String] {
        var leftovers: [String] = []
        func check(_ count: Int, _ what: String) {
            if count > 0 { leftovers.append("\(count) \(what) left behind") }
        }
        check(entries.count, "tasks")
        check(waiting.count + resuming.count, "tasks that wait")
        check(templates.count, "templates")
        check(Int(commandsRunning + callsSubmitted + suspendedCount), "slots taken")
        if freeSlotNumbers.count != Int(slots) {
            leftovers.append("\(freeSlotNumbers.count) of \(slots) slots are free")
        }
        if !report.open.isEmpty { leftovers.append("a report that was not sent") }
        return leftovers
    }
}
