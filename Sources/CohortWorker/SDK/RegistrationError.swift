/// A function that cannot be registered under the name it was given.
public enum RegistrationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name has no characters.
    case emptyName
    /// The name is longer than 200 bytes; `bytes` says how long it is.
    case nameTooLong(String, bytes: Int)
    /// The name has a character other than `A-Z a-z 0-9 _ . -`, at `offset` bytes from its start.
    case illegalCharacter(name: String, character: Character, offset: Int)
    /// A function of this name is registered already.
    case duplicateName(String)

    /// One line that names the function and says what to do.
    public var description: String {
        switch self {
        case .emptyName:
            "the name of a function is empty; give it a name such as \"scoring.score\""
        case .nameTooLong(let name, let bytes):
            "the function name \"\(name.prefix(40))…\" has \(bytes) bytes; at most \(FunctionName.maximumBytes) are allowed"
        case .illegalCharacter(let name, let character, let offset):
            "the function name \"\(name)\" has \"\(character)\" at byte \(offset); use only A-Z a-z 0-9 _ . -"
        case .duplicateName(let name):
            "a function named \"\(name)\" is registered already; give one of the two another name"
        }
    }
}

/// The rule for the names of functions.
enum FunctionName {
    static let maximumBytes = 200

    static func check(_ name: String) throws(RegistrationError) {
        guard !name.isEmpty else { throw .emptyName }
        let bytes = name.utf8.count
        guard bytes <= maximumBytes else { throw .nameTooLong(name, bytes: bytes) }
        for index in name.indices where !isLegal(name[index]) {
            let offset = name.utf8.distance(from: name.startIndex, to: index)
            throw .illegalCharacter(name: name, character: name[index], offset: offset)
        }
    }

    private static func isLegal(_ character: Character) -> Bool {
        switch character {
        case "A"..."Z", "a"..."z", "0"..."9", "_", ".", "-": character.isASCII
        default: false
        }
    }
}
