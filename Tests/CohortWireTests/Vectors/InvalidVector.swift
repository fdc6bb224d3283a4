internal import CohortCore
internal import SwiftProtobuf
internal import Testing

@testable internal import CohortWire

/// A message that every receiver must turn down, and why.
struct InvalidVector: Sendable, CustomTestStringConvertible {
    var name: String
    var description: String
    var code: FrameError.Code
    var frames: [[InvalidVectorEntry.Piece]]

    init(_ name: String, _ description: String, _ code: FrameError.Code, _ frames: [UInt8]...) {
        self.name = name
        self.description = description
        self.code = code
        self.frames = frames.map { [InvalidVectorEntry.Piece(hex: $0.hex, times: 1)] }
    }

    init(_ name: String, _ description: String, _ code: FrameError.Code, pieces: [[(bytes: [UInt8], times: Int)]]) {
        self.name = name
        self.description = description
        self.code = code
        self.frames = pieces.map { $0.map { InvalidVectorEntry.Piece(hex: $0.bytes.hex, times: $0.times) } }
    }

    var testDescription: String { name }

    var entry: InvalidVectorEntry {
        InvalidVectorEntry(name: name, description: description, error: code.name, frames: frames)
    }

    /// Name of the file, without its extension.
    static let topic = "invalid"

    static let all = outer + headers + sessions + groups + payloads + columns + sizes

    /// Frame 0 with the right version and what `fill` puts into it.
    private static func frame(_ fill: (inout PBFrame) -> Void) -> [UInt8] {
        var frame = PBFrame()
        frame.version = FrameCodec.version
        fill(&frame)
        return (try? frame.serializedBytes()) ?? []
    }

    // MARK: Frames

    private static let outer = [
        InvalidVector("no-frame", "A message without frames.", .empty),
        InvalidVector("empty-frame", "Frame 0 is empty.", .empty, []),
        InvalidVector("empty-frame-with-payload", "Frame 0 is empty, and a payload follows.", .empty, [], [1, 2, 3]),
        InvalidVector(
            "three-frames",
            "Two payload frames.",
            .tooManyFrames,
            frame { $0.draining = PBDraining() },
            [1],
            [2]
        ),
        InvalidVector("not-protobuf", "A varint that does not end.", .notProtobuf, [UInt8](repeating: 0xff, count: 16)),
        InvalidVector("text", "A line of another protocol.", .notProtobuf, Array("GET / HTTP/1.1\r\n\r\n".utf8)),
        InvalidVector("field-zero", "Field number 0 does not exist.", .notProtobuf, [0x08, 0x01, 0x02, 0x00]),
        InvalidVector(
            "cut-off",
            "A body that says it has ten bytes, of which one is there.",
            .notProtobuf,
            [0x08, 0x01, 0x52, 10, 8]
        ),
        InvalidVector(
            "length-overflow",
            "A body that says it has 2^63 bytes.",
            .notProtobuf,
            [0x08, 0x01, 0x52, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]
        ),
        InvalidVector(
            "deep-nesting",
            "100,000 groups of an unknown field inside one another.",
            .notProtobuf,
            pieces: [[([0x08, 0x01], 1), ([0xa3, 0x06], 100_000), ([0xa4, 0x06], 100_000)]]
        ),
        InvalidVector(
            "invalid-utf8",
            "A goodbye with a reason that is not UTF-8.",
            .notProtobuf,
            [0x08, 0x01, 0x7a, 0x04, 0x0a, 0x02, 0xc3, 0x28]
        ),
    ]

    // MARK: Header

