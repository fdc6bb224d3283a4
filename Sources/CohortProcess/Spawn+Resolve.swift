internal import CCohortProcess
internal import Glibc

extension Spawn {
    /// Where programs are looked for when the environment sets no PATH.
    private static var defaultSearchPath: String { "/usr/local/bin:/usr/bin:/bin" }

    /// The path to execute for `name`: itself if it contains a slash, else the first executable file in PATH.
    static func programPath(of name: String, _ request: SpawnRequest) throws(SpawnError) -> String {
        if name.utf8.contains(UInt8(ascii: "/")) { return name }
        let searchPath = request.environment["PATH"] ?? defaultSearchPath
        var refused: String?
        for entry in searchPath.split(separator: ":", omittingEmptySubsequences: false) {
            // An empty entry is the working directory.
            let candidate = entry.isEmpty ? "./\(name)" : "\(entry)/\(name)"
            switch check(located(candidate, request)) {
            case 0: return candidate
            case EACCES: refused = refused ?? candidate
            default: break
            }
        }
        if let refused {
            throw SpawnError(
                code: .notExecutable,
                errno: EACCES,
                description: "cannot run '\(name)': \(refused) is not executable"
            )
        }
        throw SpawnError(
            code: .notFound,
            errno: ENOENT,
            description: "cannot run '\(name)': no such file or directory in PATH (\(searchPath))"
        )
    }

    /// The error for a program that could not be started, in the words of whoever wrote the command.
    static func failure(
        of name: String,
        _ path: String,
        _ request: SpawnRequest,
        _ result: cohort_spawn_result
    ) -> SpawnError {
        let number = result.error
        switch result.step {
        case COHORT_SPAWN_DIRECTORY:
            let directory = request.workingDirectory ?? "."
            return SpawnError(
                code: .workingDirectory,
                errno: number,
                description: "cannot enter working directory '\(directory)': \(errorText(number))"
            )
        case COHORT_SPAWN_DESCRIPTOR:
            return SpawnError(
                code: .descriptor,
                errno: number,
                description: "cannot pass descriptors to '\(name)': \(errorText(number))"
            )
        case COHORT_SPAWN_EXEC:
            let (code, reason) = executionFailure(located(path, request), number)
            return SpawnError(code: code, errno: number, description: "cannot run '\(name)': \(reason)")
        default:
            return .system("start a process for '\(name)'", number)
        }
    }

    private static func executionFailure(_ path: String, _ number: Int32) -> (SpawnError.Code, String) {
        switch number {
        case ENOENT where access(path, F_OK) == 0:
            // The file is there, so it is the program named in its first line or its loader that is missing.
            return (.notFound, "the interpreter it asks for does not exist")
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG:
            return (.notFound, errorText(number))
        case EACCES:
            return (.notExecutable, isDirectory(path) ? "is a directory" : "permission denied (is it executable?)")
        case ENOEXEC:
            return (.notExecutable, "neither a program for this machine nor a script that begins with '#!'")
        case ETXTBSY, EPERM, ELIBBAD, EINVAL, EISDIR:
            return (.notExecutable, errorText(number))
        default:
            return (.system, errorText(number))
        }
    }

    /// `path` as this process can reach it: the program will be in another working directory.
    private static func located(_ path: String, _ request: SpawnRequest) -> String {
        guard let directory = request.workingDirectory, !path.hasPrefix("/") else { return path }
        return "\(directory)/\(path)"
    }

    /// 0 if `path` is an executable file, else the error number.
    private static func check(_ path: String) -> Int32 {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno }
        guard status.st_mode & S_IFMT == S_IFREG else { return EACCES }
        return access(path, X_OK) == 0 ? 0 : errno
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
