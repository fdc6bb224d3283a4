internal import CohortCore
internal import Glibc
internal import Testing

@testable internal import CohortWorker

/// What a supervisor finds in the record of a worker that is gone.
struct AttemptRecordTests {
    private func ref(_ index: UInt32, attempt: UInt32 = 1) -> AttemptRef {
        AttemptRef(task: TaskKey(index: index, generation: 7), attempt: attempt)
    }

    @Test func `tells what has begun and is not acknowledged`() throws {
        let (record, descriptor) = try AttemptRecord.make()
        defer { close(descriptor) }
        let other = try #require(AttemptRecord.open(descriptor))
        let keeper = RecordKeeper(record)
        let places = (0..<5).map { keeper.assign(ref($0, attempt: $0 + 1)) }
        #expect(other.begun == [])
        for place in places.prefix(4) { record.begin(place) }
        #expect(other.begun == (0..<4).map { ref($0, attempt: $0 + 1) })

        var report = WorkerReport()
        report.finished = [
            FinishedAttempt(ref: ref(1, attempt: 2), status: .ok),
            // One that was cancelled before it began.
            FinishedAttempt(ref: ref(4, attempt: 5), status: .cancelled, started: false),
        ]
        report.returned = [ref(3, attempt: 4)]
        keeper.sent(report)
        keeper.sent(WorkerReport())
        #expect(other.begun == [ref(0), ref(1, attempt: 2), ref(2, attempt: 3)])
        #expect(other.hasUnacknowledgedEnds)
        keeper.acknowledged(allBut: 2)
        #expect(other.begun?.count == 3)
        keeper.acknowledged(allBut: 1)
        #expect(other.begun == [ref(0), ref(2, attempt: 3)])
        #expect(!other.hasUnacknowledgedEnds)
    }

    @Test func `uses places again`() throws {
        let (record, descriptor) = try AttemptRecord.make()
        close(descriptor)
        let keeper = RecordKeeper(record)
        for round in UInt32(0)..<200_000 {
            let place = keeper.assign(ref(round))
            guard place < 2 else { throw Failure(place: place) }
            record.begin(place)
            var report = WorkerReport()
            report.finished = [FinishedAttempt(ref: ref(round), status: .ok)]
            keeper.sent(report)
            keeper.acknowledged(allBut: 1)
        }
        #expect(record.begun == [ref(199_999)])
    }

    @Test func `lets go of what nobody wants when it has ended`() throws {
        let (record, descriptor) = try AttemptRecord.make()
        close(descriptor)
        let keeper = RecordKeeper(record)
        for index in UInt32(0)..<2 { record.begin(keeper.assign(ref(index))) }
        // The second one is another attempt of the task than the one that is here.
        keeper.disown([ref(0), ref(1, attempt: 9)])
        #expect(record.begun == [ref(0), ref(1)])
        for index in UInt32(0)..<2 { keeper.ended(ref(index).task) }
        #expect(record.begun == [ref(1)] && !keeper.hasDisowned)
        #expect(keeper.assign(ref(2)) == 0)
    }

    private struct Failure: Error { var place: UInt32 }

    @Test func `claims nothing when there was no room`() throws {
        let (record, descriptor) = try AttemptRecord.make()
        close(descriptor)
        let keeper = RecordKeeper(record)
        for index in 0..<AttemptRecord.capacity { _ = keeper.assign(ref(index)) }
        #expect(record.begun == [])
        #expect(keeper.assign(ref(AttemptRecord.capacity)) == AttemptRecord.noEntry)
        #expect(record.begun == nil)
        // A host marks it all the same.
        record.begin(AttemptRecord.noEntry)
    }

    @Test func `tells the last session`() throws {
        let (record, descriptor) = try AttemptRecord.make()
        defer { close(descriptor) }
        let other = try #require(AttemptRecord.open(descriptor))
        #expect(other.session == nil && !other.isLeaving)
        for number in 1...3 as ClosedRange<UInt64> {
            let note = SessionNote(endpoint: "tcp://[::1]:7077", epoch: .max, session: number, token: PeerToken(5))
            record.session = note
            #expect(other.session == note)
        }
        record.isLeaving = true
        #expect(other.isLeaving)
    }

    @Test func `is not opened from something else`() {
        let descriptor = Glibc.open("/dev/null", O_RDWR)
        defer { close(descriptor) }
        #expect(AttemptRecord.open(descriptor) == nil)
        #expect(AttemptRecord.open(-1) == nil)
    }
}
