internal import CCohortProcess
package import CohortProcess
internal import CohortRuntime
internal import Glibc

/// The processes of a pool of one's own, on a socket in a fresh directory, that leave nothing behind.
///
/// All hold the reading end of a pipe whose writing end is only here: however this process ends, they see it, kill what they
/// run, remove the directory and leave.
package final class PrivatePool: Sendable {
    /// Why a pool cannot be started.
    package struct StartError: Error, CustomStringConvertible {
        package let description: String
    }

    /// A process to start.
    package struct Member: Sendable {
        /// The command line.
        package var arguments: [String]
        /// Set on top of this process's own environment.
        package var variables: [(String, String)]

        package init(arguments: [String], variables: [(String, String)] = []) {
            self.arguments = arguments
            self.variables = variables
        }
    }

    package let endpoint: String
    private let directory: RunDirectory
    private let ownerPipe: Int32
    private let processes: [SpawnedProcess]

    /// A coordinator and a worker, each in a process of its own.
    ///
    /// - Parameters:
    ///   - executable: the `cohort` program.
    ///   - slots: how many tasks run at once.
    package convenience init(executable: String, slots: Int) throws {
        try self.init(executable: executable) { endpoint in
            [
                Member(arguments: [executable, "coordinator", "--bind", endpoint, "--private"]),
                Member(
                    arguments: [executable, "worker", "--connect", endpoint, "--slots", String(slots), "--private"]
                ),
            ]
        }
    }

    /// - Parameters:
    ///   - executable: the program of all members.
    ///   - members: what to start, given the endpoint.
    package init(executable: String, members: (_ endpoint: String) -> [Member]) throws {
        do {
            directory = try RunDirectory.make()
        } catch {
            throw StartError(description: "cannot make a directory for the pool's socket: \(error)")
        }
        endpoint = Self.endpointStart + directory.socket
        var reading: Int32 = -1
        var writing: Int32 = -1
        guard cohort_pipe(&reading, &writing) == 0 else {
            let problem = String(cString: strerror(errno))
            directory.remove()
            throw StartError(description: "cannot open a pipe: \(problem)")
        }
        ownerPipe = writing
        defer { close(reading) }
        var started: [SpawnedProcess] = []
        for member in members(endpoint) {
            var request = SpawnRequest(arguments: member.arguments, program: executable)
            for (name, value) in member.variables { request.environment.set(name, to: value) }
            request.environment.set(Guardian.ownerVariable, to: "3")
            request.passedDescriptors = [(from: reading, to: 3)]
            // Ctrl-C is for this process, which then ends its tasks in order.
            request.newProcessGroup = true
            do throws(SpawnError) {
                started.append(try Spawn.spawn(request))
            } catch {
                close(ownerPipe)
                Self.end(started)
                directory.remove()
                throw StartError(description: "cannot start '\(member.arguments.joined(separator: " "))': \(error)")
            }
        }
        processes = started
        // Now that the members are on their way, and nobody waits for this.
        RunDirectory.removeAbandoned(beside: directory)
    }

    /// The coordinator, and the guardian of the worker.
    package var processIDs: (coordinator: Int32, worker: Int32) { (processes[0].pid, processes[1].pid) }

    /// Descriptors, one a member, that become readable when that has died.
    package var deathDescriptors: [Int32] { processes.map(\.pidfd) }

    /// Ends all and waits until they are gone, with all that they ran. Once only.
    package func stop() {
        close(ownerPipe)
        Self.end(processes)
        directory.remove()
    }

    private static func end(_ processes: [SpawnedProcess]) {
        for process in processes {
            if Descriptors.wait(for: [process.pidfd], timeout: .seconds(5)).isEmpty { kill(process.pid, SIGKILL) }
            _ = Spawn.reap(process.pid)
            close(process.pidfd)
        }
    }

    /// What is to be removed of a pool whose owner has gone, by its members.
    package static func leftovers(of endpoint: String) -> Guardian.Leftovers {
        guard endpoint.hasPrefix(endpointStart),
            let directory = RunDirectory(holding: endpoint.dropFirst(endpointStart.count))
        else {
            return Guardian.Leftovers()
        }
        return Guardian.Leftovers(socket: directory.socket, directory: directory.path)
    }

    private static let endpointStart = "ipc://"
}
