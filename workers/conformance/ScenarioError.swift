/// A scenario that cannot be run: its file is not JSON, or is not a scenario, or a step names what there is not.
struct ScenarioError: Error, Equatable, CustomStringConvertible {
    /// Where it is, such as `script[0].body[2].timeout`; empty for the file as a whole.
    let place: String
    /// What is wrong there, and what is allowed.
    let problem: String

    var description: String { place.isEmpty ? problem : "\(place): \(problem)" }
}
