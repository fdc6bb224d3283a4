/// A function that a worker runs for its callers: its name and the types that go in and come out.
///
/// Declare it once, in a module that the worker and its callers share, so that neither can get the types wrong:
///
///     public let score = RemoteFunction<ScoreRequest, Double>("scoring.score")
///
/// Input and output travel as JSON. The name is checked when the function is registered; see `Worker.register`.
public struct RemoteFunction<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// What callers name in `call:`: 1 to 200 of the bytes `A-Z a-z 0-9 _ . -`.
    public let name: String

    /// Names a function.
    public init(_ name: String) {
        self.name = name
    }
}
