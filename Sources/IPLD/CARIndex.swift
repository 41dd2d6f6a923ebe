public import MeshCore

/// Where the blocks of a CAR file lie in its bytes, so that looking at one copies nothing.
///
/// The framing, the header and every CID have been read; whether a block is what its CID names is asked
/// with ``isIntact(_:)``, which hashes it in place.
public struct CARIndex: Sendable {
    /// One block: its name and its bytes' place in the file.
    public struct Section: Hashable, Sendable {
        public let cid: CID
        public let range: Range<Int>
    }

    /// The whole file.
    public let bytes: [UInt8]
    public let roots: [CID]
    /// In the order of the file.
    public let sections: [Section]

    /// Reads the framing of a whole file.
    ///
    /// - Throws: ``IPLDFailure/badCAR``, ``IPLDFailure/badCID``, ``IPLDFailure/truncated`` or what the
    ///   header's decoder throws; the message gives the offset.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        var offset = 0
        roots = try CAR.header(bytes, at: &offset)
        var sections: [Section] = []
        while offset < bytes.count {
            let section = try CAR.section(bytes, at: &offset, "block")
            var index = section.lowerBound
            let cid = try CID.read(bytes, at: &index)
            guard index <= section.upperBound else {
                throw IPLDError(.badCAR, "the block at byte \(section.lowerBound) is shorter than its CID")
            }
            sections.append(Section(cid: cid, range: index..<section.upperBound))
        }
        self.bytes = bytes
        self.sections = sections
    }

    /// Whether the block at `place` hashes to its CID.
    public func isIntact(_ place: Int) -> Bool {
        let section = sections[place]
        return CID(of: bytes, in: section.range, codec: section.cid.codec).digest == section.cid.digest
    }

    /// The bytes of the block at `place`, copied out.
    public func block(_ place: Int) -> [UInt8] { Array(bytes[sections[place].range]) }
}
