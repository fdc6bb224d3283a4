/// What a program that runs as a task gives up while it waits for others (ruling R11).
package protocol SlotHolder: Sendable {
    /// The program is about to block.
    func waitBegan()
    /// The program has what it waited for; returns when it may go on.
    func waitEnded() async
}
