internal import CohortRuntime
internal import Testing
internal import ZeroMQ

/// What every socket of Cohort is set to.
struct SocketSettingsTests {
    /// libzmq aborts the process when a heartbeat of its own falls due on a connection that has ended while the rest of what
    /// came over it waits to be read.
    @Test(arguments: ["ipc://*", "tcp://127.0.0.1:*"])
    func aPeerThatHangsUpWhileMuchOfItIsUnreadHarmsNobody(endpoint: String) async throws {
        let context = try Context()
        let socket = try Socket(.router, in: context)
        try SocketSettings.apply(to: socket)
        try socket.bind(endpoint)
        try hangUp(after: 5_000, at: try socket.lastEndpoint)
        // Longer than the time between heartbeats was when there were any.
        let end = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < end { try? await Task.sleep(until: end) }
        #expect(try socket.get(.heartbeatInterval) == .zero)
        var count = 0
        while try socket.tryReceiveMultipart(maxFrames: 2) != nil { count += 1 }
        #expect(count > 0)
    }

    /// Sends more than a socket takes in before it is read, and hangs up.
    private func hangUp(after count: Int, at endpoint: String) throws {
        let context = try Context()
        let socket = try Socket(.dealer, in: context, linger: .milliseconds(500))
        try socket.set(.sendHighWaterMark, to: 0)
        try socket.connect(endpoint)
        let message = [[UInt8](repeating: 1, count: 1_000)]
        for _ in 0..<count { try #require(try socket.trySend(message) == .sent) }
        socket.close()
        context.close()
    }
}
