/// What runs on a ``LoopThread``: it owns the sockets, and is told when there is something to do.
///
/// It is made, called and released on the loop's thread only, so it needs no lock and is not `Sendable`. No call may block:
/// whatever waits in one keeps everything else on the thread waiting.
public protocol LoopHandler: AnyObject {
    /// When `turnEnded(in:)` has to be called next even if nothing happens.
    ///
    /// - Returns: Nanoseconds of the monotonic clock (``LoopThread/now``), nil if there is nothing to do by time.
    func nextDeadline() -> UInt64?

    /// A registered socket has something to receive. Called again in the next turn for what is left unreceived.
    ///
    /// Also called once when polling the socket fails, as after the end of its context; it is not polled from then on, and
    /// the error comes from receiving.
    func socketReady(_ token: Int, in loop: LoopThread)

    /// A registered descriptor is ready.
    ///
    /// - Parameter events: Flags of `poll(2)`. `POLLERR` stands for every failure, the other end's hang-up included; whoever
    ///   leaves the descriptor registered then is called again at once.
    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread)

    /// Called at the end of each turn, after sockets, descriptors and jobs, and also when only the deadline passed: the place
    /// for timers, and for sending what the turn has collected.
    func turnEnded(in loop: LoopThread)
}
