internal import CCL
internal import Foundation
internal import Testing

/// The programs outside that a module is shown to.
enum EmissionTools {
    static let wasmkit = find("wasmkit")
    static let validate = find("wasm-validate")
    static let wasmkitMissing: Testing.Comment = "needs the toolchain's wasmkit in PATH"
    static let validateMissing: Testing.Comment = "needs wasm-validate of wabt in PATH"

    private static func find(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program on a file with these bytes.
    static func run(
        _ path: String, _ arguments: [String], on bytes: [UInt8]
    ) throws -> (output: [UInt8], errors: String, status: Int32) {
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("ccl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: base) }
        let file = base.appendingPathComponent("module.wasm")
        let output = base.appendingPathComponent("output")
        let errors = base.appendingPathComponent("errors")
        try Data(bytes).write(to: file)
        for url in [output, errors] { _ = FileManager.default.createFile(atPath: url.path, contents: nil) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments + [file.path]
        // Files, not pipes: nothing has to read along.
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return (
            [UInt8](try Data(contentsOf: output)),
            String(decoding: try Data(contentsOf: errors), as: UTF8.self),
            process.terminationStatus
        )
    }

    /// Shows a module to the validator, where there is one.
    static func expectValid(
        _ module: [UInt8], _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        guard let validate else { return }
        let answer = try run(validate, [], on: module)
        #expect(answer.status == 0, "\(what): \(answer.errors)", sourceLocation: sourceLocation)
    }

    /// Runs a program as a module and by the twin, and compares what they print and how they end.
    static func expectTwin(
        _ program: Program, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try EmissionTwin.run(program)
        guard let wasmkit else { return }
        let module = try Contract.emit(program, options: EmissionOptions(names: false, target: .wasi)).get()
        let answer = try run(wasmkit, ["run"], on: module.bytes)
        #expect(
            String(decoding: answer.output, as: UTF8.self)
                == String(decoding: expected.output, as: UTF8.self), "\(what)",
            sourceLocation: sourceLocation)
        #expect(answer.output == expected.output, "\(what)", sourceLocation: sourceLocation)
        #expect(
            (answer.status != 0) == expected.isTrapped, "\(what): \(answer.errors)",
            sourceLocation: sourceLocation)
    }
}
