public import IPLD
internal import MeshCore

/// The name of a job that people see: a UUID of version 8 (RFC 9562) made of the first 16 bytes of
/// the manifest's digest.
public struct JobID: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let manifest: CID

    public init(manifest: CID) {
        self.manifest = manifest
    }

    /// Lower-case hexadecimal in groups of 8, 4, 4, 4 and 12.
    public var description: String {
        var bytes = Array(manifest.digest.bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            for digit in [byte >> 4, byte & 15] { text.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }

    /// The digits of `text` as far as they agree with the digest's own: what to look a job up by.
    ///
    /// - Returns: Up to 12 hexadecimal digits; `nil` for text that cannot begin a job id.
    public static func searchDigits(_ text: String) -> String? {
        let digits = text.lowercased().filter { $0 != "-" }
        guard !digits.isEmpty, digits.count <= 32, digits.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
            return nil
        }
        return String(digits.prefix(12))
    }

    /// Whether this id begins with `text`, hyphens ignored.
    public func begins(with text: String) -> Bool {
        description.filter { $0 != "-" }.hasPrefix(text.lowercased().filter { $0 != "-" })
    }
}
