// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is compiled with; `CONTRIBUTING.md` says what each rule buys.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A Swift target under the house rules; `dependencies` are its arrows in the module map.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: house)
}

func program(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: house)
}

/// Tests of a target; `data` are folders beside them that they read where they lie.
func tests(_ name: String, _ dependencies: [Target.Dependency], data: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["MeshTestSupport"], path: "Tests/\(name)", exclude: data,
        swiftSettings: house)
}

let package = Package(
    name: "planetary-mesh",
    products: [
        .executable(name: "meshd", targets: ["meshd"]),
        .executable(name: "meshctl", targets: ["meshctl"]),
        .executable(name: "meshbench", targets: ["meshbench"]),
        .executable(name: "netsim", targets: ["netsim"]),
    ],
    targets: [
        // C libraries, as they come from Debian.
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // Epoll and its like, which Swift's Glibc module leaves out.
        .systemLibrary(name: "CLinux"),
        // Our own declarations of libwasmtime's C interface, resolved at run time.
        .target(name: "CWasmtime"),
        // The raw loops that meshbench holds our figures against.
        .target(name: "CBaseline", dependencies: ["CLMDB", "COpenSSL", "CWasmtime"]),

        // Shared types.
        module("MeshCore"),
        module("MeshAPI"),

        // Records. Nothing from here to the engine performs I/O.
        module("MeshCrypto", ["MeshCore", "COpenSSL"]),
        module("IPLD", ["MeshCore", "MeshCrypto"]),
        module("MeshIdentity", ["MeshCore", "MeshCrypto", "IPLD"]),
        module("MeshStorage", ["MeshCore", "IPLD"]),
        module("MeshDAG", ["MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage"]),
        module("MeshGraph", ["MeshCore", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG"]),
        module(
            "MEW", ["MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshGraph"]),
        module("CCL", ["MeshCore", "IPLD"]),
        module("MeshRuntime", ["MeshCore", "IPLD"]),
        module("Dataflow", ["MeshCore", "IPLD", "JSON5", "MeshRuntime"]),
        module("ExecutionDocuments", ["MeshCore", "IPLD"]),
        module(
            "MeshMarket",
            [
                "MeshCore", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshRuntime",
                "ExecutionDocuments",
            ]),
        module(
            "MeshFederation",
            [
                "MeshCore", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshRuntime", "MeshMarket",
                "MeshGraph",
            ]),
        module("MeshGossip", ["MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG"]),
        module(
            "MeshEngine",
            [
                "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG",
                "MeshRuntime", "MeshMarket", "MeshFederation", "MeshGossip", "MeshGraph", "MEW",
                "ExecutionDocuments",
            ]),

        // Adapters.
        module("LMDB", ["CLMDB"]),
        module("MeshStore", ["LMDB", "MeshCore", "IPLD", "MeshStorage"]),
        module("MeshTransport", ["COpenSSL", "CLinux", "MeshCore", "MeshCrypto", "IPLD", "MeshIdentity"]),
        module("ExecutionStore", ["CLinux", "ExecutionDocuments", "MeshCore", "IPLD"]),
        module("WasmRuntime", ["CWasmtime", "MeshCore", "IPLD", "MeshRuntime"]),
        module("ControlServer", ["CMicroHTTPD", "MeshCore", "MeshAPI"]),
        module("ControlClient", ["CCurl", "MeshCore", "MeshAPI"]),
        module("CommandLineArguments"),
        module("JSON5", ["CommandLineArguments"]),
        module("IdentityFiles", ["MeshCore", "MeshCrypto", "MeshIdentity"]),

        // Real daemons behind relays, for experiments and tests.
        module(
            "MeshDevnet",
            [
                "CLinux", "MeshCore", "MeshCrypto", "MeshAPI", "ControlClient", "IdentityFiles",
                "CommandLineArguments",
            ],
            path: "netsim/MeshDevnet"),

        // Compositions.
        module("JobRuntime", ["WasmRuntime", "Dataflow", "MeshRuntime", "MeshCore", "IPLD"]),
        module(
            "MeshDaemon",
            [
                "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG",
                "MeshRuntime", "MeshMarket", "MeshFederation", "MeshGossip", "MeshGraph", "MEW",
                "MeshEngine", "MeshStore", "MeshTransport", "WasmRuntime", "JobRuntime",
                "ControlServer", "CommandLineArguments", "JSON5",
                "IdentityFiles",
            ]),
        module(
            "MeshCommands",
            [
                "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG",
                "MeshRuntime", "MeshMarket", "MeshFederation", "CCL", "Dataflow", "ExecutionDocuments",
                "ExecutionStore", "JSON5", "WasmRuntime", "JobRuntime",
                "ControlClient",
                "CommandLineArguments", "IdentityFiles",
            ]),

        // The simulator: pure, as the engine is.
        module(
            "MeshSimulator",
            [
                "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG",
                "MeshRuntime", "MeshMarket", "MeshFederation", "MeshGossip", "MeshGraph", "MEW", "MeshEngine",
                "JSON5", "ExecutionDocuments",
            ], path: "netsim/MeshSimulator"),

        // The engine as Maelstrom tests it, and a check of our own.
        module(
            "MeshMaelstrom",
            [
                "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG",
                "MeshMarket", "MeshGossip", "MeshEngine", "MeshDevnet", "CommandLineArguments",
            ], path: "netsim/MeshMaelstrom"),

        // Programs.
        program("meshd", ["MeshDaemon", "WasmRuntime"]),
        program("meshctl", ["MeshCommands", "WasmRuntime"]),
        program(
            "meshbench",
            [
                "CBaseline", "CLinux", "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity",
                "MeshStorage",
                "MeshDAG", "MEW", "CCL", "Dataflow", "ExecutionDocuments", "ExecutionStore", "MeshGraph",
                "MeshGossip", "MeshRuntime", "MeshMarket",
                "MeshFederation",
                "MeshStore", "LMDB", "WasmRuntime", "ControlClient", "CommandLineArguments", "MeshDevnet",
            ]),
        program(
            "netsim",
            ["MeshCore", "MeshSimulator", "MeshDevnet", "MeshMaelstrom", "JSON5", "CommandLineArguments"],
            path: "netsim/Program"),

        // Tests.
        .target(
            name: "MeshTestSupport", dependencies: ["MeshCore"], path: "Tests/MeshTestSupport",
            swiftSettings: house),
        tests("TidyTests", []),
        tests("IPLDTests", ["MeshCore", "MeshCrypto", "IPLD"]),
        tests("MeshIdentityTests", ["MeshCore", "MeshCrypto", "IPLD", "MeshIdentity"]),
        tests("MeshStoreTests", ["LMDB", "MeshStore", "MeshStorage", "MeshCore", "IPLD"]),
        tests(
            "MeshDAGTests",
            ["MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshStore"]),
        tests(
            "MeshGraphTests",
            [
                "MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshGraph",
                "MeshStore",
            ]),
        tests(
            "MEWTests",
            [
                "MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshGraph",
                "MEW",
            ], data: ["Corpus", "Golden"]),
        tests("CCLTests", ["MeshCore", "CCL"], data: ["Corpus", "Golden"]),
        tests("DataflowTests", ["MeshCore", "IPLD", "JSON5", "MeshRuntime", "Dataflow"]),
        tests("ExecutionDocumentsTests", ["MeshCore", "IPLD", "ExecutionDocuments"]),
        tests("ExecutionStoreTests", ["MeshCore", "IPLD", "ExecutionDocuments", "ExecutionStore"]),
        tests(
            "MeshGossipTests",
            ["MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshGossip"]),
        tests(
            "MeshMarketTests",
            [
                "MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshRuntime",
                "MeshMarket", "MeshFederation", "ExecutionDocuments",
            ]),
        tests(
            "MeshEngineTests",
            [
                "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG",
                "MeshRuntime", "MeshMarket", "MeshFederation", "MeshGossip", "MeshGraph", "MEW", "MeshEngine",
                "ExecutionDocuments",
            ]),
        tests(
            "MeshSimulatorTests",
            [
                "MeshCore", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshRuntime",
                "MeshMarket", "MeshFederation", "MeshGossip", "MeshEngine", "JSON5", "MeshSimulator",
            ]),
        tests(
            "MeshTransportTests",
            ["COpenSSL", "MeshTransport", "MeshCore", "MeshCrypto", "IPLD", "MeshIdentity"]),
        tests(
            "CCLEngineTests", ["CCL", "WasmRuntime", "MeshRuntime", "MeshCore", "IPLD", "meshd"],
            data: ["Programs"]),
        tests(
            "JobRuntimeTests",
            ["JobRuntime", "WasmRuntime", "Dataflow", "MeshRuntime", "MeshCore", "IPLD", "meshd"]),
        tests("WasmRuntimeTests", ["WasmRuntime", "MeshRuntime", "MeshCore", "IPLD", "meshd"]),
        tests(
            "ControlTests",
            [
                "MeshCore", "MeshCrypto", "MeshIdentity", "IPLD", "MeshStorage", "MeshDAG", "MeshGraph",
                "MEW",
                "MeshEngine", "ControlServer", "ControlClient", "MeshAPI", "CommandLineArguments", "JSON5",
                "IdentityFiles", "MeshCommands", "MeshDaemon", "meshctl",
            ]),
        tests("MeshMaelstromTests", ["MeshMaelstrom", "MeshCore"]),
        tests(
            "MeshDevnetTests",
            ["CLinux", "MeshDevnet", "MeshCore", "MeshAPI", "ControlClient", "CommandLineArguments", "meshd"]),
        tests(
            "IntegrationTests",
            [
                "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG",
                "MeshRuntime", "MeshMarket", "MeshFederation", "MeshGossip", "MeshTransport", "WasmRuntime",
                "ControlServer", "MeshDaemon", "MeshCommands", "ControlClient", "MeshDevnet", "meshd",
                "meshctl",
            ]),
    ]
)
