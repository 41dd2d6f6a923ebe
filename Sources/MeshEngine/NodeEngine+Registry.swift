internal import MeshRuntime
internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

/// What is known of federations.
struct FederationState: Sendable {
    struct KnownEntry: Sendable {
        let cid: CID
        let anchor: CID
        let position: EntryPosition
        let signers: [DID]
    }

    /// By body CID.
    var bundles: [CID: FederationBundle] = [:]
    /// The published entries of each bundle, in the order of their positions.
    var entries: [CID: [KnownEntry]] = [:]
    /// Signatures that members have sent for our own bundle and that are not published yet.
    var signatures: [DID: [UInt8]] = [:]
    var publishAt: Timestamp?

    /// The first entry under which enough members have put their names.
    func complete(_ body: CID) -> KnownEntry? {
        guard let bundle = bundles[body] else { return nil }
        return entries[body]?.first { UInt64($0.signers.count) >= bundle.threshold }
    }
}

// Small folds: who the nodes are, and which bundles there are. Rows are keyed by position, so that
// the newest profile is the last row and a frozen suffix is taken back by deleting its rows.
extension NodeEngine {
    private static func profileKey(_ position: EntryPosition) -> [UInt8] {
        var key = Array("profile".utf8)
        position.author.publicKey.append(to: &key)
        key.append(bigEndian: position.seq)
        key.append(bigEndian: UInt64(position.index))
        return key
    }

    private static func bundleKey(_ body: CID, _ position: EntryPosition) -> [UInt8] {
        var key = Array("bundle".utf8)
        body.digest.append(to: &key)
        position.author.publicKey.append(to: &key)
        key.append(bigEndian: position.seq)
        key.append(bigEndian: UInt64(position.index))
        return key
    }

    /// Reads profiles and bundles back, and brings in the bundle that the configuration describes.
    mutating func restoreRegistry(_ storage: any StorageWriter, now: Timestamp) throws(StorageError) {
        var rows: [(row: JobTable.Row, entry: Entry)] = []
        try storage.scan(.registry, prefix: []) { _, value throws(StorageError) in
            guard let row = Self.registryRow(value), let bytes = try storage.block(row.cid),
                let entry = try? Entry(decoding: bytes)
            else { throw StorageError(.corrupt, "a registry row cannot be read") }
            rows.append((row, entry))
            return true
        }
        if let bundle = settings.federation {
            federation.bundles[bundle.cid] = bundle
            if try !storage.hasBlock(bundle.cid) { try storage.putBlock(bundle.encoded, cid: bundle.cid) }
            if bundle.member(signer.did) != nil {
                federation.signatures[signer.did] =
                    BundleEntry.signatureEnvelope(bundle.cid, by: signer).signature
            }
        }
        for (row, entry) in rows {
            switch entry {
            case .profile(let profile): remember(profile, at: row.position)
            case .bundle(let bundle):
                try remember(bundle, cid: row.cid, anchor: row.anchor, row.position, storage)
            default: break
            }
        }
    }

    private func registryValue(_ cid: CID, _ anchor: CID, _ position: EntryPosition) -> [UInt8] {
        JobTable.Row.key(cid, .manifest, position)
            + JobTable.Row(cid: cid, anchor: anchor, position: position).value
    }

    /// Reads back what ``registryValue(_:_:_:)`` has written: a row's key, then its value.
    private static func registryRow(_ value: [UInt8]) -> JobTable.Row? {
        let count = JobTable.Row.keyByteCount
        return JobTable.Row(key: Array(value.prefix(count)), value: Array(value.dropFirst(count)))
    }

    // MARK: Profiles

    mutating func foldProfile(
        _ profile: NodeProfile, cid: CID, position: EntryPosition, _ step: Step
    ) throws(StorageError) {
        try step.storage.put(
            registryValue(cid, cid, position), forKey: Self.profileKey(position), in: .registry)
        remember(profile, at: position)
    }

    private mutating func remember(_ profile: NodeProfile, at position: EntryPosition) {
        if let known = profiles[position.author], position < known.position { return }
        profiles[position.author] = KnownProfile(position: position, profile: profile)
    }

    /// Publishes who we are, unless the newest profile in our feed says it already.
    ///
    /// A node without roles offers nothing that anybody could choose it for: it publishes a profile only to
    /// take back an earlier one, and costs the others no feed.
    mutating func announceProfile(_ storage: any StorageReader) throws(StorageError) {
        if settings.roles.isEmpty, profiles[signer.did] == nil { return }
        let profile = NodeProfile(
            name: settings.name, roles: settings.roles, addresses: settings.addresses,
            capacity: settings.capacity,
            languages: settings.engine?.languages ?? [],
            engines: settings.engine.map { [$0] } ?? [],
            location: settings.location, labels: settings.labels, computePrice: settings.computePrice)
        guard profiles[signer.did]?.profile != profile else { return }
        pending.append(profile.encoded)
        pendingSince = started
    }

