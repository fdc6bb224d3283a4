/// Fault plans: YAML or JSON, one schema (`protocols/faults.schema.json`).
package enum FaultFile {
    /// Reads and checks a plan; `-` reads standard input.
    package static func load(path: String) throws(BatchFileError) -> FaultPlan {
        let fileName = path == "-" ? "<stdin>" : path
        let text: String
        do {
            text = try TextFile.read(path: path)
        } catch {
            throw BatchFileError(file: fileName, message: error.message)
        }
        return try parse(text, fileName: fileName)
    }

    /// Checks the text of a plan.
    ///
    /// - Parameter fileName: the name for messages.
    package static func parse(_ text: String, fileName: String) throws(BatchFileError) -> FaultPlan {
        try DocumentReading.read(text, fileName: fileName, emptyAdvice: "a fault plan needs 'faults'") {
            reader,
            root throws(BatchReader.Halt) in
            try reader.readFaultPlan(root)
        }
    }
}
