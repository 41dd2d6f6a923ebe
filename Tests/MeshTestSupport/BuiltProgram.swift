public import Foundation

/// The programs that the build puts beside the tests, and what set-up puts into the package.
public enum BuiltProgram {
    /// The folder of the package.
    public static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Where libwasmtime is: `MESH_WASMTIME_LIBRARY`, else where set-up puts it, wherever the build directory lies.
    public static let wasmtimeLibrary =
        ProcessInfo.processInfo.environment["MESH_WASMTIME_LIBRARY"]
        ?? package.appendingPathComponent(".deps/lib/libwasmtime.so").path

    /// The path of a program, or `nil` where the build has not made it.
    public static func path(_ name: String) -> String? {
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        var folder = URL(fileURLWithPath: bundle ?? CommandLine.arguments[0]).deletingLastPathComponent()
        while folder.path != "/" {
            let candidate = folder.appendingPathComponent(name).path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        return nil
    }
}
