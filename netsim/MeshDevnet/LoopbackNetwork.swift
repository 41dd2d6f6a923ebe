internal import Glibc

/// The loopback addresses of a network of nodes on this machine.
///
/// All of 127.0.0.0/8 is this machine. Each node dials from, and listens on, an address of its own, so
/// that a relay in front of the target sees who dials; each lies in a /24 of its own, because nodes count
/// what comes from one.
public enum LoopbackNetwork {
    static let nodeCountMax = 5_000
    /// Where relays listen.
    static let relayHost = "127.0.0.1"
    private static let first: UInt8 = 77
    private static let perByte = 250

    /// The address of node `index`.
    public static func host(of index: Int) -> String {
        let bytes = bytes(of: index)
        return "\(bytes[0]).\(bytes[1]).\(bytes[2]).\(bytes[3])"
    }

    static func bytes(of index: Int) -> [UInt8] {
        [127, first + UInt8(index / perByte), UInt8(1 + index % perByte), 1]
    }

    /// The node that has the address, if any has.
    static func index(of bytes: [UInt8]) -> Int? {
        guard bytes.count == 4, bytes[0] == 127, bytes[3] == 1, bytes[1] >= first, bytes[2] >= 1,
            Int(bytes[2]) <= perByte
        else { return nil }
        return Int(bytes[1] - first) * perByte + Int(bytes[2]) - 1
    }
}

/// A failure of the network of nodes itself, in one sentence.
public struct DevnetError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }

    /// What the system said about `what`.
    static func system(_ what: String) -> DevnetError {
        DevnetError("\(what): \(unsafe String(cString: strerror(errno)))")
    }
}
