internal import Yams

/// What the readers of all files have in common: text in, value or errors out.
enum DocumentReading {
    /// Composes the document of `text` and hands its root to `read`, whose value counts only if nothing was reported.
    ///
    /// - Parameters:
    ///   - directory: absolute; where relative paths of the file start.
    ///   - emptyAdvice: what a file without a document lacks.
    static func read<Value>(
        _ text: String,
        fileName: String,
        directory: String = FilePath.current(),
        limits: BatchReader.Limits = BatchReader.Limits(),
        emptyAdvice: String,
        _ read: (inout BatchReader, Node) throws(BatchReader.Halt) -> Value?
    ) throws(BatchFileError) -> Value {
        let source = SourceText(fileName: fileName, text: text)
        guard text.utf8.count <= TextFile.bytesMax else {
            let limit = TextFile.bytesMax / 1024 / 1024
            throw BatchFileError(file: fileName, message: "it is larger than \(limit) MiB, the most that is read")
        }
        var reader = BatchReader(source: source, directory: directory, limits: limits)
        let root: Node?
        do {
            root = try BatchDocument.compose(text)
        } catch {
            throw BatchFileError([source.diagnostic(line: error.line, column: error.column, error.message)])
        }
        guard let root, !reader.isNull(root) else {
            throw BatchFileError(file: fileName, message: "it is empty: \(emptyAdvice)")
        }
        // A reader that halts has reported why.
        let value = try? read(&reader, root)
        guard let value, reader.errors.isEmpty else {
            let sorted = reader.errors.sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
            throw BatchFileError(sorted, isTruncated: reader.isTruncated)
        }
        return value
    }
}