    // MARK: Bundles

    mutating func foldBundle(
        _ record: BundleEntry, cid: CID, anchor: CID, position: EntryPosition, _ step: Step
    ) throws(StorageError) {
        try step.storage.put(
            registryValue(cid, anchor, position), forKey: Self.bundleKey(record.body, position), in: .registry
        )
        try remember(record, cid: cid, anchor: anchor, position, step.storage)
        for job in live.keys.sorted() { touch(job) }
    }

    private mutating func remember(
        _ record: BundleEntry, cid: CID, anchor: CID, _ position: EntryPosition, _ storage: any StorageReader
    ) throws(StorageError) {
        if federation.bundles[record.body] == nil {
            guard let bytes = try storage.block(record.body),
                let bundle = try? FederationBundle(decoding: bytes)
            else {
                return
            }
            federation.bundles[record.body] = bundle
        }
        guard let bundle = federation.bundles[record.body] else { return }
        let entry = FederationState.KnownEntry(
            cid: cid, anchor: anchor, position: position,
            signers: record.signers(of: bundle, verifier: verifier))
        var entries = federation.entries[record.body] ?? []
        guard !entries.contains(where: { $0.position == position }) else { return }
        entries.append(entry)
        federation.entries[record.body] = entries.sorted { $0.position < $1.position }
    }

    mutating func removeFromRegistry(
        _ entry: Entry, cid: CID, position: EntryPosition, _ step: Step
    ) throws(StorageError) {
        switch entry {
        case .profile:
            try step.storage.remove(Self.profileKey(position), in: .registry)
            guard profiles[position.author]?.position == position else { return }
            profiles[position.author] = nil
            var newest: [UInt8]?
            try step.storage.scan(
                .registry, prefix: Array("profile".utf8) + position.author.publicKey.bytes, from: [],
                reversed: true
            ) { _, value in
                newest = value
                return false
            }
            if let newest, let row = Self.registryRow(newest), let bytes = try step.storage.block(row.cid),
                case .profile(let profile)? = try? Entry(decoding: bytes)
            {
                remember(profile, at: row.position)
            }
        case .bundle(let record):
            try step.storage.remove(Self.bundleKey(record.body, position), in: .registry)
            federation.entries[record.body]?.removeAll { $0.position == position }
        default: break
        }
    }

    /// Tells a new neighbour who stands by our bundle, as far as we know; what it has not heard spreads.
    mutating func offerBundleSignatures(to link: PeerLink, _ step: Step) throws(StorageError) {
        guard let bundle = settings.federation,
            federation.complete(bundle.cid)?.signers.count != bundle.members.count
        else { return }
        for did in federation.signatures.keys.sorted() {
            guard let signature = federation.signatures[did] else { continue }
            let envelope = BundleEntry.signatureEnvelope(bundle.cid, by: did, signature: signature)
            try tell(.offer(envelope: envelope.bytes, to: link), step)
        }
    }

    mutating func takeBundleSignature(_ body: CID, _ envelope: Envelope, _ step: Step) {
        guard let bundle = settings.federation, body == bundle.cid,
            let member = bundle.members.first(where: { verifier.isSigned(envelope, by: $0.did) })
        else { return }
        federation.signatures[member.did] = envelope.signature
        guard federation.complete(body) == nil, UInt64(federation.signatures.count) >= bundle.threshold,
            bundle.member(signer.did) != nil
        else { return }
        // The first member to hold enough publishes; the others give it a moment.
        if federation.signatures.count == bundle.members.count || bundle.members.first?.did == signer.did {
            federation.publishAt = step.now
        } else if federation.publishAt == nil {
            federation.publishAt = step.now + 500
        }
        publishBundleIfDue(step)
    }

    mutating func publishBundleIfDue(_ step: Step) {
        guard let due = federation.publishAt, due <= step.now, let bundle = settings.federation else {
            return
        }
        federation.publishAt = nil
        guard federation.complete(bundle.cid) == nil else { return }
        let signatures = federation.signatures.sorted { $0.key < $1.key }.map {
            BundleEntry.Signature(did: $0.key, signature: $0.value)
        }
        publish(BundleEntry(body: bundle.cid, signatures: signatures).encoded, step)
    }
}
