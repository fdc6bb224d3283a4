@testable internal import CohortWire

/// The kinds of message that there are, so that a suite can prove that it has left none out.
enum BodyKind: String, CaseIterable, Sendable {
    case hello, welcome, refused, heartbeat, resend, goodbye, obituary
    case openGroup, joinGroup, submit, seal, cancelGroup, cancelTask, setDeadline, extendDeadline, consumed, watch,
        query
    case update, snapshot
    case assign, cancel, grant, forget, proceed
    case report, draining
}

extension FrameBody {
    var kind: BodyKind {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .refused: .refused
        case .heartbeat: .heartbeat
        case .resend: .resend
        case .goodbye: .goodbye
        case .obituary: .obituary
        case .openGroup: .openGroup
        case .joinGroup: .joinGroup
        case .submit: .submit
        case .seal: .seal
        case .cancelGroup: .cancelGroup
        case .cancelTask: .cancelTask
        case .setDeadline: .setDeadline
        case .extendDeadline: .extendDeadline
        case .consumed: .consumed
        case .watch: .watch
        case .query: .query
        case .update: .update
        case .snapshot: .snapshot
        case .assign: .assign
        case .cancel: .cancel
        case .grant: .grant
        case .forget: .forget
        case .proceed: .proceed
        case .report: .report
        case .draining: .draining
        }
    }
}
