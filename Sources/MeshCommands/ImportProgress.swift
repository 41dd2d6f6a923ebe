internal import FoundationEssentials
internal import IPLD
internal import MeshCore
internal import MeshCrypto

/// How far an import has come, kept in a file beside the one that is imported.
///
/// Written whole after each commit, so that it never says more than what is durable. It may say less: then the
/// batch behind it is sent again.
struct ImportProgress: Codable, Hashable {
    /// SHA-256 of the imported file, so that lines are not skipped in another.
    var digest: String
    /// The last record that is done with begins in this line; 0 before the first.
    var line = 0
    var counts = Counts()

    /// What has come of the records so far.
    struct Counts: Codable, Hashable {
        var spawned = 0
        var linked = 0
        /// There already, and so left alone.
        var existing = 0
        var refused = 0
    }

    static func path(for file: String) -> String { file + ".progress" }

    static func digest(of bytes: [UInt8]) -> String { Hexadecimal.encode(SHA256.hash(bytes).bytes) }

    /// What an earlier import of the file has left; `nil` where there is nothing to read.
    static func load(for file: String) throws -> ImportProgress? {
        guard let data = FileManager.default.contents(atPath: path(for: file)) else { return nil }
        guard let progress = try? JSONDecoder().decode(Self.self, from: data) else {
            throw CommandFailure(
                code: "import.progress", "cannot understand \(path(for: file))",
                hint: "delete it to begin again")
        }
        return progress
    }

    func save(for file: String) throws {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            try encoder.encode(self).write(to: URL(filePath: Self.path(for: file)), options: .atomic)
        } catch {
            throw CommandFailure(code: "file.unwritable", "cannot write \(Self.path(for: file))")
        }
    }

    static func remove(for file: String) { try? FileManager.default.removeItem(atPath: path(for: file)) }
}
