internal import IPLD
internal import MeshCore
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

// What people's words for jobs and nodes mean.
extension NodeEngine {
    static func unknownJob(_ text: String) -> Refused {
        Refused(
            404, "job.unknown", "no job \"\(text.prefix(80))\" is known here",
            hint: "meshctl list shows the known ones")
    }

    /// The job that a UUID, a manifest CID, or a prefix of the UUID means.
    func resolveJob(_ text: String, _ step: Step) throws -> CID {
        if text.hasPrefix("b"), let cid = try? CID(text) {
            let rows = try rows(under: cid.digest.bytes, step)
            if rows.contains(cid) { return cid }
            throw Self.unknownJob(text)
        }
        guard let digits = JobID.searchDigits(text), digits.count >= 4,
            let prefix = Hexadecimal.decode(String(digits.prefix(digits.count & ~1)))
        else {
            throw Refused(
                404, "job.unknown", "\"\(text.prefix(80))\" is not a job id",
                hint: "use the UUID, at least its first four digits, or the manifest's CID")
        }
        let found = try rows(under: prefix, step).filter { JobID(manifest: $0).begins(with: text) }
        if found.count > 1 {
            throw Refused(
                409, "job.ambiguous",
                "\"\(text)\" may mean \(found.prefix(8).map { JobID(manifest: $0).description }.joined(separator: ", "))"
            )
        }
        guard let only = found.first else { throw Self.unknownJob(text) }
        return only
    }

    private func rows(under prefix: [UInt8], _ step: Step) throws -> [CID] {
        var found: [CID] = []
        try step.storage.scan(.jobEntries, prefix: prefix) { key, _ in
            if key.count == JobTable.Row.keyByteCount, key[32] == JobTable.Kind.manifest.rawValue {
                let cid = CID(codec: .dagCBOR, digest: Bytes32(key))
                if found.last != cid { found.append(cid) }
            }
            return found.count < 64
        }
        return found
    }

    /// The node that a name, a DID or a prefix of either means.
    func resolveNode(_ text: String) throws(Refused) -> DID {
        var known = Set(profiles.keys)
        known.insert(signer.did)
        if let did = DID(text) { return did }
        let exact = known.filter { name(of: $0) == text }.sorted()
        let found =
            exact.isEmpty
            ? known.filter {
                name(of: $0).hasPrefix(text) || $0.description.hasPrefix(text)
                    || $0.description.dropFirst("did:key:".count).hasPrefix(text)
            }.sorted() : exact
        if found.count > 1 {
            throw Refused(
                409, "node.ambiguous",
                "\"\(text)\" may mean \(found.map { "\(name(of: $0)) (\($0))" }.joined(separator: ", "))")
        }
        guard let only = found.first, !text.isEmpty else {
            throw Refused(
                404, "node.unknown", "no node \"\(text.prefix(80))\" is known here",
                hint: "meshctl list-nodes shows the known ones")
        }
        return only
    }
}
