/// NUL-terminated strings laid end to end in one buffer: the form execve wants, for one allocation instead of one each.
struct CStrings {
    private var bytes: [CChar] = []
    private var starts: [Int] = []

    /// Appends the UTF-8 of `parts`, joined. None of them may contain a NUL.
    mutating func append(_ parts: String...) {
        starts.append(bytes.count)
        for part in parts {
            bytes.append(contentsOf: part.utf8.lazy.map { CChar(bitPattern: $0) })
        }
        bytes.append(0)
    }

    /// Appends bytes, which need not be text and may not contain a NUL.
    mutating func append(_ text: [UInt8]) {
        starts.append(bytes.count)
        bytes.append(contentsOf: text.lazy.map { CChar(bitPattern: $0) })
        bytes.append(0)
    }

    /// Calls `body` with a NULL-terminated array of these strings, those of `leading` before them.
    func withPointers<Result>(
        after leading: [UnsafeMutablePointer<CChar>] = [],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        bytes.withUnsafeBufferPointer { bytes in
            var pointers: [UnsafeMutablePointer<CChar>?] = []
            pointers.reserveCapacity(leading.count + starts.count + 1)
            pointers.append(contentsOf: leading)
            for start in starts {
                // execve takes char *const[] for history's sake and writes to none of them.
                pointers.append(UnsafeMutablePointer(mutating: bytes.baseAddress.unsafelyUnwrapped + start))
            }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
        }
    }
}

extension String {
    /// Whether a C string can hold this one.
    var holdsNUL: Bool { utf8.contains(0) }
}
