/// A place on the web that a webhook may have: `http` or `https`, a host, perhaps a port, a path and a query.
///
/// Nothing is normalised. What programs read differently is refused instead: user info, fragments, `.` and `..`, empty
/// parts of a path, escaped dots and slashes, capital letters in a host, and whatever is no URL of RFC 3986.
public struct WebhookURL: Sendable, Hashable, CustomStringConvertible {
    /// The most bytes of a URL.
    public static let lengthMax = 2048

    public let description: String
    let isSecure: Bool
    let host: String
    let port: Int
    /// With its slash in front; empty where the URL ends with its host.
    let path: String
    /// Whether a query follows the path.
    public let hasQuery: Bool

    /// Reads a URL; `nil` for anything odd.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.lengthMax else { return nil }
        description = text
        let rest: Substring
        if text.hasPrefix("https://") {
            (isSecure, rest) = (true, text.dropFirst(8))
        } else if text.hasPrefix("http://") {
            (isSecure, rest) = (false, text.dropFirst(7))
        } else {
            return nil
        }
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let (host, port) = Self.authority(rest[..<authorityEnd]) else { return nil }
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
        let pathEnd = rest[authorityEnd...].firstIndex(of: "?") ?? rest.endIndex
        path = String(rest[authorityEnd..<pathEnd])
        hasQuery = pathEnd < rest.endIndex
        guard Self.isPlainPath(path), Self.isText(rest[pathEnd...], also: "/?") else { return nil }
    }

    /// Whether `other` is this place or lies below it, at a slash.
    ///
    /// A place with a query has nothing below it.
    public func contains(_ other: WebhookURL) -> Bool {
        guard other.isSecure == isSecure, other.host == host, other.port == port else { return false }
        if hasQuery { return other == self }
        if other.path == path { return true }
        return other.path.hasPrefix(path.hasSuffix("/") ? path : path + "/")
    }

    private static func authority(_ text: Substring) -> (host: String, port: Int?)? {
        var host = text
        var port: Int?
        let hostEnd = text.hasPrefix("[") ? text.lastIndex(of: "]") : text.startIndex
        guard let hostEnd else { return nil }
        if let colon = text[hostEnd...].firstIndex(of: ":") {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != "0",
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            host = text[..<colon]
            port = number
        }
        let isAddress = host.hasPrefix("[")
        let name = isAddress ? host.dropFirst().dropLast() : host
        guard !name.isEmpty, !isAddress || host.hasSuffix("]"), name.utf8.count <= 255 else { return nil }
        let fits = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x66, 0x2E: true
            case 0x67...0x7A, 0x2D: !isAddress
            case 0x3A: isAddress
            default: false
            }
        }
        return fits ? (String(host), port) : nil
    }

    private static func isPlainPath(_ path: String) -> Bool {
        guard isText(path[...], also: "/") else { return false }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        // The last part alone may be empty: a slash at the end.
        guard !parts.dropLast().contains(""), !parts.contains("."), !parts.contains("..") else {
            return false
        }
        let folded = path.lowercased()
        return !["%2e", "%2f", "%5c"].contains { folded.contains($0) }
    }

    /// Whether the text is made of what RFC 3986 lets stand in a part of a path, and of `extra`.
    private static func isText(_ text: Substring, also extra: String) -> Bool {
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: break
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, isDigit(bytes[index + 1]), isDigit(bytes[index + 2]),
                    // Control characters stay out, escaped as well.
                    !(bytes[index + 1] == 0x30 || bytes[index + 1] == 0x31)
                else { return false }
                index += 2
            default:
                guard "-._~!$&'()*+,;=:@".utf8.contains(byte) || extra.utf8.contains(byte) else {
                    return false
                }
            }
            index += 1
        }
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}
