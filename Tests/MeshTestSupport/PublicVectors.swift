import Foundation

/// The public test vectors that are read where they lie and are not part of the project.
public enum PublicVectors {
    /// The bytes of one vector file, or `nil` where it is missing; the test then skips and says so.
    ///
    /// Looked for in `MESH_VECTORS`, then in `../shared/vectors` beside the package.
    public static func bytes(_ name: String) -> [UInt8]? {
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder =
            ProcessInfo.processInfo.environment["MESH_VECTORS"]
            ?? package.deletingLastPathComponent().appendingPathComponent("shared/vectors").path
        guard let data = FileManager.default.contents(atPath: folder + "/" + name) else { return nil }
        return [UInt8](data)
    }

    /// What a test prints as its reason when the vectors are missing.
    public static let missing: String =
        "the public vectors are not here: set MESH_VECTORS to the folder that holds them"

    /// Whether `name` can be read.
    public static func has(_ name: String) -> Bool { bytes(name) != nil }
}
