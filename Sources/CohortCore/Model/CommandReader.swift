/// Says in one line what a command's payload runs: a function of its bytes alone, which the wire protocol's side knows.
package struct CommandReader: Sendable, Equatable {
    /// Larger payloads are not read: most of one is input, and a report is one line.
    private static let bytesMax = 64 << 10
    private static let charactersMax = 1_024

    private let read: @Sendable ([UInt8]) -> String

    package init(_ read: @escaping @Sendable ([UInt8]) -> String) { self.read = read }

    /// Empty if it cannot be told.
    func text(of payload: ArraySlice<UInt8>) -> String {
        payload.count > Self.bytesMax ? "" : String(read(Array(payload)).prefix(Self.charactersMax))
    }

    /// It is the same for all coordinators of one version.
    package static func == (left: CommandReader, right: CommandReader) -> Bool { true }
}