    private static let headers = [
        InvalidVector(
            "version-missing",
            "No version.",
            .version(0),
            frame { $0 = PBFrame.with { $0.draining = PBDraining() } }
        ),
        InvalidVector(
            "version-2",
            "A version that is not this one.",
            .version(2),
            frame {
                $0.version = 2
                $0.draining = PBDraining()
            }
        ),
        InvalidVector("no-body", "A header and nothing else.", .noBody, frame { $0.sequence = 1 }),
        InvalidVector(
            "unknown-body",
            "A body of a kind that this version does not have: field 200.",
            .noBody,
            frame { $0.sequence = 1 } + [0xc2, 0x0c, 0x02, 0x08, 0x01]
        ),
    ]

    // MARK: Bodies

    private static let sessions = [
        InvalidVector("hello-no-role", "A peer without a role.", .malformed, frame { $0.hello.name = "x" }),
        InvalidVector(
            "hello-unknown-role",
            "Role 9.",
            .malformed,
            frame { $0.hello.role = .UNRECOGNIZED(9) }
        ),
        InvalidVector(
            "hello-worker-no-slots",
            "A worker that can run nothing.",
            .malformed,
            frame { $0.hello.role = .worker }
        ),
    ]

    private static let groups = [
        InvalidVector(
            "open-group-unknown-policy",
            "Policy 3.",
            .malformed,
            frame { $0.openGroup.policy = .UNRECOGNIZED(3) }
        ),
        InvalidVector("seal-unknown-end", "Body end 3.", .malformed, frame { $0.seal.body = .UNRECOGNIZED(3) }),
        InvalidVector("cancel-group-no-target", "Which group?", .malformed, frame { $0.cancelGroup.reason = "why" }),
        InvalidVector("set-deadline-no-target", "Which group?", .malformed, frame { $0.setDeadline.timeout = 1 }),
        InvalidVector("watch-no-target", "Which group?", .malformed, frame { $0.watch = PBWatch() }),
        InvalidVector(
            "cancel-unknown-cause",
            "Cause 8.",
            .malformed,
            frame { $0.cancel.orders = [PBCancel.Order.with { $0.cause = .UNRECOGNIZED(8) }] }
        ),
        InvalidVector(
            "template-unknown-output",
            "Output mode -1.",
            .malformed,
            frame { $0.submit.templates = [PBTemplate.with { $0.output = .UNRECOGNIZED(-1) }] }
        ),
        InvalidVector(
            "assign-unknown-hold",
            "Hold rule 3.",
            .malformed,
            frame { $0.assign.templates = [PBAssignedTemplate.with { $0.hold = .UNRECOGNIZED(3) }] }
        ),
        InvalidVector(
            "snapshot-unknown-outcome",
            "Group outcome 4.",
            .malformed,
            frame { $0.snapshot.groups = [PBGroupInfo.with { $0.outcome = .UNRECOGNIZED(4) }] }
        ),
    ]

    // MARK: Payloads

    private static let payloads = [
        InvalidVector(
            "payload-not-expected",
            "A payload frame behind a goodbye.",
            .malformed,
            frame { $0.goodbye.reason = "bye" },
            [1]
        ),
        InvalidVector(
            "submit-payload-missing",
            "A task of four bytes, and no payload frame.",
            .malformed,
            frame { $0.submit.runs = [PBRun.with { $0.lengths = [4] }] }
        ),
        InvalidVector(
            "submit-payload-long",
            "A task of one byte, and a payload frame of two.",
            .malformed,
            frame { $0.submit.runs = [PBRun.with { $0.lengths = [1] }] },
            [1, 2]
        ),
        InvalidVector(
            "report-payload-short",
            "Lengths that add up to more than 2^32, and a payload frame of one byte.",
            .malformed,
            frame {
                $0.report.outputTask = [1, 2]
                $0.report.outputAttempt = [1, 1]
                $0.report.outputStream = [0, 1]
                $0.report.outputLength = [.max, 2]
                $0.report.outputOffset = [0, 0]
            },
            [1]
        ),
    ]

    // MARK: Columns

