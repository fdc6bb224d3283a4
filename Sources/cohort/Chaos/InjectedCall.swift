internal import CohortFaults
internal import CohortWorker
internal import FoundationEssentials
internal import Glibc

/// What a call throws whose failure the plan wants.
struct InjectedFailure: Error, CustomStringConvertible {
    let description: String
}

/// The function that stands in for the one that a task calls in `cohort chaos`.
enum InjectedCall {
    /// Adds it to the functions of a worker if that is one of a run under faults.
    static func register(in functions: inout FunctionRegistry) throws(RegistrationError) {
        guard getenv(InjectedEnvironment.mark) != nil else { return }
        let known = functions
        try functions.register(ChaosBatch.standInFunction) { payload, context in
            let call = try JSONDecoder().decode(ChaosBatch.CallOrder.self, from: Data(payload))
            return try await run(call, known, context)
        }
    }

    private static func run(
        _ call: ChaosBatch.CallOrder,
        _ functions: FunctionRegistry,
        _ context: TaskContext
    ) async throws -> [UInt8] {
        let evidence = EvidenceWriter(call.order, attempt: context.attempt)
        evidence.note(.started)
        let decision = call.order.decision(attempt: context.attempt)
        for rule in decision.rules { evidence.note(.injected(rule: rule)) }
        do {
            if decision.delay > .zero { try await Task.sleep(for: decision.delay) }
            switch decision.ending {
            case .hang: while true { try await Task.sleep(for: .seconds(3_600)) }
            case .fail(_, let message): throw InjectedFailure(description: message)
            case nil: break
            }
            guard let body = functions.body(named: call.function) else {
                throw InjectedFailure(description: "no function '\(call.function)' is known here")
            }
            let value = try await body(Array(call.arguments.utf8), context)
            evidence.note(.exited(code: 0))
            return value
        } catch {
            evidence.note(.exited(code: 1))
            throw error
        }
    }
}
