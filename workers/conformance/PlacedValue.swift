internal import Cohort

/// A JSON value of a scenario with its place in the file, so that whatever is wrong with it can be told precisely.
struct PlacedValue {
    let value: JSONValue
    let place: String

    func error(_ problem: String) -> ScenarioError { ScenarioError(place: place, problem: problem) }

    func object() throws(ScenarioError) -> PlacedObject {
        guard case .object(let object) = value else { throw expected("an object") }
        return PlacedObject(object: object, place: place)
    }

    func array() throws(ScenarioError) -> [PlacedValue] {
        guard case .array(let elements) = value else { throw expected("a list") }
        return elements.enumerated().map { PlacedValue(value: $1, place: "\(place)[\($0)]") }
    }

    func text() throws(ScenarioError) -> String {
        guard case .string(let text) = value else { throw expected("a string") }
        return text
    }

    func name() throws(ScenarioError) -> String {
        let name = try text()
        guard !name.isEmpty else { throw error("a name must not be empty") }
        return name
    }

    func names() throws(ScenarioError) -> [String] {
        var names: [String] = []
        for element in try array() { names.append(try element.name()) }
        return names
    }

    /// Seconds, not negative.
    func time() throws(ScenarioError) -> Double {
        let seconds: Double
        switch value {
        case .int(let int): seconds = Double(int)
        case .double(let double): seconds = double
        default: throw expected("a time in seconds")
        }
        guard (0...1e6).contains(seconds) else { throw error("a time must be from 0 to 1000000 seconds") }
        return seconds
    }

    func count() throws(ScenarioError) -> Int {
        guard case .int(let count) = value, (1...100_000).contains(count) else {
            throw expected("a whole number from 1 to 100000")
        }
        return count
    }

    func truth() throws(ScenarioError) -> Bool {
        guard case .bool(let truth) = value else { throw expected("true or false") }
        return truth
    }

    private func expected(_ what: String) -> ScenarioError {
        error("\(what) is expected here, not \(value.kindInWords)")
    }
}

/// A JSON object of a scenario with its place.
struct PlacedObject {
    let object: JSONObject
    let place: String

    func error(_ problem: String) -> ScenarioError { ScenarioError(place: place, problem: problem) }

    /// `nil` if there is no such member.
    subscript(key: String) -> PlacedValue? {
        object[key].map { PlacedValue(value: $0, place: place.isEmpty ? key : "\(place).\(key)") }
    }

    func required(_ key: String) throws(ScenarioError) -> PlacedValue {
        guard let value = self[key] else { throw error("'\(key)' is missing") }
        return value
    }

    /// Throws if there is a member of any other name.
    func allow(_ keys: [String]) throws(ScenarioError) {
        for key in object.keys where !keys.contains(key) {
            throw error("'\(key)' is not known here; known are \(keys.joined(separator: ", "))")
        }
    }
}

extension JSONValue {
    fileprivate var kindInWords: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .double: "the number \(self)"
        case .string: "the string \(self)"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
