/// A JSON value: what a call takes as arguments and returns.
///
/// Numbers without a fraction that fit 64 bits are `int`, all others `double`; the two compare equal when they are
/// numerically equal, as JSON knows only one kind of number.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, in the order in which they were written.
///
/// Two objects are equal when they have the same members, in whatever order.
public struct JSONObject: Sendable {
    /// One name with its value.
    public struct Member: Sendable, Hashable {
        /// Its name.
        public var key: String
        /// Its value.
        public var value: JSONValue

        /// One name with its value.
        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Names are distinct.
    public private(set) var members: [Member]

    /// An object without members.
    public init() {
        members = []
    }

    /// Later values replace earlier ones of the same name, which keep their place.
    public init(_ members: some Sequence<Member>) {
        self.members = []
        var places: [String: Int] = [:]
        for member in members {
            if let place = places[member.key] {
                self.members[place].value = member.value
            } else {
                places[member.key] = self.members.count
                self.members.append(member)
            }
        }
    }

    /// How many members there are.
    public var count: Int { members.count }

    /// There are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// The names, in order.
    public var keys: [String] { members.map(\.key) }

    /// Reading is linear in the number of members. A new name goes to the end; `nil` removes the member.
    public subscript(key: String) -> JSONValue? {
        get { members.first { $0.key == key }?.value }
        set {
            switch (members.firstIndex { $0.key == key }, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}

// MARK: - Equality

extension JSONObject: Hashable {
    private var sorted: [Member] { members.sorted { $0.key < $1.key } }

    /// The same members, in whatever order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.sorted == right.sorted
    }

    /// Independent of the order of members.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(sorted)
    }
}

extension JSONValue: Hashable {
    /// The same kind and value; numbers by value alone.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.int(let int), .double(let double)), (.double(let double), .int(let int)): Int(exactly: double) == int
        case (.string(let left), .string(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    /// Equal values hash alike.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .double(let value):
            // Equal numbers must hash alike, however they were written.
            if let int = Int(exactly: value) { hasher.combine(int) } else { hasher.combine(value) }
        case .string(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

// MARK: - Literals

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `nil` stands for `null`.
    public init(nilLiteral: ()) { self = .null }

    /// A literal of Swift for one of JSON.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// A literal of Swift for one of JSON.
    public init(integerLiteral value: Int) { self = .int(value) }

    /// A literal of Swift for one of JSON.
    public init(floatLiteral value: Double) { self = .double(value) }

    /// A literal of Swift for one of JSON.
    public init(stringLiteral value: String) { self = .string(value) }

    /// A literal of Swift for one of JSON.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// A dictionary literal keeps its order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }
}

// MARK: - Building what is written

extension JSONValue {
    /// `null` for a value that is absent.
    init(orNull value: Int?) { self = value.map(JSONValue.int) ?? .null }

    /// `null` for a value that is absent.
    init(orNull value: String?) { self = value.map(JSONValue.string) ?? .null }

    /// Seconds, exact to the microsecond and written without the noise of binary fractions.
    init(seconds duration: Duration) {
        self = .double(duration.inSeconds)
    }
}

extension JSONObject {
    /// Writes the member whatever the value is. The name must be new: nothing looks for an earlier one.
    mutating func append(_ key: some CodingKey, _ value: JSONValue) {
        members.append(Member(key: key.stringValue, value: value))
    }

    /// Leaves the member out when there is no value.
    mutating func appendIfPresent(_ key: some CodingKey, _ value: JSONValue?) {
        if let value { append(key, value) }
    }
}
