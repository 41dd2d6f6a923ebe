internal import IPLD
internal import MeshCore
public import MeshDAG
internal import MeshIdentity

/// Verifies a CAR of feeds: anchors with their entries, the heads as roots.
///
/// One signature stands for up to 256 entries: every block is hashed, an anchor names its entries by their
/// hashes, and its author signed the anchor. Nothing is copied out of the file but the anchors.
public struct FeedArchiveVerifier<Verifier: SignatureVerifier>: Sendable {
    private let verifier: Verifier

    public init(verifier: Verifier) {
        self.verifier = verifier
    }

    /// Checks hashes, signatures, the strict form of every entry, and that each feed is one chain.
    ///
    /// - Parameter file: The CAR's bytes; hostile ones cost no more than a multiple of their length.
    /// - Returns: What the file holds, and every fault.
    public func verify(_ file: [UInt8]) -> FeedArchiveVerification {
        var walk = FeedArchiveWalk()
        walk.result.byteCount = file.count
        let index: CARIndex
        do throws(IPLDError) {
            index = try CARIndex(decoding: file)
        } catch {
            walk.result.add(.container, nil, error.message)
            return walk.result
        }
        walk.readBlocks(index)
        walk.checkAnchors(index, verifier)
        walk.checkFeeds()
        for root in index.roots where walk.places[root] == nil {
            walk.result.add(.missing, root, "the root is not in the file")
        }
        walk.result.roots = index.roots
        return walk.result
    }
}

extension FeedArchiveVerifier where Verifier == Ed25519Verifier {
    /// The verifier of real signatures.
    public init() { self.init(verifier: Ed25519Verifier()) }
}

/// One pass over a file.
private struct FeedArchiveWalk {
    struct Anchored {
        let cid: CID
        let place: Int
        let envelope: Envelope
        let anchor: Anchor
    }

    var result = FeedArchiveVerification()
    /// Where each block stands.
    var places: [CID: Int] = [:]
    private var anchors: [Anchored] = []
    private var anchorPlaces: [CID: Int] = [:]

    /// Hashes every block and picks out the anchors.
    mutating func readBlocks(_ file: CARIndex) {
        result.blockCount = file.sections.count
        places.reserveCapacity(file.sections.count)
        for (place, section) in file.sections.enumerated() {
            guard file.isIntact(place) else {
                result.add(.block, section.cid, "block \(place) is not what its CID names")
                continue
            }
            guard places.updateValue(place, forKey: section.cid) == nil else {
                result.add(.block, section.cid, "block \(place) is there twice")
                continue
            }
            // Envelopes are arrays of two; records are maps.
            guard section.cid.codec == .dagCBOR, !section.range.isEmpty,
                file.bytes[section.range.lowerBound] == 0x82,
                let envelope = try? Envelope(decoding: file.block(place)), envelope.tag == Anchor.tag
            else { continue }
            do throws(IPLDError) {
                let anchor = try Anchor(envelope)
                anchorPlaces[section.cid] = anchors.count
                anchors.append(Anchored(cid: section.cid, place: place, envelope: envelope, anchor: anchor))
            } catch {
                result.add(.anchor, section.cid, error.message)
            }
        }
        result.anchorCount = anchors.count
    }

    /// Signatures, and the two-block path from each anchor to its entries.
    mutating func checkAnchors(_ file: CARIndex, _ verifier: some SignatureVerifier) {
        var isChecked = [Bool](repeating: false, count: file.sections.count)
        for one in anchors {
            if !verifier.isSigned(one.envelope, by: one.anchor.author) {
                result.add(.signature, one.cid, "the anchor is not signed by \(one.anchor.author)")
            }
            // Entries stand behind their anchor in the files that we write; elsewhere they are looked up.
            var expected = one.place + 1
            for cid in one.anchor.entries {
                let place: Int
                if expected < file.sections.count, file.sections[expected].cid == cid {
                    place = expected
                } else if let found = places[cid] {
                    place = found
                } else {
                    result.add(.missing, cid, "the entry of anchor \(one.cid) is not in the file")
                    continue
                }
                expected = place + 1
                if isChecked[place] { continue }
                isChecked[place] = true
                checkEntry(file, cid, file.sections[place].range)
            }
        }
    }

    private mutating func checkEntry(_ file: CARIndex, _ cid: CID, _ range: Range<Int>) {
        guard range.count <= ReceivedAnchor.recordByteCountMax else {
            result.add(.entry, cid, "an entry of \(range.count) bytes")
            return
        }
        do throws(IPLDError) {
            let entry = try Entry(decoding: file.bytes, in: range)
            result.entryCount += 1
            if case .receipt = entry {
                result.receiptCount += 1
                return
            }
            for attachment in entry.attachments where places[attachment] == nil {
                result.add(
                    .missing, attachment, "the \(entry.kind) \(cid) rests on a block that is not in the file")
            }
        } catch {
            result.add(.entry, cid, error.message)
        }
    }

    /// Every feed from seq 0, each anchor naming the one before, later than it and than its parents.
    mutating func checkFeeds() {
        var feeds: [FeedID: [Anchored]] = [:]
        for one in anchors { feeds[one.anchor.feed, default: []].append(one) }
        for (feed, chain) in feeds.sorted(by: { $0.key < $1.key }) {
            let chain = chain.sorted {
                $0.anchor.seq != $1.anchor.seq ? $0.anchor.seq < $1.anchor.seq : $0.cid < $1.cid
            }
            for (before, one) in zip(chain, chain.dropFirst()) where before.anchor.seq == one.anchor.seq {
                result.add(
                    .fork, one.cid,
                    "\(feed) has two anchors at seq \(one.anchor.seq), the other is \(before.cid)")
            }
            for one in chain { checkOrder(one) }
            if let last = chain.last {
                result.feeds.append(
                    .init(feed: feed, anchorCount: chain.count, seq: last.anchor.seq, head: last.cid))
            }
        }
    }

    private mutating func checkOrder(_ one: Anchored) {
        if let prev = one.anchor.prev {
            guard let place = anchorPlaces[prev] else {
                result.add(.missing, prev, "the predecessor of anchor \(one.cid) is not in the file")
                return
            }
            let before = anchors[place].anchor
            if before.feed != one.anchor.feed || before.seq + 1 != one.anchor.seq {
                result.add(.order, one.cid, "the anchor of seq \(one.anchor.seq) does not continue its feed")
            }
            if before.time >= one.anchor.time {
                result.add(.order, one.cid, "the anchor is not later than its predecessor")
            }
        }
        // Parents in feeds that were not exported say nothing here.
        for parent in one.anchor.parents {
            guard let place = anchorPlaces[parent], anchors[place].anchor.time >= one.anchor.time else {
                continue
            }
            result.add(.order, one.cid, "the anchor is not later than its parent \(parent)")
        }
    }
}