    private static let columns = [
        InvalidVector(
            "grant-columns",
            "Two tasks, one attempt.",
            .malformed,
            frame {
                $0.grant.task = [1, 2]
                $0.grant.attempt = [1]
                $0.grant.position = [1, 1]
            }
        ),
        InvalidVector(
            "consumed-columns",
            "One group, no index.",
            .malformed,
            frame {
                $0.consumed.group = [1]
                $0.consumed.attempt = [1]
                $0.consumed.position = [1]
            }
        ),
        InvalidVector(
            "detail-rest-columns",
            "A run of the rest of output, of no stream.",
            .malformed,
            frame {
                $0.update.details = [
                    PBDetail.with {
                        $0.restOffset = 4
                        $0.restLength = [1]
                        $0.rest = ([1] as [UInt8]).data
                    }
                ]
            }
        ),
        InvalidVector(
            "detail-rest-short",
            "A run of two bytes of the rest of output, and one byte.",
            .malformed,
            frame {
                $0.report.details = [
                    PBDetail.with {
                        $0.restOffset = 4
                        $0.restStream = [0]
                        $0.restLength = [2]
                        $0.rest = ([1] as [UInt8]).data
                    }
                ]
            }
        ),
        InvalidVector(
            "assign-columns",
            "One task, and nothing in its other columns.",
            .malformed,
            frame { $0.assign.task = [1] }
        ),
        InvalidVector(
            "update-columns",
            "Report columns of which one is empty.",
            .malformed,
            frame {
                $0.update.reportGroup = [1]
                $0.update.reportIndex = [0]
            }
        ),
        InvalidVector(
            "report-unknown-stream",
            "Output stream 2.",
            .malformed,
            frame {
                $0.report.outputTask = [1]
                $0.report.outputAttempt = [1]
                $0.report.outputStream = [2]
                $0.report.outputLength = [0]
                $0.report.outputOffset = [0]
            }
        ),
        InvalidVector(
            "report-unknown-status",
            "Attempt status 256, which is not 0.",
            .malformed,
            frame {
                finished(&$0.report)
                $0.report.finishedStatus = [256]
            }
        ),
        InvalidVector(
            "report-missing-detail",
            "An attempt that names the second of one detail.",
            .malformed,
            frame {
                finished(&$0.report)
                $0.report.finishedDetail = [2]
                $0.report.details = [PBDetail()]
            }
        ),
    ]

    private static func finished(_ report: inout PBReport) {
        report.finishedTask = [1]
        report.finishedAttempt = [1]
        report.finishedStatus = [0]
        report.finishedFlags = [1]
        report.finishedElapsed = [0]
        report.finishedValueLength = [0]
        report.finishedDetail = [0]
    }

    // MARK: Sizes

    private static let sizes = [
        InvalidVector(
            "column-too-long",
            "2^20 + 1 templates to forget.",
            .tooLarge,
            pieces: [
                [([0x08, 0x01, 0xfa, 0x03, 0x85, 0x80, 0x40, 0x0a, 0x81, 0x80, 0x40], 1), ([0x05], (1 << 20) + 1)]
            ]
        ),
        InvalidVector(
            "details-too-many",
            "2^20 + 1 empty details.",
            .tooLarge,
            pieces: [[([0x08, 0x01, 0x82, 0x05, 0x83, 0x80, 0xc0, 0x01], 1), ([0xf2, 0x01, 0x00], (1 << 20) + 1)]]
        ),
        InvalidVector(
            "frame-too-large",
            "A payload frame of 64 MiB and one byte.",
            .tooLarge,
            pieces: [[(frame { $0.submit = PBSubmit() }, 1)], [([0x00], (64 << 20) + 1)]]
        ),
    ]
}

extension FrameError.Code {
    /// What the code is called in the vectors.
    var name: String {
        switch self {
        case .empty: "empty"
        case .tooManyFrames: "too_many_frames"
        case .notProtobuf: "not_protobuf"
        case .version: "version"
        case .noBody: "no_body"
        case .malformed: "malformed"
        case .tooLarge: "too_large"
        }
    }
}
