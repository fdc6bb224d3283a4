extension GroupError {
    /// The error of a group that cannot be opened from where it was asked for.
    package static func refused(_ group: String, because message: String) -> GroupError {
        GroupError(kind: .refused, group: group, message: message)
    }
}
