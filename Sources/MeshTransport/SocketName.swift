internal import Glibc

/// The kernel's form of a socket address, of either family.
struct SocketName {
    private var storage: sockaddr_storage
    private var length: socklen_t

    /// The binary form of a numeric address; `nil` for a host name.
    init?(numeric address: SocketAddress) {
        storage = sockaddr_storage()
        if address.host.contains(":") {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = address.port.bigEndian
            guard unsafe inet_pton(AF_INET6, address.host, &name.sin6_addr) == 1 else { return nil }
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe $0.storeBytes(of: name, as: sockaddr_in6.self)
            }
        } else {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = address.port.bigEndian
            guard unsafe inet_pton(AF_INET, address.host, &name.sin_addr) == 1 else { return nil }
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe $0.storeBytes(of: name, as: sockaddr_in.self)
            }
        }
    }

    /// What a system call wrote; the body returns whether it succeeded.
    init?(filledBy body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool) {
        storage = sockaddr_storage()
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var length = length
        let done = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, &length) }
        }
        guard done else { return nil }
        self.length = length
    }

    /// Every address of a host name, in the system's order; blocks while the system looks it up.
    static func resolve(_ address: SocketAddress) -> [SocketName] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(address.host, String(address.port), &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var names: [SocketName] = []
        var next = unsafe list
        while let entry = unsafe next, names.count < 8 {
            let source = unsafe entry.pointee.ai_addr
            let size = unsafe entry.pointee.ai_addrlen
            let name = unsafe SocketName { target, length in
                guard let source = unsafe source, size <= MemoryLayout<sockaddr_storage>.size else {
                    return false
                }
                unsafe UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: Int(size))
                unsafe length.pointee = size
                return true
            }
            if let name { names.append(name) }
            unsafe next = entry.pointee.ai_next
        }
        return names
    }

    var family: Int32 { Int32(storage.ss_family) }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    /// The 4 or 16 address bytes.
    private var hostBytes: [UInt8] {
        unsafe withUnsafeBytes(of: storage) { raw in
            unsafe family == AF_INET6 ? Array(raw[8..<24]) : Array(raw[4..<8])
        }
    }

    /// The form people read.
    var address: SocketAddress {
        let port = unsafe withUnsafeBytes(of: storage) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
        return SocketAddress(checkedHost: HostBytes.text(hostBytes, family: family) ?? "?", port: port)
    }

    /// What handshakes are counted against: the /24 of an IPv4 address, the /64 of an IPv6 one.
    var prefix: [UInt8] { Array(hostBytes.prefix(family == AF_INET6 ? 8 : 3)) }
}
