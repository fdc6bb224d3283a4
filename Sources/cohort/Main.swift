internal import ArgumentParser
internal import CohortWorker
@preconcurrency internal import Glibc

/// The entry: a call host if this process was started as one, else the command line.
@main
struct Main {
    static func main() async {
        if let descriptor = CallHostMain.descriptor {
            await CallHostMain.run(BuiltInFunctions.registry, descriptor)
        }
        // A reader that goes away (`cohort map … | head`) is told by the failing write, not by death.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try CohortCommand.parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            failure.report()
            exit(failure.status.rawValue)
        } catch let status as ExitStatusError {
            exit(status.code)
        } catch {
            if let advice = Misspelling.advice(for: CommandLine.arguments.dropFirst()) {
                Failure(.usage, advice).report()
                exit(Failure.Status.usage.rawValue)
            }
            let code = CohortCommand.exitCode(for: error)
            guard code != .success else { CohortCommand.exit(withError: error) }
            fputs(Self.message(for: error) + "\n", stderr)
            exit(code == .validationFailure ? Failure.Status.usage.rawValue : code.rawValue)
        }
    }
}

extension Main {
    /// The argument parser's message, which begins as those of this program do.
    private static func message(for error: any Error) -> String {
        let message = CohortCommand.fullMessage(for: error)
        let start = "Error: "
        return message.hasPrefix(start) ? "cohort: " + message.dropFirst(start.count) : message
    }
}

/// Functions that every `cohort worker` knows.
enum BuiltInFunctions {
    static let registry: FunctionRegistry = {
        var functions = FunctionRegistry()
        do {
            try DemoFunctions.register(in: &functions)
            try InjectedCall.register(in: &functions)
        } catch {
            preconditionFailure("the built-in functions have bad names: \(error)")
        }
        return functions
    }()
}
