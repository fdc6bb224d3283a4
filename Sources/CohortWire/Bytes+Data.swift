internal import FoundationEssentials

extension [UInt8] {
    /// The same bytes as protobuf's `bytes` fields want them.
    var data: Data { Data(self) }
}
