// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "cohort",
    products: [
        .executable(name: "cohort", targets: ["cohort"]),
        .executable(name: "cohort-demo-worker", targets: ["cohort-demo-worker"]),
        .executable(name: "cohort-conformance", targets: ["cohort-conformance"]),
        .executable(name: "cohort-tutorial", targets: ["cohort-tutorial"]),
        .library(name: "Cohort", targets: ["Cohort"]),
        .library(name: "CohortWorker", targets: ["CohortWorker"]),
        .library(name: "ZeroMQ", targets: ["ZeroMQ"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // ZeroMQ: a binding that knows nothing of Cohort.
        .systemLibrary(name: "CZeroMQ"),
        .target(name: "ZeroMQ", dependencies: ["CZeroMQ"], swiftSettings: settings + [.strictMemorySafety()]),

        // The centre: decisions as values, no I/O.
        .target(
            name: "CohortCore",
            dependencies: [
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "CohortWire",
            dependencies: ["CohortCore", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            swiftSettings: settings
        ),

        // Shells around it.
        .target(name: "CCohortProcess"),
        .target(name: "CohortProcess", dependencies: ["CCohortProcess"], swiftSettings: settings),
        .target(
            name: "CohortRuntime",
            dependencies: ["CCohortProcess", "CohortCore", "CohortWire", "ZeroMQ"],
            swiftSettings: settings
        ),
        .target(
            name: "CohortCoordinator",
            dependencies: [
                "CohortCore", "CohortRuntime", "CohortWire", "ZeroMQ", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "CohortJournal",
            dependencies: ["CohortCore", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings
        ),
        .target(
            name: "CohortWorker",
            dependencies: [
                "CCohortProcess", "Cohort", "CohortCoordinator", "CohortCore", "CohortProcess", "CohortRuntime",
                "CohortWire", "ZeroMQ", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Cohort",
            dependencies: ["CCohortProcess", "CohortCore", "CohortProcess", "CohortRuntime", "CohortWire", "ZeroMQ"],
            swiftSettings: settings
        ),

        // The command line.
        .target(
            name: "CohortBatch",
            dependencies: [.product(name: "Yams", package: "Yams")],
            swiftSettings: settings
        ),
        .target(
            name: "CohortReport",
            dependencies: ["CCohortProcess", "Cohort", "CohortProcess"],
            swiftSettings: settings
        ),

        // Faults: a simulated cluster, and real ones under a plan.
        .target(
            name: "CohortFaults",
            dependencies: [
                "CCohortProcess", "Cohort", "CohortBatch", "CohortCore", "CohortProcess", "CohortRuntime", "CohortWire",
                "ZeroMQ", .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "cohort",
            dependencies: [
                "CCohortProcess", "Cohort", "CohortBatch", "CohortCoordinator", "CohortCore", "CohortFaults",
                "CohortJournal",
                "CohortProcess", "CohortReport", "CohortRuntime", "CohortWire", "CohortWorker", "ZeroMQ",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "cohort-demo-worker",
            dependencies: ["Cohort", "CohortWorker"],
            path: "workers/demo",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "cohort-conformance",
            dependencies: [
                "Cohort", "CohortWorker", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "workers/conformance",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "cohort-tutorial",
            dependencies: ["Cohort", "CohortWorker"],
            path: "workers/tutorial",
            exclude: ["batch", "expected"],
            swiftSettings: settings
        ),

        // Tests, one target for each that they test.
        .testTarget(name: "ZeroMQTests", dependencies: ["ZeroMQ"], swiftSettings: settings),
        .testTarget(name: "CohortCoreTests", dependencies: ["CohortCore"], swiftSettings: settings),
        .testTarget(
            name: "CohortWireTests",
            dependencies: [
                "CohortCore", "CohortFuzzKit", "CohortWire", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ProcessFixture",
            dependencies: ["CohortProcess"],
            path: "Tests/ProcessFixture",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortProcessTests",
            dependencies: ["CohortProcess", "ProcessFixture"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "WorkerFixture",
            dependencies: ["Cohort", "CohortWorker"],
            path: "Tests/WorkerFixture",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortWorkerTests",
            dependencies: [
                "CCohortProcess", "Cohort", "CohortCoordinator", "CohortCore", "CohortProcess", "CohortRuntime",
                "CohortWire", "CohortWorker", "WorkerFixture", "ZeroMQ", "cohort-demo-worker",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortConformanceTests",
            dependencies: ["Cohort", "cohort-conformance"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortTests",
            dependencies: [
                "CCohortProcess", "Cohort", "CohortCoordinator", "CohortCore", "CohortProcess", "CohortRuntime",
                "CohortWire", "ZeroMQ", "cohort", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "CohortBatchTests", dependencies: ["CohortBatch"], swiftSettings: settings),
        .testTarget(
            name: "CohortJournalTests",
            dependencies: [
                "CohortCore", "CohortJournal", "TestSupport", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortFaultsTests",
            dependencies: [
                "Cohort", "CohortBatch", "CohortCore", "CohortFaults", "CohortProcess", "CohortRuntime", "TestSupport",
                "ZeroMQ", "cohort",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortReportTests",
            dependencies: ["Cohort", "CohortReport", "TestSupport"],
            swiftSettings: settings
        ),
        .target(
            name: "TestSupport",
            dependencies: ["CCohortProcess", "Cohort", "CohortProcess"],
            path: "Tests/Support",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "cohort-harness",
            dependencies: [
                "Cohort", "CohortCore", "CohortFaults", "CohortFuzzKit", "CohortProcess", "CohortRuntime", "CohortWire",
                "CohortWorker", "ZeroMQ", "cohort",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Harness",
            swiftSettings: settings
        ),
        // What takes in what others have written, for the tests and for .ci/fuzz.
        .target(
            name: "CohortFuzzKit",
            dependencies: ["CohortBatch", "CohortCoordinator", "CohortCore", "CohortWire"],
            path: "Tests/Fuzz/Kit",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortFuzzTests",
            dependencies: ["CohortFuzzKit"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortCommandTests",
            dependencies: [
                "CCohortProcess", "Cohort", "CohortCore", "CohortFuzzKit", "CohortProcess", "CohortWire", "TestSupport",
                "WorkerFixture", "ZeroMQ", "cohort", "cohort-harness",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CohortTutorialTests",
            dependencies: ["Cohort", "TestSupport", "cohort", "cohort-tutorial"],
            swiftSettings: settings
        ),
    ]
)

// libFuzzer brings its own main and wants everything instrumented, which nothing else can use: .ci/fuzz builds it in a folder of
// its own.
if Context.environment["COHORT_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "cohort-fuzz",
            dependencies: ["CohortFuzzKit"],
            path: "Tests/Fuzz/Fuzzer",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
        )
    )
}
