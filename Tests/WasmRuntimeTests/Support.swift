import Foundation
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

/// What the tests of the runtime share: one pool, the example modules and modules written as text.
enum Fixture {
    /// The folder of the package.
    static let package = BuiltProgram.package

    /// The daemon's executable, which the build puts beside the test bundle.
    static let workerExecutable = BuiltProgram.path("meshd") ?? "meshd"

    static let libraryPath = BuiltProgram.wasmtimeLibrary

    static func configuration(workers: Int = 2) -> WasmRuntimeConfiguration {
        WasmRuntimeConfiguration(
            libraryPath: libraryPath, workers: workers, workerExecutable: workerExecutable)
    }

    /// A pool that most tests share; those that kill workers make one of their own.
    static let pool = Result { try WasmWorkerPool(configuration()) }

    static func example(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: package.appendingPathComponent("examples/\(name)/\(name).wasm")))
    }

    /// The module that `text` describes.
    static func module(_ text: String) throws -> [UInt8] {
        try WasmTextAssembler(libraryPath: libraryPath).assemble(text)
    }

    static func request(
        _ code: [UInt8], entry: String? = nil, fuel: UInt64 = 50_000_000, memory: UInt64 = 16 << 20,
        output: UInt64 = 1 << 20, wall: UInt64 = 20_000, stdin: [UInt8] = [], arguments: [String] = [],
        environment: [String: String] = [:], files: [RunRequest.InputFile] = [], seed: UInt8 = 1,
        grant: RunGrant? = nil
    ) -> RunRequest {
        RunRequest(
            code: CID(of: code, codec: .raw), entry: entry, arguments: arguments, environment: environment,
            stdin: stdin, files: files,
            limits: RunLimits(
                fuel: fuel, memoryBytes: memory, outputBytes: output, wallMilliseconds: wall),
            clockStart: Timestamp(milliseconds: 1_700_000_000_000),
            randomSeed: Bytes32([UInt8](repeating: seed, count: 32)), grant: grant)
    }

    /// Runs a module written as text in the shared pool.
    static func run(
        _ text: String, fuel: UInt64 = 50_000_000, memory: UInt64 = 16 << 20, output: UInt64 = 1 << 20,
        wall: UInt64 = 20_000
    ) throws -> RunResult {
        let code = try module(text)
        let request = request(code, fuel: fuel, memory: memory, output: output, wall: wall)
        return try pool.get().run(request, code: code)
    }
}
