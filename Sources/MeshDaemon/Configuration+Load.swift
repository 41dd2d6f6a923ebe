internal import IPLD
internal import IdentityFiles
public import JSON5
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshIdentity
internal import MeshTransport

import FoundationEssentials

/// One thing that is wrong with a configuration.
public typealias ConfigurationFault = JSON5Fault

/// Everything that is wrong with a configuration; never empty.
public typealias ConfigurationError = JSON5Error

extension MeshConfiguration {
    /// The longest path that a Unix socket address holds.
    static let socketPathByteCountMax = 107

    /// Reads a configuration file.
    ///
    /// Relative paths inside the file are relative to its directory. `checkingFiles` says whether the
    /// files that it names must be there. Throws a ``ConfigurationError`` with every fault.
    public static func load(
        _ path: String, checkingFiles: Bool = true
    ) throws(ConfigurationError) -> MeshConfiguration {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(faults: [
                ConfigurationFault(
                    path: "", message: "cannot read \(path); `meshd init` writes one", position: nil)
            ])
        }
        guard data.count <= 1 << 20, let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError(faults: [
                ConfigurationFault(
                    path: "", message: "\(path) is not UTF-8 text of at most 1 MiB", position: nil)
            ])
        }
        let directory =
            path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
        return try MeshConfiguration(
            text: text, directory: directory.isEmpty ? "/" : directory, checkingFiles: checkingFiles)
    }

    /// Reads the text of a configuration.
    ///
    /// `directory` is what relative paths are relative to, and the default for `data`. Throws a
    /// ``ConfigurationError`` with every fault; only the first one where the text is not JSON5.
    public init(text: String, directory: String, checkingFiles: Bool = true) throws(ConfigurationError) {
        let tree: JSON5Value
        do throws(JSON5Error) {
            tree = try JSON5Parser.file(text)
        } catch {
            throw ConfigurationError(faults: error.faults)
        }
        let faults = FaultList()
        let root = ObjectReader(tree, path: "", faults: faults)
        func resolve(_ path: String) -> String { Self.resolve(path, in: directory) }

        name = Self.name(root)
        dataDirectory = resolve(root.text("data")?.text ?? ".")
        let identity = root.text("identity")
        identityPath = identity.map { resolve($0.text) } ?? dataDirectory + "/identity.pem"
        listen = Self.address(root.text("listen"), root.join("listen"), faults, lowest: 0) ?? "127.0.0.1:7420"
        advertise = root.texts("advertise").compactMap {
            Self.address(($0.text, $0.position), $0.path, faults, lowest: 1)
        }
        dialFrom = Self.host(root.text("dial_from"), root.join("dial_from"), faults)
        peers = Self.peers(root)
        admission = Self.admission(root.object("admission"))
        roles = Self.roles(root)
        federation = Self.federation(root)
        let control = root.object("control")
        let socket = control.text("socket")
        controlSocketPath = socket.map { resolve($0.text) } ?? dataDirectory + "/meshd.sock"
        let socketByteCount = controlSocketPath.utf8.count
        if socketByteCount > Self.socketPathByteCountMax {
            faults.add(
                "control.socket",
                "the path has \(socketByteCount) bytes, and a socket's may have \(Self.socketPathByteCountMax)",
                socket?.position ?? control.position ?? root.position)
        }
        control.finish()
        let capacity = root.object("capacity")
        let processors = ProcessInfo.processInfo.activeProcessorCount
        self.capacity = Capacity(
            cpu: capacity.integer("cpu", in: 0...4096) ?? processors,
            memoryMiB: capacity.integer("memory_mib", in: 0...1 << 30) ?? 1024,
            storageMiB: capacity.integer("storage_mib", in: 0...1 << 40) ?? 10_240)
        capacity.finish()
        let price = root.object("price")
        computePrice = price.integer("compute", in: 0...1 << 40) ?? 500
        price.finish()
        location = root.text("location")?.text
        labels = root.labels("labels")
        let runtime = root.object("runtime")
        let library = runtime.text("wasmtime_library")
        self.runtime = Runtime(
            wasmtimeLibraryPath: library.map { resolve($0.text) },
            workers: runtime.integer("workers", in: 0...256) ?? max(1, processors),
            moduleByteCountMax: runtime.integer("module_bytes_max", in: 1...1 << 30) ?? 16 << 20,
            compileMillisecondsMax: runtime.integer("compile_ms_max", in: 1...3_600_000) ?? 10_000)
        runtime.finish()
        let store = root.object("store")
        self.store = Store(
            mapByteCountMax: store.integer("map_bytes_max", in: 1 << 20...1 << 46) ?? 16 << 30,
            archive: store.boolean("archive", false))
        store.finish()
        let log = root.object("log")
        self.log = Log(level: log.choice("level", .info), format: log.choice("format", .text))
        log.finish()
        root.finish()

        if checkingFiles {
            do throws(IdentityFileError) {
                let key = try IdentityFile.load(identityPath)
                Self.checkHolder(admission, of: Identity(key).did, root, faults)
            } catch {
                faults.add("identity", error.description, identity?.position)
            }
            if let library, !FileManager.default.fileExists(atPath: resolve(library.text)) {
                faults.add(
                    "runtime.wasmtime_library", "there is no \(resolve(library.text))", library.position)
            }
        }
        if !faults.faults.isEmpty {
            throw ConfigurationError(
                faults: faults.faults.sorted { first, second in
                    let first = first.position ?? TextPosition(line: 0, column: 0)
                    let second = second.position ?? TextPosition(line: 0, column: 0)
                    return (first.line, first.column) < (second.line, second.column)
                })
        }
    }

    /// `path` as seen from `directory`, with `~/` as the home directory.
    static func resolve(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") { return path }
        if path.hasPrefix("~/"), let home = ProcessInfo.processInfo.environment["HOME"] {
            return home + path.dropFirst()
        }
        if path == "." || path == "./" { return directory }
        let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return directory == "/" ? "/" + relative : directory + "/" + relative
    }

    private static func name(_ root: ObjectReader) -> String {
        guard let (text, position) = root.text("name") else { return "mesh-node" }
        if text.isEmpty || text.utf8.count > 64 || text.contains(where: { $0.isWhitespace || $0 == "/" }) {
            root.faults.add("name", "must have 1 to 64 bytes, without blanks or slashes", position)
        }
        return text
    }

    /// Checks `host:port`, with IPv6 in brackets.
    private static func address(
        _ value: (text: String, position: TextPosition)?, _ path: String, _ faults: FaultList, lowest: Int
    ) -> String? {
        guard let (text, position) = value else { return nil }
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = Int(text[text.index(after: colon)...]), (lowest...65_535).contains(port),
            text.first == "[" ? text[..<colon].last == "]" : !text[..<colon].contains(":")
        else {
            faults.add(path, "“\(text)” is not host:port", position)
            return nil
        }
        return text
    }

    /// Checks an address without a port, such as `10.0.0.7` or `[fd00::7]`.
    private static func host(
        _ value: (text: String, position: TextPosition)?, _ path: String, _ faults: FaultList
    ) -> String? {
        guard let (text, position) = value else { return nil }
        guard !text.isEmpty,
            text.first == "[" || text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e }),
            (try? SocketAddress(text + ":0")) != nil
        else {
            faults.add(path, "“\(text)” is not an IP address", position)
            return nil
        }
        return text
    }

    private static func did(
        _ value: (text: String, position: TextPosition)?, _ path: String, _ faults: FaultList
    ) -> DID? {
        guard let (text, position) = value else { return nil }
        if let did = DID(text) { return did }
        faults.add(path, "“\(text)” is not a did:key of an Ed25519 key (did:key:z6Mk…)", position)
        return nil
    }

    private static func peers(_ root: ObjectReader) -> [Peer] {
        root.list("peers").compactMap { path, value in
            let peer = ObjectReader(value, path: path, faults: root.faults)
            defer { peer.finish() }
            let text = peer.text("address")
            if text == nil, case .object = value.content, !peer.has("address") {
                root.faults.add(path, "lacks its address", value.position)
            }
            let identity = did(peer.text("did"), peer.join("did"), root.faults)
            return address(text, peer.join("address"), root.faults, lowest: 1).map {
                Peer(address: $0, did: identity)
            }
        }
    }

    private static func admission(_ reader: ObjectReader) -> Admission {
        let invite = reader.text("invite")
        let admission = Admission(
            mode: reader.choice("mode", .open),
            allow: reader.texts("allow").compactMap { did(($0.text, $0.position), $0.path, reader.faults) },
            invite: invite?.text)
        reader.finish()
        // One that has expired is fine: whoever is in by it stays in.
        if let invite, SignedInvite(text: invite.text, verifier: Ed25519Verifier()) == nil {
            reader.faults.add(
                reader.join("invite"),
                "is not an invitation (\(InviteTicket.prefix)…) that its inviter has signed; it may have been cut off",
                invite.position)
        }
        return admission
    }

    /// An invitation that is for another node's key lets nobody in.
    private static func checkHolder(
        _ admission: Admission, of did: DID, _ root: ObjectReader, _ faults: FaultList
    ) {
        guard let text = admission.invite,
            let holder = SignedInvite(text: text, verifier: Ed25519Verifier())?.ticket.holder, holder != did
        else { return }
        faults.add(
            "admission.invite", "is for \(holder), and this node's key is that of \(did)", root.position)
    }

    private static func roles(_ root: ObjectReader) -> [Role] {
        guard root.has("roles") else {
            _ = root.value("roles")
            return Role.allCases
        }
        var roles: Set<Role> = []
        for (path, text, position) in root.texts("roles") {
            if let role = Role(rawValue: text) {
                roles.insert(role)
            } else {
                root.refuse(text, at: path, position, choices: Role.allCases.map(\.rawValue))
            }
        }
        return Role.allCases.filter(roles.contains)
    }

    private static func federation(_ root: ObjectReader) -> Federation {
        guard let value = root.value("federation") else { return .none }
        let faults = root.faults
        let reader = ObjectReader(value, path: "federation", faults: faults)
        defer { reader.finish() }
        let trust = reader.text("trust")
        let name = reader.text("name")?.text
        let threshold = reader.integer("threshold", in: 1...1024)
        var members: [Federation.Member] = []
        for (path, value) in reader.list("members") {
            let member = ObjectReader(value, path: path, faults: faults)
            defer { member.finish() }
            let text = member.text("did")
            let organisation = member.text("organisation")?.text
            guard let did = did(text, member.join("did"), faults) else {
                if text == nil, !member.has("did") { faults.add(path, "lacks its did", value.position) }
                continue
            }
            if members.contains(where: { $0.did == did }) {
                faults.add(member.join("did"), "is a member already", text?.position)
            } else {
                members.append(Federation.Member(did: did, organisation: organisation))
            }
        }
        if let trust {
            if ["name", "members", "threshold"].contains(where: reader.has) {
                faults.add("federation", "takes either trust or name, members and threshold", value.position)
            }
            if let cid = try? CID(trust.text), cid.codec == .dagCBOR { return .pinned(cid) }
            faults.add("federation.trust", "“\(trust.text)” is not the CID of a bundle", trust.position)
            return .none
        }
        for key in ["name", "members", "threshold"] where !reader.has(key) {
            faults.add("federation", "lacks \(key) (or trust, the CID of a bundle)", value.position)
        }
        guard let name, let threshold, !members.isEmpty else { return .none }
        let listed = reader.has("members") ? members.count : 0
        if threshold > listed - 1 {
            faults.add(
                "federation.threshold",
                "\(threshold) of \(listed) members cannot be reached, since an executor never counts for itself;"
                    + " \(max(0, listed - 1)) is the most", value.position)
        }
        return .genesis(name: name, members: members.sorted { $0.did < $1.did }, threshold: threshold)
    }
}
