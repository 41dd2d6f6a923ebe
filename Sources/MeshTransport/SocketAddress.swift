public import MeshCore

internal import Glibc

/// Where a node listens: an IPv4 address, an IPv6 address or a host name, and a TCP port.
///
/// As text `127.0.0.1:7420`, `[::1]:7420` or `node.example:7420`. Whether a name means anything is
/// found out when it is dialled.
public struct SocketAddress: Hashable, Comparable, Sendable {
    /// The host without brackets; addresses are in the form the system prints them.
    public let host: String
    /// The TCP port; 0 means any when listening.
    public let port: UInt16

    /// Takes a host that was already checked.
    init(checkedHost host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[IPv6]:port`.
    ///
    /// - Throws: ``TransportFailure/addressInvalid`` with what is wrong.
    public init(_ text: String) throws(TransportError) {
        func refusal(_ why: String) -> TransportError {
            TransportError(
                .addressInvalid, "this is not an address: \(why)",
                hint: "write host:port, such as 127.0.0.1:7420, [::1]:7420 or node.example:7420")
        }
        guard text.utf8.count <= 300 else { throw refusal("it is longer than 300 bytes") }
        guard let colon = text.lastIndex(of: ":") else { throw refusal("the port is missing") }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits)
        else { throw refusal("the port must be a number from 0 to 65535") }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { throw refusal("the bracket is not closed before the port") }
            host = host.dropFirst().dropLast()
            guard let canonical = Self.canonical(String(host), family: AF_INET6) else {
                throw refusal("what stands in brackets is not an IPv6 address")
            }
            self.init(checkedHost: canonical, port: port)
            return
        }
        guard !host.contains(":") else { throw refusal("an IPv6 address must stand in brackets") }
        if host.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e }) {
            guard let canonical = Self.canonical(String(host), family: AF_INET) else {
                throw refusal("the host is not an IPv4 address")
            }
            self.init(checkedHost: canonical, port: port)
            return
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            host.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                            || (0x61...0x7a).contains(byte) || byte == 0x2d || byte == 0x5f
                    }
            }
        guard isName else { throw refusal("the host is neither an address nor a host name") }
        self.init(checkedHost: String(host).lowercased(), port: port)
    }

    public static func < (a: Self, b: Self) -> Bool { (a.host, a.port) < (b.host, b.port) }

    /// The address as the system prints it, or `nil` where it is none of that family.
    private static func canonical(_ text: String, family: Int32) -> String? {
        var binary = [UInt8](repeating: 0, count: 16)
        guard unsafe inet_pton(family, text, &binary) == 1 else { return nil }
        return HostBytes.text(binary, family: family)
    }
}

extension SocketAddress: CustomStringConvertible {
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// Printing of binary host addresses.
enum HostBytes {
    static func text(_ binary: [UInt8], family: Int32) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard unsafe inet_ntop(family, binary, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
