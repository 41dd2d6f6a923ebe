/// The part of a public address that one owner is likely to hold whole: an IPv4 /16 or an IPv6 /32.
///
/// Host names, loopback, link-local and private addresses have none: whoever has many of those sits in
/// our own network, and counting them would only keep small meshes from being complete.
struct OverlayPrefix: Hashable, Sendable {
    private let bits: UInt32
    private let isVersion6: Bool

    /// Reads `1.2.3.4:port` or `[2001:db8::1]:port`.
    init?(_ address: String) {
        let text = address.utf8
        if text.first == UInt8(ascii: "[") {
            self.init(version6: String(address.dropFirst().prefix { $0 != "]" }))
        } else {
            self.init(version4: String(address.prefix { $0 != ":" }))
        }
    }

    private init(bits: UInt32, isVersion6: Bool) {
        self.bits = bits
        self.isVersion6 = isVersion6
    }

    private init?(version4 host: String) {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard let octet = UInt8(part) else { return nil }
            octets.append(octet)
        }
        switch (octets[0], octets[1]) {
        case (0, _), (10, _), (127, _), (169, 254), (192, 168), (172, 16...31), (100, 64...127): return nil
        default: break
        }
        self.init(bits: UInt32(octets[0]) << 8 | UInt32(octets[1]), isVersion6: false)
    }

    private init?(version6 host: String) {
        let lowered = host.lowercased()
        if lowered.hasPrefix("::ffff:") {
            self.init(version4: String(lowered.dropFirst(7)))
            return
        }
        let groups = lowered.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count >= 3, let first = UInt16(groups[0], radix: 16) else { return nil }
        // fc00::/7 is private, fe80::/10 is link-local.
        guard first & 0xfe00 != 0xfc00, first & 0xffc0 != 0xfe80 else { return nil }
        self.init(bits: UInt32(first) << 16 | UInt32(UInt16(groups[1], radix: 16) ?? 0), isVersion6: true)
    }
}
