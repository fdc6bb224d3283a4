/// Messages as they stand in a file of the corpus.
///
///     input   = *message
///     message = route count *frame      ; one byte each; the route counts modulo 4, the count modulo 4
///     frame   = length *OCTET           ; two bytes, the low one first; what is there if there is less
///
/// Whatever the bytes are, they are messages.
package struct FrameInput {
    package struct Message {
        package var route: UInt8
        package var frames: [[UInt8]]
    }

    package var messages: [Message] = []

    package init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while let route = rest.popFirst(), let count = rest.popFirst() {
            var message = Message(route: route % 4, frames: [])
            for _ in 0..<count % 4 {
                let length = Int(rest.popFirst() ?? 0) | Int(rest.popFirst() ?? 0) << 8
                message.frames.append(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            messages.append(message)
        }
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for message in messages {
            bytes += [message.route, UInt8(message.frames.prefix(3).count)]
            for frame in message.frames.prefix(3) {
                let frame = frame.prefix(Int(UInt16.max))
                bytes += [UInt8(frame.count & 0xff), UInt8(frame.count >> 8)] + frame
            }
        }
        return bytes
    }
}
