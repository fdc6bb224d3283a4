package import Cohort

/// The functions that a worker program knows, by name.
package struct FunctionRegistry: Sendable {
    /// A registered function as its host runs it: the payload of a call in, the payload of its result out.
    package typealias Body = @Sendable (_ payload: [UInt8], _ context: TaskContext) async throws -> [UInt8]

    private var bodies: [String: Body] = [:]

    package init() {}

    /// Names of all functions, sorted.
    package var names: [String] { bodies.keys.sorted() }

    package func body(named name: String) -> Body? { bodies[name] }

    package mutating func register(_ name: String, _ body: @escaping Body) throws(RegistrationError) {
        try FunctionName.check(name)
        guard bodies[name] == nil else { throw .duplicateName(name) }
        bodies[name] = body
    }

    package mutating func register<Input, Output>(
        _ function: RemoteFunction<Input, Output>,
        _ body: @escaping @Sendable (_ input: Input, _ context: TaskContext) async throws -> Output
    ) throws(RegistrationError) {
        try register(function.name) { payload, context in
            let input = try ArgumentCoding.decode(Input.self, from: payload)
            return try ArgumentCoding.encode(await body(input, context))
        }
    }
}
