internal import Cohort
internal import Synchronization

extension Program {
    /// `try`: its steps, the handler for what comes out of them, and `finally` in any case.
    func attempt(_ attempt: Attempt) async throws -> Flow {
        let result: Result<Flow, any Error>
        do {
            result = .success(try await handled(attempt))
        } catch {
            result = .failure(error)
        }
        _ = try await steps(attempt.finally)
        return try result.get()
    }

    private func handled(_ attempt: Attempt) async throws -> Flow {
        do {
            return try await steps(attempt.body)
        } catch let interruption as Interruption {
            guard let handler = attempt.cancelled else { throw interruption }
            let flow = try await handling(interruption, handler)
            requests.swallow()
            return flow
        } catch let failure as Failure {
            return try await caught(failure, by: attempt.clauses)
        }
    }

    /// What the innermost handler handles.
    var caught: any Error {
        // Decoding lets `rethrow` stand in handlers only.
        state.withLock { $0.caught.last } ?? Interruption()
    }

    private func handling(_ error: any Error, _ steps: [Step]) async throws -> Flow {
        state.withLock { $0.caught.append(error) }
        defer { state.withLock { _ = $0.caught.popLast() } }
        return try await self.steps(steps)
    }

    /// Gives each clause the leaves that match it and no clause before it. What is left over, and what a clause rethrows,
    /// is raised again as one tree.
    private func caught(_ failure: Failure, by clauses: [CatchClause]) async throws -> Flow {
        var rest = Set(0..<failure.count)
        var rethrown: Set<Int> = []
        var flow = Flow.next
        let types = failure.types
        for clause in clauses {
            let matching = rest.filter { clause.matches(types[$0]) }
            guard let part = failure.part(matching) else { continue }
            rest.subtract(matching)
            set(clause.variable, part.json())
            do {
                if case .returned(let value) = try await handling(part, clause.body) { flow = .returned(value) }
            } catch let raised as Failure where raised === part {
                rethrown.formUnion(matching)
            }
        }
        if let left = failure.part(rest.union(rethrown)) { throw left }
        return flow
    }
}
