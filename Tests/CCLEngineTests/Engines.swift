import CCL
import Foundation
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing
import WasmRuntime

/// The two engines that contracts are run in, and the validator, as far as they are here.
enum Engines {
    static let package = BuiltProgram.package

    static let wasmkit = find("wasmkit")
    static let validator = find("wasm-validate")
    static let wasmkitMissing: Testing.Comment = "needs the toolchain's wasmkit in PATH"
    static let validatorMissing: Testing.Comment = "needs wasm-validate of wabt in PATH"

    private static func find(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// The daemon's executable, which the build puts beside the test bundle and workers run in.
    private static let workerExecutable = BuiltProgram.path("meshd") ?? "meshd"

    private static let pool = Result {
        try WasmWorkerPool(
            WasmRuntimeConfiguration(
                libraryPath: BuiltProgram.wasmtimeLibrary, workers: 2, workerExecutable: workerExecutable))
    }

    /// Enough of everything, so that a yes never fails to come for want of it.
    static let grant = RunGrant(
        resource: "compute", amount: 1 << 53, submissionCountMax: RunEffectLimits.submissionCountMax)

    /// Runs a module as a job would be run.
    static func run(
        _ module: [UInt8], entry: String? = nil, fuel: UInt64 = 200_000_000, grant: RunGrant = grant
    ) throws -> RunResult {
        let code = CID(of: module, codec: .raw)
        return try pool.get().run(
            RunRequest(
                code: code, entry: entry,
                limits: RunLimits(
                    fuel: fuel, memoryBytes: 64 << 20, outputBytes: 4 << 20, wallMilliseconds: 30_000),
                clockStart: Timestamp(milliseconds: 0), randomSeed: code.digest, grant: grant), code: module)
    }

    /// What a module printed in the toolchain's runtime, and how it ended there.
    struct Printed {
        let output: [UInt8]
        let errors: String
        let status: Int32
    }

    /// Runs `_start` in the toolchain's runtime; `nil` where that is missing.
    static func runInToolchain(_ module: [UInt8]) throws -> Printed? {
        try wasmkit.map { try run($0, ["run"], on: module) }
    }

    /// Shows a module to the validator; what it says against it, or `nil`.
    static func objection(to module: [UInt8]) throws -> String? {
        guard let validator else { return nil }
        let answer = try run(validator, [], on: module)
        return answer.status == 0 ? nil : "status \(answer.status): \(answer.errors)"
    }

    private static func run(_ program: String, _ arguments: [String], on bytes: [UInt8]) throws -> Printed {
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("ccl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: base) }
        func file(_ name: String) -> URL { base.appendingPathComponent(name) }
        try Data(bytes).write(to: file("module.wasm"))
        for name in ["output", "errors"] { try Data().write(to: file(name)) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments + [file("module.wasm").path]
        // Files, not pipes: nothing has to read along.
        process.standardOutput = try FileHandle(forWritingTo: file("output"))
        process.standardError = try FileHandle(forWritingTo: file("errors"))
        try process.run()
        process.waitUntilExit()
        return Printed(
            output: [UInt8](try Data(contentsOf: file("output"))),
            errors: String(decoding: try Data(contentsOf: file("errors")), as: UTF8.self),
            status: process.terminationStatus)
    }
}
