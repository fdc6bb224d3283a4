/// Runs a cleanup that a cancellation of the calling task does not reach, neither one that has come before nor one that
/// comes while it runs.
///
///     } catch {
///         try await withCancellationShield {
///             try await group.withGroup("cleanup") { … }
///         }
///         throw error
///     }
///
/// The end of a grace does: a task whose time to clean up is over is killed.
public func withCancellationShield<R: Sendable>(
    _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    // Swift 6.3 has no shield: a task of its own is the only thing that does not inherit the cancellation.
    try await Task { try await body() }.value
}
