public import MeshCore

/// Whether `text` can be the name of a file everywhere: letters and digits of ASCII, `.`, `_` and `-`, at
/// most `lengthMax` bytes, and not beginning with `.` or `-`.
///
/// No such name is `.` or `..`, and none hides a file or passes for an option; what the store keeps for
/// itself begins with a dot.
private func isSafeFileName(_ text: some StringProtocol, lengthMax: Int) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, bytes.count <= lengthMax, first != UInt8(ascii: "."),
        first != UInt8(ascii: "-")
    else { return false }
    return bytes.allSatisfy(isSafe)
}

/// Whether a byte may stand in a safe file name.
@inline(__always)
func isSafe(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
    default: false
    }
}

private func badName(_ kind: String, _ text: String, _ lengthMax: Int) -> ExecutionError {
    ExecutionError(
        .badName, "\"\(text.prefix(80))\" is no \(kind)",
        hint: "letters, digits, '.', '_' and '-', at most \(lengthMax), beginning with none of '.' and '-'")
}

/// What an execution is called, everywhere and for ever; a safe file name of up to 64 bytes.
public struct ExecutionUID: Hashable, Comparable, Sendable, CustomStringConvertible {
    static let lengthMax = 64
    public let description: String

    /// - Throws: ``ExecutionFailure/badName``.
    public init(_ text: String) throws(ExecutionError) {
        guard isSafeFileName(text, lengthMax: Self.lengthMax) else {
            throw badName("uid", text, Self.lengthMax)
        }
        description = text
    }

    init(checked text: String) { description = text }

    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }
}

/// The name of a protocol, such as `mesh.job`; a safe file name of up to 128 bytes.
///
/// `log` is refused: the root's own executions lie beside the global log.
public struct ProtocolName: Hashable, Comparable, Sendable, CustomStringConvertible {
    static let lengthMax = 128
    public let description: String

    /// - Throws: ``ExecutionFailure/badName``.
    public init(_ text: String) throws(ExecutionError) {
        guard isSafeFileName(text, lengthMax: Self.lengthMax), text != "log" else {
            throw badName("protocol", text, Self.lengthMax)
        }
        description = text
    }

    init(checked text: String) { description = text }

    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }
}

/// What a snapshot is called: `start`, `end`, a step's name or a sequence number; up to 64 bytes.
public struct SnapshotLabel: Hashable, Comparable, Sendable, CustomStringConvertible {
    static let lengthMax = 64
    public let description: String

    /// The document after the outer context has put its inputs together.
    public static let start = SnapshotLabel(checked: "start")
    /// The document when processing is over, well or badly.
    public static let end = SnapshotLabel(checked: "end")

    /// - Throws: ``ExecutionFailure/badName``.
    public init(_ text: String) throws(ExecutionError) {
        guard isSafeFileName(text, lengthMax: Self.lengthMax) else {
            throw badName("label", text, Self.lengthMax)
        }
        description = text
    }

    /// The label of the `number`th operation, padded so that names sort as numbers do.
    public init(sequence number: UInt32) {
        let text = String(number)
        description = String(repeating: "0", count: max(0, 6 - text.utf8.count)) + text
    }

    private init(checked text: String) { description = text }

    /// The name of its file.
    public var fileName: String { description + ".json" }

    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }
}
