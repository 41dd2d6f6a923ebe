public import IPLD
public import MeshCore

extension ExecutionDocument {
    /// The document's one canonical form, whose hash names it; see ``DocumentValue/canonical``.
    public var canonical: [UInt8] { value.canonical }

    /// The document as a raw block of its canonical form.
    public var block: Block { Block(canonical, codec: .raw) }
}

/// An execution that was built anew from the CIDs of its start and end, and from nothing else.
public struct RehydratedExecution: Hashable, Sendable {
    public let start: ExecutionDocument
    public let end: ExecutionDocument

    /// What the execution did.
    public var changes: ChangeRecord { ChangeRecord(from: start, to: end) }

    /// Fetches both snapshots, hashes them and holds them against each other.
    ///
    /// - Throws: ``ExecutionFailure/missingSnapshot``, ``ExecutionFailure/hashMismatch``, what reading a
    ///   document throws, ``ExecutionFailure/badJSON`` for a block that is not canonical,
    ///   ``ExecutionFailure/identity`` where the two are not of one execution, and
    ///   ``ExecutionFailure/badStatus`` where the first is over or the second is not.
    public init(start: CID, end: CID, fetch: (CID) -> [UInt8]?) throws(ExecutionError) {
        self.start = try Self.snapshot(start, fetch)
        self.end = try Self.snapshot(end, fetch)
        for key in IdentityKey.all where key != IdentityKey.status {
            guard self.start[key] == self.end[key] else {
                throw ExecutionError(.identity, "start and end differ in \"\(key)\"")
            }
        }
        guard !self.start.status.isFinal, self.end.status.isFinal else {
            throw ExecutionError(
                .badStatus,
                "start is \(self.start.status.rawValue) and end is \(self.end.status.rawValue)")
        }
    }

    private static func snapshot(
        _ cid: CID, _ fetch: (CID) -> [UInt8]?
    ) throws(ExecutionError) -> ExecutionDocument {
        guard let bytes = fetch(cid) else {
            throw ExecutionError(.missingSnapshot, "nobody has the snapshot \(cid)")
        }
        guard CID(of: bytes, codec: .raw) == cid else {
            throw ExecutionError(.hashMismatch, "what was fetched as \(cid) hashes to something else")
        }
        let document = try ExecutionDocument(decoding: bytes)
        guard document.canonical == bytes else {
            throw ExecutionError(.badJSON, "the snapshot \(cid) is not in its canonical form")
        }
        return document
    }
}
