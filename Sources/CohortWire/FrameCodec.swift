internal import CohortCore
internal import SwiftProtobuf

/// Bytes of frames to messages of the core and back.
///
/// A message is frame 0, a protobuf `Frame`, and, where it carries users' bytes, one payload frame. Nothing that arrives can
/// do worse than throw a `FrameError`.
package enum FrameCodec {
    package static let version: UInt32 = 1
    /// Bytes of one frame.
    package static let maximumFrameBytes = 64 << 20
    /// Entries of one column.
    package static let maximumColumn = 1 << 20

    package static func encode(_ header: FrameHeader, _ body: FrameBody) -> [[UInt8]] {
        var frame = PBFrame()
        frame.version = version
        frame.epoch = header.epoch
        frame.session = header.session
        frame.sequence = header.sequence
        frame.acknowledge = header.acknowledge
        let payload = body.write(to: &frame)
        // Encoding can fail only for missing required fields, of which proto3 has none.
        let control: [UInt8] = (try? frame.serializedBytes()) ?? []
        if let payload, !payload.isEmpty { return [control, payload] }
        return [control]
    }

    package static func decode(_ frames: [[UInt8]]) throws(FrameError) -> (FrameHeader, FrameBody) {
        guard let control = frames.first, !control.isEmpty else { throw FrameError(.empty, "an empty message") }
        guard frames.count <= 2 else {
            throw FrameError(.tooManyFrames, "a message of \(frames.count) frames, not 1 or 2")
        }
        for frame in frames where frame.count > maximumFrameBytes {
            throw FrameError(.tooLarge, "a frame of \(frame.count) bytes, more than \(maximumFrameBytes)")
        }
        let frame: PBFrame
        do {
            var options = BinaryDecodingOptions()
            options.messageDepthLimit = 16
            frame = try PBFrame(serializedBytes: control, options: options)
        } catch {
            throw FrameError(.notProtobuf, "frame 0 is not a message of this protocol")
        }
        guard frame.version == version else {
            throw FrameError(.version(frame.version), "protocol version \(frame.version), not \(version)")
        }
        let header = FrameHeader(
            epoch: frame.epoch,
            session: frame.session,
            sequence: frame.sequence,
            acknowledge: frame.acknowledge
        )
        do throws(FrameError) {
            guard let content = frame.body else {
                throw FrameError(.noBody, "a message of a kind that is not known here")
            }
            return (header, try FrameBody.read(content, payload: frames.count == 2 ? frames[1] : []))
        } catch {
            var error = error
            error.header = header
            throw error
        }
    }
}

/// Checks that columns of one table have the same length, and that it is not absurd.
func checkColumns(_ name: String, _ first: Int, _ others: Int...) throws(FrameError) {
    if first > FrameCodec.maximumColumn {
        throw FrameError(.tooLarge, "\(name) has \(first) entries, more than \(FrameCodec.maximumColumn)")
    }
    for other in others where other != first {
        throw FrameError(.malformed, "columns of \(name) differ in length: \(first) and \(other)")
    }
}

/// Checks that the pieces of a payload frame add up to its length.
func checkPayload(_ name: String, _ payload: [UInt8], _ lengths: [UInt32], _ more: [UInt32] = []) throws(FrameError) {
    var sum = 0
    for length in lengths { sum += Int(length) }
    for length in more { sum += Int(length) }
    if sum != payload.count {
        throw FrameError(.malformed, "the pieces of \(name) add up to \(sum) bytes, not \(payload.count)")
    }
}

/// An enumeration's case from its number on the wire.
func decodeCase<Value: RawRepresentable>(_ name: String, _ raw: Int) throws(FrameError) -> Value
where Value.RawValue == UInt8 {
    guard let byte = UInt8(exactly: raw), let value = Value(rawValue: byte) else {
        throw FrameError(.malformed, "\(raw) is no \(name)")
    }
    return value
}

func span(_ nanoseconds: UInt64) -> TimeSpan { TimeSpan(nanoseconds: nanoseconds) }
