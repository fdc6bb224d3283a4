internal import DequeModule

@testable internal import CohortCore

extension CoordinatorCore {
    /// Heads of which the journal need not know yet how much has come to everybody.
    var headsToldSince: Set<GroupID> { draft.lateGroups }

    /// All that must survive its process, a line each, in an order that depends on nothing else.
    ///
    /// - Parameter late: heads whose logs are left out.
    func durableImage(withoutLogsOf late: Set<GroupID>) -> [String] {
        var counters = journalCounters
        // Nobody has been told of those that have been used since.
        counters.generation = 0
        var lines = ["\(counters)", "closed \(closedRoots.map { groups[Int($0)].id.value })"]
        for token in clientTokens.keys.sorted() {
            guard let place = clientTokens[token] else { continue }
            let row = journalRow(ofClient: place)
            lines.append("\(row) \(clients[Int(place)].closedHeads) \(clients[Int(place)].unfinished)")
            for (key, joined) in clients[Int(place)].joined.sorted(by: { $0.key.value < $1.key.value }) {
                lines.append("\(key) \(joined.group) \(String(describing: joined.task)) \(joined.accepted)")
            }
        }
        for token in workerTokens.keys.sorted() {
            guard let place = workerTokens[token] else { continue }
            let worker = workers[Int(place)]
            lines.append(
                "\(journalRow(of: worker, departed: false)) \(worker.held) \(worker.running) \(worker.suspended)"
            )
        }
        for id in groupPlaces.keys.sorted() {
            guard let place = groupPlaces[id] else { continue }
            lines += durableImage(ofGroup: place, withLog: !late.contains(id))
        }
        return lines
    }

    private func durableImage(ofGroup place: UInt32, withLog: Bool) -> [String] {
        let group = groups[Int(place)]
        var row = journalRow(ofGroup: place)
        if !withLog { row.receivedUpTo = 0 }
        var lines = ["\(row) \(group.held) \(group.suspended)"]
        for entry in group.log.entries where withLog {
            guard case .task(var report, let value, let name, _) = entry else { continue }
            let detail = group.log.detail(of: report)
            report.detail = -1
            lines.append("\(report) \(String(describing: detail)) \(value) \(group.log.name(name))")
        }
        if withLog { lines.append("\(group.log.closed)") }
        for task in group.members where task != TaskRecord.none {
            let record = tasks[Int(task)]
            let chunk = chunks[Int(record.chunk)].bytes
            let payload = chunk[Int(record.offset)..<Int(record.offset + record.length)]
            var row = journalRow(ofTask: task)
            // Nobody has been told how a task is called that was never given out.
            if record.attempt == 0 { row.key = TaskKey(raw: 0) }
            let template = templates[Int(record.template)]
            lines.append("\(String(describing: pendingFailures[task]))")
            lines.append("\(row) \(record.order) \(Array(payload)) \(template.id) \(template.template)")
        }
        return lines
    }
}
