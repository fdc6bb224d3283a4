package import CohortRuntime
package import CohortWire
internal import ZeroMQ

/// The peers that a coordinator lets in, by their public keys.
///
/// Of its text each line is `PUBLIC-KEY ROLE[,ROLE] [NAME]`, with the roles `client`, `worker` and `both`; comments begin
/// with `#`.
package struct AllowList: Sendable, Equatable {
    /// Most errors that are told of one file.
    package static let errorsMax = 20
    /// A file of 50,000 keys and their names.
    private static let bytesMax = 4 << 20
    private static let nameBytesMax = 255

    /// All that is wrong with a list, in the order of its lines.
    package struct Errors: Error, Sendable, Equatable, CustomStringConvertible {
        package var errors: [KeyFileError]

        package var description: String { errors.map(\.description).joined(separator: "\n") }
    }

    private var permits: [String: PeerPermit] = [:]

    package init() {}

    /// How many keys there are in it.
    package var count: Int { permits.count }

    /// What the owner of a key may be; `nil` if the key is not known.
    package func permit(for publicKey: String) -> PeerPermit? { permits[publicKey] }

    package static func load(_ path: String) throws(Errors) -> AllowList {
        let text: String
        do throws(KeyFileError) {
            text = try KeyFile.list(path, limit: bytesMax)
        } catch {
            throw Errors(errors: [error])
        }
        return try AllowList(parsing: text, file: path)
    }

    package init(parsing text: String, file: String) throws(Errors) {
        var errors: [KeyFileError] = []
        var places: [String: TextPlace] = [:]
        for words in WordLines(text) where errors.count < Self.errorsMax {
            do throws(KeyFileError) {
                let (key, permit) = try Self.entry(words, file)
                if let place = places.updateValue(words[0].place, forKey: key) {
                    throw KeyFileError(file, words[0].place, "this key is in line \(place.line) already")
                }
                permits[key] = permit
            } catch {
                errors.append(error)
            }
        }
        if errors.isEmpty, permits.isEmpty {
            errors.append(KeyFileError(file, nil, "there is no key in it, so that nobody could come in"))
        }
        if !errors.isEmpty { throw Errors(errors: errors) }
    }

    private static func entry(
        _ words: [WordLines.Word],
        _ file: String
    ) throws(KeyFileError) -> (key: String, PeerPermit) {
        guard Curve.isKey(words[0].text) else {
            let found = words[0].text.unicodeScalars.count
            let told = found == Curve.keyLength ? "characters that Z85 does not have" : "\(found) characters"
            throw KeyFileError(
                file,
                words[0].place,
                "expected a public key of \(Curve.keyLength) Z85 characters, and this has \(told)"
            )
        }
        guard words.count > 1 else {
            let place = TextPlace(line: words[0].place.line, column: words[0].place.column + Curve.keyLength)
            let advice = "write for example '\(words[0].text) client alice'"
            throw KeyFileError(file, place, "a role is missing after the key: client, worker or both; \(advice)")
        }
        let roles = try roles(of: words[1], file)
        guard words.count <= 3 else {
            throw KeyFileError(file, words[3].place, "a name is one word; comments begin with #")
        }
        let name = words.count == 3 ? words[2] : nil
        if let name, name.text.utf8.count > nameBytesMax {
            throw KeyFileError(file, name.place, "a name has at most \(nameBytesMax) bytes")
        }
        return (words[0].text, PeerPermit(roles: roles, keyName: name?.text ?? words[0].text))
    }

    private static func roles(of word: WordLines.Word, _ file: String) throws(KeyFileError) -> Set<PeerPermit.Role> {
        var roles: Set<PeerPermit.Role> = []
        var column = word.place.column
        for role in word.text.split(separator: ",", omittingEmptySubsequences: false) {
            switch role {
            case "client": roles.insert(.client)
            case "worker": roles.insert(.worker)
            case "both": roles.formUnion([.client, .worker])
            default:
                let place = TextPlace(line: word.place.line, column: column)
                throw KeyFileError(file, place, "'\(role)' is not a role: client, worker or both")
            }
            column += role.unicodeScalars.count + 1
        }
        return roles
    }
}
