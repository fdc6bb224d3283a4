internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import ZeroMQ

/// Tells the coordinator that a worker has died, so that its tasks are settled at once instead of at the end of its lease.
enum Obituary {
    /// How long the message may take to leave: longer than a connection on a loaded machine, short of a hang.
    private static let patience = Duration.seconds(1)

    /// Sends it. What cannot be told now, the lease tells later.
    static func send(_ death: WorkerDeath, of note: SessionNote, keys: PeerKeys?) {
        do {
            let context = try Context()
            let socket = try Socket(.dealer, in: context)
            try SocketSettings.applyToPeer(socket, of: note.endpoint, keys)
            try socket.set(.linger, to: patience)
            try socket.connect(note.endpoint)
            let header = FrameHeader(epoch: note.epoch, session: note.session)
            let message = FrameBody.obituary(worker: note.session, note.token, death)
            _ = try socket.trySend(FrameCodec.encode(header, message))
            // The socket goes first, and the context's end waits until the message has left or the patience is over.
            socket.close()
            context.close()
        } catch {
            return
        }
    }
}
