internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshIdentity
internal import MeshMarket

/// Walks a receipt's archive from its first block to its last, in the order of ``ReceiptArchive``.
///
/// Every block that is not the one whose turn it is ends the walk, so that a file which comes through
/// holds each block once, and none that nothing asks for.
struct ReceiptParser {
    /// Lists of chunks nest no deeper.
    private static let listDepthMax = 4

    private let file: CARIndex
    private let places: [CID: Int]
    private var next = 0
    private var anchors: [ReceiptContents.PlacedAnchor] = []
    private var ownAnchors: [CID: [Int]] = [:]

    /// Hashes every block and sees to it that none is there twice.
    init(_ file: CARIndex) throws(ReceiptFault) {
        var places: [CID: Int] = [:]
        for (place, section) in file.sections.enumerated() {
            guard file.isIntact(place) else {
                throw ReceiptFault(.blocks, "block \(place) is not what \(section.cid) names")
            }
            guard places.updateValue(place, forKey: section.cid) == nil else {
                throw ReceiptFault(.blocks, "block \(place), \(section.cid), is there twice")
            }
        }
        self.file = file
        self.places = places
    }

    // MARK: Walking

    private mutating func take(_ cid: CID, _ what: String) throws(ReceiptFault) -> [UInt8] {
        guard next < file.sections.count else {
            throw ReceiptFault(.blocks, "\(what) \(cid) is missing at the end of the file")
        }
        guard file.sections[next].cid == cid else {
            throw ReceiptFault(
                .blocks, "block \(next) should be \(what) \(cid); it is \(file.sections[next].cid)")
        }
        defer { next += 1 }
        return file.block(next)
    }

    /// The kind of the record whose turn it is, if one is.
    private func nextKind() -> String? {
        guard next < file.sections.count, file.sections[next].cid.codec == .dagCBOR else { return nil }
        return RecordPeek.text("kind", in: file.block(next))
    }

    private func decoded<Record>(
        _ check: ReceiptCheck, _ what: String, _ decode: () throws -> Record
    ) throws(ReceiptFault) -> Record {
        do {
            return try decode()
        } catch {
            throw ReceiptFault(check, "\(what) cannot be read: \(error)")
        }
    }

    /// Takes the anchor of `record` unless an earlier one names it.
    private mutating func takeAnchor(of record: CID, _ what: String) throws(ReceiptFault) {
        if takeNextAnchor(naming: record) { return }
        guard anchors.contains(where: { $0.anchor.entries.contains(record) }) else {
            throw ReceiptFault(.blocks, "block \(next) should be the anchor of \(what) \(record)")
        }
    }

    private mutating func takeNextAnchor(naming record: CID) -> Bool {
        guard next < file.sections.count, file.sections[next].cid.codec == .dagCBOR,
            let envelope = try? Envelope(decoding: file.block(next)), let anchor = try? Anchor(envelope),
            anchor.entries.contains(record)
        else { return false }
        ownAnchors[record, default: []].append(anchors.count)
        anchors.append(.init(cid: file.sections[next].cid, envelope: envelope, anchor: anchor))
        next += 1
        return true
    }

    // MARK: The order

