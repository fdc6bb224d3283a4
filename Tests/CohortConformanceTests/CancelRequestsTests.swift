internal import Synchronization
internal import Testing

@testable internal import cohort_conformance

@Suite struct CancelRequestsTests {
    private let requests = CancelRequests()

    @Test func aRequestIsDeliveredOnce() {
        #expect(requests.deliver() == nil)
        requests.request(0)
        requests.request(0)
        #expect(requests.deliver() != nil)
        #expect(requests.deliver() == nil)
        requests.request(0)
        #expect(requests.deliver() == nil)
    }

    @Test func aRequestInterruptsTheSuspensionPointWhereTheProgramIs() {
        let count = Mutex(0)
        requests.arm { count.withLock { $0 += 1 } }
        requests.request(0)
        #expect(count.withLock { $0 } == 1)
    }

    @Test func aRequestThatCameBeforeInterruptsTheNextSuspensionPoint() {
        let count = Mutex(0)
        requests.request(0)
        requests.arm { count.withLock { $0 += 1 } }
        #expect(count.withLock { $0 } == 1)
    }

    @Test func aRequestThatComesLateForAScopeAroundDoesNotInterruptTheCleanup() {
        let body = requests.open()
        requests.request(body)
        #expect(requests.deliver() != nil)
        requests.request(0)
        #expect(requests.deliver() == nil)
    }

    @Test func aRequestThatComesLateForAScopeWithinDoesNotInterruptTheCleanup() {
        let body = requests.open()
        requests.request(0)
        #expect(requests.deliver() != nil)
        requests.request(body)
        #expect(requests.deliver() == nil)
    }

    @Test func aGroupOpenedInACleanupHasRequestsOfItsOwn() {
        requests.request(0)
        #expect(requests.deliver() != nil)
        let body = requests.open()
        requests.request(body)
        let delivery = requests.deliver()
        #expect(delivery != nil)
        #expect(delivery?.unstopped == nil)
        requests.close(endedCancelled: false)
        #expect(requests.deliver() == nil)
    }

    @Test func aRequestToTheOpenerOutlastsAGroupThatDidNotEndCancelled() {
        let body = requests.open()
        requests.request(0)
        requests.request(body)
        #expect(requests.deliver() != nil)
        requests.close(endedCancelled: false)
        #expect(requests.deliver() != nil)
        #expect(requests.deliver() == nil)
    }

    @Test func aRequestToTheOpenerIsSpentOnAGroupThatEndedCancelled() {
        let body = requests.open()
        requests.request(0)
        requests.request(body)
        requests.close(endedCancelled: true)
        #expect(requests.deliver() == nil)
    }

    @Test func aRequestThatComesLateDoesNotInterruptTheUnwindingOfACancelledGroup() {
        _ = requests.open()
        requests.close(endedCancelled: true)
        requests.request(0)
        #expect(requests.deliver() == nil)
    }

    @Test func aRequestInterruptsAProgramThatHasSwallowedTheCancellationOfItsGroup() {
        _ = requests.open()
        requests.close(endedCancelled: true)
        requests.swallow()
        requests.request(0)
        #expect(requests.deliver() != nil)
    }

    @Test func aPendingRequestStopsTheGroupsThatAreOpenedBeforeItIsDelivered() {
        requests.request(0)
        let outer = requests.open()
        _ = requests.open()
        #expect(requests.unstopped == outer)
        #expect(requests.deliver()?.unstopped == outer)
        #expect(requests.unstopped == nil)
    }

    @Test func aRequestStopsTheGroupsThatWereOpenByItself() {
        _ = requests.open()
        requests.request(0)
        #expect(requests.unstopped == nil)
        #expect(requests.deliver()?.unstopped == nil)
    }
}
