// swift-tools-version: 6.1
// The rooms of Causeway and the arrows between them. Tests/ArchitectureTests refuses an arrow that runs the wrong way.

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// C kernels are always optimised: a debug build of a hash is useless.
let kernel: [CSetting] = [.unsafeFlags(["-O3"])]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

func room(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], without: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: without, swiftSettings: strict)
}

let package = Package(
    name: "causeway",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "causeway", targets: ["causeway"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C: module maps, shims, kernels
        .systemLibrary(name: "CZeroMQ", path: "Sources/CZeroMQ"),
        .systemLibrary(name: "CSecp256k1", path: "Sources/CSecp256k1"),
        .systemLibrary(name: "CLibCrypto", path: "Sources/CLibCrypto"),
        .target(name: "CKeccak", cSettings: kernel),
        .target(name: "CPrecompiles", exclude: ["FieldConversion.inc", "FieldKernel.inc"], cSettings: kernel),

        // Vocabulary
        room("Ethereum", ["CKeccak", "CSecp256k1", "CLibCrypto"]),

        // Pure rooms
        room("EVM", ["Ethereum", "CLibCrypto", "CPrecompiles"]),
        room("CCIP", ["Ethereum"]),
        room("OffchainReporting", [protobuf], exclude: ["Schema/offchain_reporting.proto"]),
        room("Committing", ["Ethereum", "CCIP", "OffchainReporting"]),
        room("Executing", ["Ethereum", "CCIP", "OffchainReporting"]),
        room("Transactions", ["Ethereum"]),
        room("Guarding", ["Ethereum", "CCIP"]),
        room("PriceStreams", ["Ethereum", "OffchainReporting"]),
        // What relayers and guards say to each other; the only code that both run and no chain defines.
        room("GuardMessages", [protobuf], exclude: ["Schema/guard.proto"]),

        // Edges
        room("Configuration", ["Ethereum", yams]),
        room("JSONRPC", ["Ethereum", log, nioCore, nioHTTP1, nioPosix, nioWebSocket, nioSSL]),
        room("MessageBus", ["CZeroMQ", log]),
        room("Storage", ["Ethereum", log, grdb]),
        room("Agreement", ["Ethereum", "OffchainReporting", "Storage", log]),
        room("ChainAccess", ["Ethereum", "CCIP", "Transactions", "JSONRPC", "Storage", log]),

        // Assemblies
        room("DevChain", ["Ethereum", "EVM", "JSONRPC", "Configuration", "Storage", "CKeccak", log]),
        room(
            "Relayer",
            [
                "Ethereum", "CCIP", "OffchainReporting", "Committing", "Executing", "Transactions", "Agreement",
                "PriceStreams", "Configuration", "JSONRPC", "MessageBus", "Storage", "ChainAccess", "GuardMessages", log, protobuf,
            ], exclude: ["Schema/event_feed.proto"]),
        room(
            "Watcher",
            [
                "Ethereum", "CCIP", "Guarding", "Transactions", "Configuration", "JSONRPC", "MessageBus", "Storage",
                "ChainAccess", "GuardMessages", log, protobuf,
            ]),
        room(
            "StreamsNode",
            [
                "Ethereum", "PriceStreams", "OffchainReporting", "Agreement", "ChainAccess", "Configuration", "JSONRPC",
                "MessageBus", "Storage", log, protobuf, nioCore, nioHTTP1, nioPosix, nioWebSocket,
            ], exclude: ["Schema/price_reports.proto"]),
        room("Localnet", ["Ethereum", "CCIP", "PriceStreams", "JSONRPC", "Configuration", "MessageBus", log]),

        // Command
        .executableTarget(
            name: "causeway",
            dependencies: [
                "Localnet", "Relayer", "Watcher", "StreamsNode", "DevChain", "ChainAccess", "CCIP", "Executing", "Guarding",
                "PriceStreams", "Ethereum", "JSONRPC", "Configuration", "MessageBus", "Storage", argumentParser, log,
            ],
            swiftSettings: strict),

        // Benchmarks of the rooms of the chain; `make bench-evm` runs them. No product: `causeway` does not wait for them.
        .target(name: "BenchSupport", path: "Benchmarks/BenchSupport", swiftSettings: strict),
        .executableTarget(
            name: "causeway-bench",
            dependencies: ["BenchSupport", "Ethereum", "EVM", "DevChain", "JSONRPC", "Configuration", log],
            path: "Benchmarks/ChainBench", swiftSettings: strict),
        // Benchmarks of price streams beside libzmq and libsecp256k1; `make bench-streams` runs them.
        .executableTarget(
            name: "causeway-stream-bench",
            dependencies: [
                "BenchSupport", "CZeroMQ", "CSecp256k1", "Configuration", "Ethereum", "MessageBus", "PriceStreams",
                "StreamsNode", log,
            ],
            path: "Benchmarks/StreamBench", swiftSettings: strict),

        // Tests, one target per room
        .target(name: "TestSupport", dependencies: ["Ethereum"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("EthereumTests", ["Ethereum", "CKeccak", "TestSupport"]),
        tests("EVMTests", ["EVM", "Ethereum", "CPrecompiles", "TestSupport"]),
        tests("CCIPTests", ["CCIP", "Ethereum", "TestSupport"]),
        tests("OffchainReportingTests", ["OffchainReporting"]),
        tests("CommittingTests", ["Committing", "CCIP", "Ethereum", "OffchainReporting", "TestSupport"]),
        tests("ExecutingTests", ["Executing", "CCIP", "Ethereum", "OffchainReporting", "TestSupport"]),
        tests("TransactionsTests", ["Transactions", "Ethereum"]),
        tests("GuardingTests", ["Guarding", "CCIP", "Ethereum", "TestSupport"]),
        tests("PriceStreamsTests", ["PriceStreams", "Ethereum", "OffchainReporting", "TestSupport"]),
        tests("ConfigurationTests", ["Configuration"]),
        tests(
            "JSONRPCTests",
            [
                "JSONRPC", "Ethereum", "TestSupport", log, nioCore, nioHTTP1, nioPosix, nioWebSocket, nioSSL, nioEmbedded,
            ]),
        // With the book and the tracker of price streams: what the fan-out is for.
        tests("MessageBusTests", ["MessageBus", "PriceStreams", "Ethereum", "CZeroMQ", log]),
        tests("StorageTests", ["Storage", "Ethereum", log, grdb]),
        tests("AgreementTests", ["Agreement", "Ethereum", "OffchainReporting", "Storage", log]),
        tests(
            "ChainAccessTests",
            ["ChainAccess", "Ethereum", "CCIP", "Transactions", "Storage", "JSONRPC", log, nioCore, nioPosix]),
        tests("DevChainTests", ["DevChain", "Storage", "EVM", "Ethereum", "JSONRPC", "Configuration", "TestSupport", log]),
        // The public suites, held against the whole chain.
        tests("ConformanceTests", ["DevChain", "EVM", "Ethereum", "JSONRPC", "TestSupport", log]),
        tests(
            "LocalnetTests",
            [
                "Localnet", "DevChain", "Ethereum", "CCIP", "Executing", "JSONRPC", "MessageBus", "OffchainReporting",
                "Configuration",
                "PriceStreams", "StreamsNode", "TestSupport", log,
            ]),
        tests(
            "RelayerTests",
            [
                "Relayer", "Agreement", "CCIP", "ChainAccess", "Committing", protobuf, "Ethereum", "Configuration", "Executing",
                "JSONRPC",
                "MessageBus", "OffchainReporting", "PriceStreams", "Storage", "TestSupport", "Transactions", "GuardMessages", log,
            ]),
        tests(
            "WatcherTests",
            [
                "Watcher", "Guarding", "CCIP", "ChainAccess", "Ethereum", "Configuration", "JSONRPC", "MessageBus",
                "Storage", "TestSupport", "GuardMessages", log, protobuf,
            ]),
        // Damaged and hostile input for every decoder and a whole chain; each entry takes as long as it is told.
        .testTarget(
            name: "FuzzTests",
            dependencies: ["DevChain", "EVM", "Ethereum", "JSONRPC", "Configuration", "PriceStreams", "TestSupport", log],
            exclude: ["Regressions"], swiftSettings: strict),
        tests(
            "StreamsNodeTests",
            [
                "StreamsNode", "PriceStreams", "OffchainReporting", "Agreement", "ChainAccess", "Configuration", "Ethereum",
                "JSONRPC", "MessageBus", "Storage", "TestSupport", log, nioCore, nioHTTP1, nioPosix, nioWebSocket,
            ]),
        tests("ArchitectureTests", ["TestSupport"]),
        tests(
            "CausewayCommandTests",
            [
                "causeway", "CCIP", "ChainAccess", "Configuration", "Ethereum", "Executing", "Guarding", "JSONRPC", "Localnet",
                "TestSupport", argumentParser,
            ]),
        tests(
            "EndToEndTests", ["CCIP", "Ethereum", "GuardMessages", "MessageBus", "Relayer", "TestSupport", protobuf],
            without: ["Python"]),
    ]
)
