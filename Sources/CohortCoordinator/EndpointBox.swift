internal import Synchronization

/// Carries the bound endpoints from the loop thread to whoever starts it.
final class EndpointBox: Sendable {
    private let endpoints = Mutex<[String]>([])

    var value: [String] { endpoints.withLock { $0 } }

    func set(_ value: [String]) { endpoints.withLock { $0 = value } }
}
