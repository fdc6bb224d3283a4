/// Batch files: YAML or JSON, one schema (`protocols/batch.schema.json`).
///
/// - Relative paths of `cwd` and `from_file` start at the directory of the file; glob patterns start where their tasks run.
/// - The root and every group hand `env`, `cwd`, `retries` and `task_timeout` down; what is nearer to a task wins.
/// - A group with `for_each` holds one task a combination of the variables, a task with `for_each` becomes such tasks in its place;
///   the first variable varies slowest.
package enum BatchFile {
    /// Reads and checks a batch file; `-` reads standard input, whose relative paths start at the current directory.
    package static func load(path: String) throws(BatchFileError) -> BatchPlan {
        let fileName = path == "-" ? "<stdin>" : path
        let text: String
        do {
            text = try TextFile.read(path: path)
        } catch {
            throw BatchFileError(file: fileName, message: error.message)
        }
        let directory = path == "-" ? "." : FilePath.directory(of: path)
        return try parse(text, fileName: fileName, directory: directory)
    }

    /// Checks the text of a batch file.
    ///
    /// - Parameters:
    ///   - fileName: the name for messages; without its extension it is the default name of the root group.
    ///   - directory: where relative paths start, itself relative to the current directory; `nil` for the file's own.
    package static func parse(
        _ text: String,
        fileName: String,
        directory: String? = nil
    ) throws(BatchFileError) -> BatchPlan {
        try parse(text, fileName: fileName, directory: directory, limits: BatchReader.Limits())
    }

    package static func parse(
        _ text: String,
        fileName: String,
        directory: String?,
        limits: BatchReader.Limits
    ) throws(BatchFileError) -> BatchPlan {
        try DocumentReading.read(
            text,
            fileName: fileName,
            directory: FilePath.join(FilePath.current(), directory ?? FilePath.directory(of: fileName)),
            limits: limits,
            emptyAdvice: "a batch file needs 'tasks'"
        ) { reader, root throws(BatchReader.Halt) in
            try reader.readRoot(root, defaultName: defaultName(fileName))
        }
    }

    private static func defaultName(_ fileName: String) -> String {
        let stem = FilePath.stem(of: fileName)
        return stem.isEmpty || fileName == "<stdin>" ? "batch" : stem
    }
}
