internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

/// A blob that is being fetched from peers, one after the other.
struct Fetch: Sendable {
    static let retryMilliseconds: Int64 = 1_000

    /// The jobs that need it.
    var jobs: [CID] = []
    /// Control requests that wait for it.
    var isWantedByControl = false
    var preferred: DID?
    var asked: [PeerLink] = []
    /// Who has been asked and has not answered.
    var awaited: PeerLink?
    var next: Timestamp
    /// Its bytes are on their way into the store.
    var isStoring = false
}

extension NodeEngine {
    static let fetchCountMax = 4096
    /// How many blobs are asked of one peer at a time; each may be a mebibyte.
    static let fetchesPerLinkMax = 4
    /// How much is sent for one want-list; whoever wants more asks again.
    static let servedByteCountMax = 4 << 20

    /// The blocks of these blobs that are not here; lists are followed as far as they are.
    func missingBlobs(_ cids: [CID], _ step: Step) throws(StorageError) -> [CID] {
        var missing: [CID] = []
        var queue = cids
        var visited = 0
        while let cid = queue.popLast(), missing.count < 64, visited < 65_536 {
            visited += 1
            if cid.codec == .dagCBOR {
                guard let bytes = try step.blobs.blob(cid) else {
                    missing.append(cid)
                    continue
                }
                if let list = try? BlobList(decoding: bytes) {
                    queue.append(contentsOf: list.chunks.map(\.cid))
                }
            } else if try !step.blobs.hasBlob(cid) {
                missing.append(cid)
            }
        }
        return missing
    }

    /// Asks for blobs that a job needs, first of `preferred`.
    mutating func fetch(_ cids: [CID], for job: CID?, from preferred: DID?, _ step: Step) throws(StorageError)
    {
        for cid in cids {
            if fetches[cid] == nil {
                guard fetches.count < Self.fetchCountMax else { continue }
                fetches[cid] = Fetch(preferred: preferred, next: step.now + Fetch.retryMilliseconds)
            }
            if let job, fetches[cid]?.jobs.contains(job) == false { fetches[cid]?.jobs.append(job) }
            if job == nil { fetches[cid]?.isWantedByControl = true }
            if fetches[cid]?.awaited == nil { try askForBlob(cid, step) }
        }
        if let job { wakes.schedule(job, at: step.now + Fetch.retryMilliseconds) }
    }

    private mutating func askForBlob(_ cid: CID, _ step: Step) throws(StorageError) {
        guard let fetch = fetches[cid], !fetch.isStoring else { return }
        var links = gossip.linkedPeers.map(\.link)
        if let preferred = fetch.preferred {
            if let link = gossip.link(to: preferred) {
                links.removeAll { $0 == link }
                links.insert(link, at: 0)
            } else if fetch.asked.isEmpty {
                try tell(.reach(preferred), step)
            }
        }
        // Once everyone has been asked nobody is, until the next retry starts over.
        guard let link = links.first(where: { !fetch.asked.contains($0) }) else { return }
        // A few at a time from one peer: what it sends must fit into its queue for us.
        guard fetches.count(where: { $0.value.awaited == link }) < Self.fetchesPerLinkMax else { return }
        fetches[cid]?.asked.append(link)
        fetches[cid]?.awaited = link
        fetches[cid]?.next = step.now + Fetch.retryMilliseconds
        let frame = Frame.wantBlocks([cid])
        effects.append(.send([link], frame.type, body: frame.encoded))
    }

    /// Asks for blobs that had to wait for others to come.
    private mutating func askForMore(_ step: Step) throws(StorageError) {
        for cid in fetches.keys.sorted() where fetches[cid]?.awaited == nil { try askForBlob(cid, step) }
    }

    mutating func retryFetches(_ step: Step) throws(StorageError) {
        guard !fetches.isEmpty else { return }
        for cid in fetches.keys.sorted() {
            guard let fetch = fetches[cid], fetch.next <= step.now, !fetch.isStoring else { continue }
            if fetch.jobs.allSatisfy({ live[$0] == nil }), !fetch.isWantedByControl {
                fetches[cid] = nil
                continue
            }
            fetches[cid]?.next = step.now + Fetch.retryMilliseconds
            fetches[cid]?.awaited = nil
            let asked = fetch.asked
            if gossip.linkedPeers.allSatisfy({ asked.contains($0.link) }) { fetches[cid]?.asked = [] }
            try askForBlob(cid, step)
        }
    }

    /// A peer has answered for one block.
    mutating func blockArrived(
        _ cid: CID, _ bytes: [UInt8]?, from link: PeerLink, _ step: Step
    ) throws(StorageError) {
        if let bytes, graph.isMissing(cid) {
            try step.storage.putBlock(bytes, cid: cid)
            let outcome = try graph.blocksArrived([cid], now: step.now, in: step.storage)
            try absorb(outcome, from: nil, decoded: [:], step)
            return
        }
        guard let fetch = fetches[cid], !fetch.isStoring else { return }
        fetches[cid]?.awaited = nil
        if let bytes {
            fetches[cid]?.isStoring = true
            effects.append(.storeBlobs([Block(cid: cid, bytes: bytes)]))
        } else {
            try askForBlob(cid, step)
        }
        try askForMore(step)
    }

    mutating func blobsStored(_ cids: [CID], _ step: Step) throws(StorageError) {
        for cid in cids {
            guard let fetch = fetches.removeValue(forKey: cid) else { continue }
            for job in fetch.jobs { touch(job) }
        }
    }
}
