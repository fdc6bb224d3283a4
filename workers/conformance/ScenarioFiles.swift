internal import FoundationEssentials

/// Finds the files of scenarios.
enum ScenarioFiles {
    /// Files as they are given, folders as the scenarios in them, sorted by name.
    static func find(_ paths: [String]) throws(RunError) -> [String] {
        var files: [String] = []
        for path in paths {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw RunError("there is no \(path)")
            }
            if isFolder { files += try scenarios(in: path) } else { files.append(path) }
        }
        return files
    }

    private static func scenarios(in folder: String) throws(RunError) -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw RunError("cannot read \(folder): \(error)")
        }
        let scenarios = names.filter { $0.hasSuffix(".json") }.sorted()
        guard !scenarios.isEmpty else { throw RunError("there are no scenarios in \(folder)") }
        return scenarios.map { "\(folder)/\($0)" }
    }

    static func read(_ path: String) throws -> Scenario {
        let text: Data
        do {
            text = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw RunError("cannot read it: \(error)")
        }
        return try Scenario(parsing: text)
    }
}
