/// What to run, and with what.
package struct SpawnRequest: Sendable {
    /// argv, byte for byte. The first is the program: a path if it contains a slash, else a name looked up in the PATH of
    /// `environment`.
    package var words: [[UInt8]]
    /// Path of the program if it is not to be found by the first argument.
    package var program: String?
    /// The whole environment of the program.
    package var environment: ProcessEnvironment
    /// nil for that of this process. A relative program path and relative PATH entries count from it.
    package var workingDirectory: String?
    /// Descriptors of this process that become the program's 0, 1 and 2. They stay open here.
    package var standardInput: Int32
    package var standardOutput: Int32
    package var standardError: Int32
    /// Further descriptors to pass on, and the numbers under which the program sees them (each at most once, above 2).
    package var passedDescriptors: [(from: Int32, to: Int32)]
    /// The program leads a new process group, whose number is its pid.
    package var newProcessGroup: Bool
    /// The program leads a new session (and process group), without a controlling terminal.
    package var newSession: Bool
    /// The signal that the program gets when the THREAD that spawned it ends, or 0.
    package var parentDeathSignal: Int32

    package init(
        arguments: [String],
        program: String? = nil,
        environment: ProcessEnvironment = .inherited(),
        workingDirectory: String? = nil,
        standardInput: Int32 = 0,
        standardOutput: Int32 = 1,
        standardError: Int32 = 2,
        passedDescriptors: [(from: Int32, to: Int32)] = [],
        newProcessGroup: Bool = false,
        newSession: Bool = false,
        parentDeathSignal: Int32 = 0
    ) {
        words = arguments.map { Array($0.utf8) }
        self.program = program
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.standardInput = standardInput
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.passedDescriptors = passedDescriptors
        self.newProcessGroup = newProcessGroup
        self.newSession = newSession
        self.parentDeathSignal = parentDeathSignal
    }

    /// A number under which the program would see two descriptors: only the one placed last would be there.
    var contestedDescriptor: Int32? {
        let numbers = [0, 1, 2] + passedDescriptors.map(\.to)
        return numbers.indices.first { numbers[..<$0].contains(numbers[$0]) }.map { numbers[$0] }
    }

    /// `words` as text.
    package var arguments: [String] {
        get { words.map { String(decoding: $0, as: UTF8.self) } }
        set { words = newValue.map { Array($0.utf8) } }
    }
}

/// A program that runs. Whoever spawned it owns both: it closes `pidfd` and reaps `pid` with `Spawn.reap`.
package struct SpawnedProcess: Sendable {
    package let pid: Int32
    /// Readable (poll, epoll) once the process has ended. Close-on-exec.
    package let pidfd: Int32
}
