internal import CohortCore

/// Numbers the tasks and templates that a session brings into one group.
struct SubmissionLane {
    /// Where a new task stands.
    struct Place {
        /// Of the task among those of the lane, from 0.
        var number: UInt32
        /// The number of its template.
        var template: UInt32
        /// Templates brought before this task.
        var knownTemplates: UInt32
    }

    private struct Key: Hashable {
        let template: TaskTemplate

        func hash(into hasher: inout Hasher) {
            hasher.combine(template.name)
            hasher.combine(template.function)
            hasher.combine(template.spec)
        }
    }

    private var numbers: [Key: UInt32] = [:]
    /// Tasks of one template come in long runs.
    private var latest: (template: TaskTemplate, number: UInt32)?
    private(set) var count: UInt32 = 0

    /// - Returns: the place of a new task, and whether its template has not been brought before.
    mutating func add(_ template: TaskTemplate) -> (place: Place, isNewTemplate: Bool) {
        let knownTemplates = UInt32(numbers.count)
        let number: UInt32
        if let latest, latest.template == template {
            number = latest.number
        } else {
            number = numbers[Key(template: template)] ?? knownTemplates
            latest = (template, number)
        }
        let isNew = number == knownTemplates
        if isNew { numbers[Key(template: template)] = number }
        defer { count += 1 }
        return (Place(number: count, template: number, knownTemplates: knownTemplates), isNew)
    }
}
