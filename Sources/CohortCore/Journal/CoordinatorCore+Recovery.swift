/// A coordinator that goes on where another one has stopped.
extension CoordinatorCore {
    /// Begins with what a journal holds.
    ///
    /// - Parameter now: from here on those who have not come back yet count as silent.
    package init(recovering state: JournalState, limits: Limits = Limits(), at now: Instant) {
        self.init(limits: limits, keepsJournal: true)
        nextGroup = state.counters.nextGroup
        nextTemplate = state.counters.nextTemplate
        nextWorker = state.counters.nextWorker
        nextOrder = state.counters.nextOrder
    }
}
