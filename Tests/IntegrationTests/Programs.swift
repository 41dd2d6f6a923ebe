import Foundation
import MeshDevnet
import MeshTestSupport

/// What a program printed, and how it ended.
struct Ran {
    let ending: ChildProcess.Ending
    let outputBytes: [UInt8]
    let errors: String

    /// The exit status; a signal counts as −1.
    var status: Int32 { if case .exited(let status) = ending { status } else { -1 } }
    var output: String { String(decoding: outputBytes, as: UTF8.self) }
    var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

    /// Standard output as JSON objects and arrays.
    func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(outputBytes)) }

    /// Standard output as one JSON object.
    func object() throws -> [String: Any] {
        guard let object = try json() as? [String: Any] else { throw HarnessError("no JSON object: \(self)") }
        return object
    }

    /// Standard output as a JSON array of objects.
    func objects() throws -> [[String: Any]] {
        guard let objects = try json() as? [[String: Any]] else {
            throw HarnessError("no JSON array: \(self)")
        }
        return objects
    }
}

/// The programs of this package, as the build puts them beside the tests.
enum Programs {
    /// The folder of the package.
    static let package = BuiltProgram.package

    static let meshd = BuiltProgram.path("meshd") ?? "meshd"
    static let meshctl = BuiltProgram.path("meshctl") ?? "meshctl"

    /// Where libwasmtime is, wherever the build directory lies.
    static let libraryPath = BuiltProgram.wasmtimeLibrary

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        seconds: Double = 90
    ) throws -> Ran {
        let directory = try TemporaryDirectory()
        try Data(input).write(to: URL(fileURLWithPath: directory.file("in")))
        try Data().write(to: URL(fileURLWithPath: directory.file("out")))
        var environment = environment
        environment["MESH_WASMTIME_LIBRARY"] = libraryPath
        let child = try ChildProcess(
            program, arguments, environment: environment, hasOwnGroup: false,
            input: FileHandle(forReadingFrom: URL(fileURLWithPath: directory.file("in"))),
            output: FileHandle(forWritingTo: URL(fileURLWithPath: directory.file("out"))),
            log: directory.file("err"))
        let ending = try child.ended(within: seconds)
        func bytes(_ name: String) -> [UInt8] {
            FileManager.default.contents(atPath: directory.file(name)).map { [UInt8]($0) } ?? []
        }
        return Ran(
            ending: ending, outputBytes: bytes("out"), errors: String(decoding: bytes("err"), as: UTF8.self))
    }
}
