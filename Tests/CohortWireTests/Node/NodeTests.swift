internal import CohortCore
internal import CohortWire
internal import Testing

/// The protocol between a coordinator and its peers, without a network.
@Suite("Nodes")
struct NodeTests {
    @Test("agree on a session, and work passes from a client to a worker and back")
    func work() throws {
        var pair = NodePair()
        let client = pair.add(NodePair.client())
        let worker = pair.add(NodePair.worker())
        // Before it is answered: kept, and sent then.
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "g")))
        pair.run()
        #expect(pair.peers.allSatisfy { $0.isOpen })
        #expect(pair.coordinator.peerCount == 2)
        #expect(pair.coordinator.notices == [.clientJoined(NodePair.client()), .workerJoined(NodePair.worker())])
        let notices = pair.takeInbox(client)
        guard case .opened(let acceptance)? = notices.first else {
            Issue.record("not opened: \(notices)")
            return
        }
        #expect(acceptance.coordinator == "test")
        let opened = notices.contains { notice in
            if case .received(.update(let update)) = notice { !update.opened.isEmpty } else { false }
        }
        #expect(opened)
        #expect(pair.takeInbox(worker).count == 1)
    }

    @Test("tell a peer of another life of the coordinator so, and it can come again")
    func otherLife() {
        var pair = NodePair()
        let client = pair.add(NodePair.client())
        pair.run()
        _ = pair.takeInbox(client)
        pair.coordinator = CoordinatorNode(core: CoordinatorCore(), epoch: 8, name: "test")
        pair.peers[client].send(.query)
        pair.run()
        #expect(pair.takeInbox(client) == [.lost(.unknown("the session is not known here"))])
        #expect(!pair.peers[client].isOpen)

        // Meant for one that knew what it was about.
        pair.peers[client].send(.seal(GroupKey(1), .returned))
        pair.resume(client)
        pair.pass(.seconds(1), step: .milliseconds(10))
        #expect(pair.peers[client].isOpen)
        #expect(pair.peers[client].greeting.request == SessionRequest(number: 2, previous: 1, lineage: 8))
        #expect(pair.peers[client].session.epoch == 8)
        let notices = pair.takeInbox(client)
        guard case .opened(let acceptance)? = notices.first, notices.count == 1 else {
            Issue.record("not opened: \(notices)")
            return
        }
        #expect(!acceptance.resumed)
        #expect(!acceptance.durable)
    }

    @Test("send again what was lost on the way, once")
    func lostOnTheWay() {
        var pair = NodePair()
        let client = pair.add(NodePair.client())
        pair.run()
        _ = pair.takeInbox(client)
        pair.cut = [client]
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "a")))
        pair.run()
        pair.cut = []
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(2), name: "b")))
        pair.run()
        var keys: [GroupKey] = []
        for case .received(.update(let update)) in pair.takeInbox(client) { keys += update.opened.map(\.key) }
        #expect(keys == [GroupKey(1), GroupKey(2)])
    }

    @Test("find out about each other's silence within the lease")
    func silence() {
        var pair = NodePair()
        let client = pair.add(NodePair.client())
        pair.run()
        _ = pair.takeInbox(client)
        pair.cut = [client]
        pair.pass(.seconds(11))
        #expect(pair.takeInbox(client) == [.lost(.silent)])
        #expect(pair.coordinator.peerCount == 0)
    }

    @Test("refuse a role that the connection's key is not allowed for")
    func permits() {
        var pair = NodePair()
        var peer = PeerNode(greeting: NodePair.client(), at: pair.now, patience: nil)
        peer.timeReached(at: pair.now)
        let permit = PeerPermit(roles: [.worker], keyName: "build-7")
        for frames in peer.outgoing {
            pair.coordinator.received(route: [0], frames: frames, permit: permit, at: pair.now)
        }
        pair.coordinator.flush(at: pair.now)
        for datagram in pair.coordinator.outgoing { peer.received(frames: datagram.frames, at: pair.now) }
        let reason =
            "the key build-7 is not listed as client; that of a worker whose tasks open groups must be listed as both"
        #expect(peer.inbox == [.lost(.refused(reason))])
        #expect(pair.coordinator.notices == [.refused(permit)])
        #expect(pair.coordinator.peerCount == 0)
    }

    @Test("close for good")
    func closing() {
        var pair = NodePair()
        let client = pair.add(NodePair.client())
        pair.run()
        _ = pair.takeInbox(client)
        pair.peers[client].close(reason: "done")
        pair.peers[client].send(.query)
        pair.run()
        #expect(pair.coordinator.peerCount == 0)
        #expect(pair.takeInbox(client).isEmpty)
        #expect(pair.peers[client].nextDeadline == nil)
    }
}
