/// The ends of what one attempt of a task has written, for the document.
struct OutputTails {
    /// Bytes kept of each stream.
    static let limit = 64 << 10

    private var standardOutput: [UInt8] = []
    private var standardError: [UInt8] = []
    private var standardOutputBytes = 0
    private var standardErrorBytes = 0
    /// Which attempt wrote it: output of an earlier one is void.
    let attempt: UInt32

    init(attempt: UInt32) { self.attempt = attempt }

    mutating func appendOutput(_ bytes: ArraySlice<UInt8>) {
        standardOutputBytes += bytes.count
        Self.append(bytes, to: &standardOutput)
    }

    mutating func appendError(_ bytes: ArraySlice<UInt8>) {
        standardErrorBytes += bytes.count
        Self.append(bytes, to: &standardError)
    }

    private static func append(_ bytes: ArraySlice<UInt8>, to tail: inout [UInt8]) {
        tail.append(contentsOf: bytes.suffix(limit))
        tail.removeFirst(max(0, tail.count - limit))
    }

    func write(to result: inout TaskResult) {
        let outputIsTail = standardOutputBytes > standardOutput.count
        let errorIsTail = standardErrorBytes > standardError.count
        result.stdout = OutputText.decode(standardOutput, isTail: outputIsTail)
        result.stderr = OutputText.decode(standardError, isTail: errorIsTail)
        result.stdoutBytes = outputIsTail ? standardOutputBytes : nil
        result.stderrBytes = errorIsTail ? standardErrorBytes : nil
    }
}
