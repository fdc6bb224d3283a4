internal import CCohortProcess
internal import CohortProcess
internal import CohortRuntime
internal import Glibc

/// A coordinator and a worker of one's own, on a socket in a fresh directory, that leave nothing behind.
///
/// Both hold the reading end of a pipe whose writing end is only here: however this process ends, they see it, kill what
/// they run, remove the directory and leave.
package final class PrivatePool: Sendable {
    /// Why a pool cannot be started.
    package struct StartError: Error, CustomStringConvertible {
        package let description: String
    }

    package let endpoint: String
    private let directory: String
    private let ownerPipe: Int32
    private let processes: [SpawnedProcess]

    /// - Parameters:
    ///   - executable: the `cohort` program.
    ///   - slots: how many tasks run at once.
    package init(executable: String, slots: Int) throws {
        directory = try Self.makeDirectory()
        endpoint = "ipc://\(directory)/socket"
        var reading: Int32 = -1
        var writing: Int32 = -1
        guard cohort_pipe(&reading, &writing) == 0 else {
            throw StartError(description: "cannot open a pipe: \(String(cString: strerror(errno)))")
        }
        ownerPipe = writing
        defer { close(reading) }
        let commands: [[String]] = [
            [executable, "coordinator", "--bind", endpoint, "--private"],
            [executable, "worker", "--connect", endpoint, "--slots", String(slots), "--private"],
        ]
        var started: [SpawnedProcess] = []
        for command in commands {
            var request = SpawnRequest(arguments: command, program: executable)
            request.environment.set(Guardian.ownerVariable, to: "3")
            request.passedDescriptors = [(from: reading, to: 3)]
            // Ctrl-C is for this process, which then ends its tasks in order.
            request.newProcessGroup = true
            do throws(SpawnError) {
                started.append(try Spawn.spawn(request))
            } catch {
                close(ownerPipe)
                Self.removeDirectory(directory)
                throw StartError(description: "cannot start '\(command.joined(separator: " "))': \(error)")
            }
        }
        processes = started
    }

    /// The coordinator, and the guardian of the worker.
    package var processIDs: (coordinator: Int32, worker: Int32) { (processes[0].pid, processes[1].pid) }

    /// Descriptors that become readable when the coordinator or the worker has died.
    package var deathDescriptors: [Int32] { processes.map(\.pidfd) }

    /// Ends both and waits until they are gone, with all that they ran.
    package func stop() {
        close(ownerPipe)
        for process in processes {
            if Descriptors.wait(for: [process.pidfd], timeout: .seconds(5)).isEmpty { kill(process.pid, SIGKILL) }
            _ = Spawn.reap(process.pid)
            close(process.pidfd)
        }
        Self.removeDirectory(directory)
    }

    /// A directory that only this user can enter, with a path short enough for a socket in it.
    private static func makeDirectory() throws -> String {
        let candidates = [getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR")].compactMap { $0.map { String(cString: $0) } }
        var problem = ""
        for parent in candidates + ["/tmp"] where parent.utf8.count < 64 && !parent.isEmpty {
            var template = Array("\(parent)/cohort-XXXXXX".utf8CString)
            if mkdtemp(&template) != nil {
                return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            }
            problem = "\(parent): \(String(cString: strerror(errno)))"
        }
        throw StartError(description: "cannot make a directory for the pool's socket: \(problem)")
    }

    private static func removeDirectory(_ directory: String) {
        unlink("\(directory)/socket")
        rmdir(directory)
    }
}
