/// One of the two streams that a task writes.
package enum TaskStream: UInt8, Sendable, CaseIterable {
    case stdout
    case stderr
}