    mutating func parse() throws(ReceiptFault) -> ReceiptContents {
        let root = file.roots[0]
        let bytes = try take(root, "the receipt")
        let receipt = try decoded(.receipt, "the receipt") { try JobReceipt(decoding: bytes) }
        try takeAnchor(of: root, "the receipt")
        var submissions: [JobSubmission] = []
        for (index, cid) in receipt.submissions.enumerated() {
            let bytes = try take(cid, "the submission")
            let record = try decoded(.receipt, "the submission \(index)") {
                try JobSubmission(decoding: bytes)
            }
            guard record.index == UInt64(index) else {
                throw ReceiptFault(
                    .receipt, "the submission at place \(index) says that it is \(record.index)")
            }
            submissions.append(record)
        }
        // Whoever exported the receipt could add them only if they are those of the run, which is checked later.
        var hasExecution = false
        if let links = receipt.execution, next < file.sections.count, file.sections[next].cid == links.start {
            _ = try take(links.start, "the start of the execution")
            _ = try take(links.end, "the end of the execution")
            hasExecution = true
        }
        var award: JobAward?
        var bids: [UInt8]?
        if let cid = receipt.award {
            let bytes = try take(cid, "the award")
            let record = try decoded(.award, "the award") { try JobAward(decoding: bytes) }
            try takeAnchor(of: cid, "the award")
            bids = try take(record.bids, "the winning bid's envelope")
            award = record
        }
        let manifestBytes = try take(receipt.manifest, "the manifest")
        let manifest = try decoded(.manifest, "the manifest") { try JobManifest(decoding: manifestBytes) }
        try takeAnchor(of: receipt.manifest, "the manifest")
        var contents = ReceiptContents(
            receiptCID: root, receipt: receipt, submissions: submissions, hasExecution: hasExecution,
            award: award, bids: bids,
            manifest: manifest, file: file,
            places: places)
        if nextKind() == JobClose.kind {
            let cid = file.sections[next].cid
            let bytes = try take(cid, "the close")
            contents.close = try decoded(.close, "the close") { try JobClose(decoding: bytes) }
            contents.closeCID = cid
            try takeAnchor(of: cid, "the close")
        }
        if let body = manifest.trust.federation, nextKind() == BundleEntry.kind {
            let bytes = try take(file.sections[next].cid, "the bundle")
            contents.bundleEntry = try decoded(.federation, "the bundle") { try BundleEntry(decoding: bytes) }
            let bodyBytes = try take(body, "the bundle's body")
            contents.bundle = try decoded(.federation, "the bundle's body") {
                try FederationBundle(decoding: bodyBytes)
            }
        }
        try takeAttestations(&contents)
        try takeBlobs(&contents)
        guard next == file.sections.count else {
            throw ReceiptFault(.blocks, "block \(next), \(file.sections[next].cid), belongs to nothing here")
        }
        contents.anchors = anchors
        contents.ownAnchors = ownAnchors
        return contents
    }

    private mutating func takeAttestations(_ contents: inout ReceiptContents) throws(ReceiptFault) {
        while nextKind() == Attestation.kind {
            let cid = file.sections[next].cid
            if let last = contents.attestations.last, last.cid >= cid {
                throw ReceiptFault(.blocks, "the attestation \(cid) at block \(next) is out of CID order")
            }
            let bytes = try take(cid, "the attestation")
            let record = try decoded(.attestations, "the attestation \(cid)") {
                try Attestation(decoding: bytes)
            }
            contents.attestations.append((cid, record))
            try takeAnchor(of: cid, "the attestation")
            // A member may have published it twice.
            while takeNextAnchor(naming: cid) {}
            let own = (ownAnchors[cid] ?? []).map { contents.contribution(cid, record, anchors[$0]).position }
            guard zip(own, own.dropFirst()).allSatisfy({ $0 < $1 }) else {
                throw ReceiptFault(.blocks, "the anchors of the attestation \(cid) are out of order")
            }
        }
    }

    // MARK: Blobs

    private mutating func takeBlobs(_ contents: inout ReceiptContents) throws(ReceiptFault) {
        let start = next
        let manifest = contents.manifest
        let named =
            [("the code", manifest.code)] + manifest.inputs.map { ("the input \($0.name)", $0.cid) }
            + contents.receipt.outputs.map { ("the output \($0.name)", $0.cid) }
            + contents.receipt.logs.map { ("the log \($0.name)", $0.cid) }
        for (what, cid) in named { try takeBlob(cid, what, depth: 0, &contents) }
        contents.blobPlaces = start..<next
    }

    private mutating func takeBlob(
        _ cid: CID, _ what: String, depth: Int, _ contents: inout ReceiptContents
    ) throws(ReceiptFault) {
        if let place = places[cid], place < next { return }
        let bytes = try take(cid, what)
        guard cid.codec == .dagCBOR else {
            contents.blobSizes[cid] = UInt64(bytes.count)
            return
        }
        guard let list = try? BlobList(decoding: bytes) else { return }
        guard depth < Self.listDepthMax else {
            throw ReceiptFault(.blocks, "\(what) nests its lists deeper than \(Self.listDepthMax)")
        }
        for chunk in list.chunks {
            try takeBlob(chunk.cid, "a chunk of \(what)", depth: depth + 1, &contents)
        }
        // A list counts only if it says of every chunk what the chunk is.
        if list.chunks.allSatisfy({ contents.blobSizes[$0.cid] == $0.size }) {
            contents.blobSizes[cid] = list.size
        }
    }
}
