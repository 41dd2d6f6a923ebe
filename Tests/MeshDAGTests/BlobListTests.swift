import IPLD
import MeshDAG
import MeshTestSupport
import Testing

@Suite("Blob lists", .tags(.Size.small))
struct BlobListTests {
    private func store(_ blocks: [Block]) -> [CID: [UInt8]] {
        Dictionary(blocks.map { ($0.cid, $0.bytes) }, uniquingKeysWith: { first, _ in first })
    }

    private func block(_ list: BlobList) -> Block { Block(list.encoded, codec: .dagCBOR) }

    @Test(
        "a file comes back from its blocks, whatever its size",
        arguments: [0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024 + 17])
    func roundTrip(_ count: Int) throws {
        let pattern = (0..<1021).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let bytes = Array(
            [[UInt8]](repeating: pattern, count: count / pattern.count + 1).joined().prefix(count))
        let blocks = BlobList.split(bytes)
        let root = try #require(blocks.first).cid
        #expect(root.codec == (count > 1024 * 1024 ? .dagCBOR : .raw))
        let known = store(blocks)
        #expect(BlobList.assemble(root, atMost: count) { known[$0] } == bytes)
        if count > 0 { #expect(BlobList.assemble(root, atMost: count - 1) { known[$0] } == nil) }
        for missing in known.keys {
            #expect(BlobList.assemble(root, atMost: count) { $0 == missing ? nil : known[$0] } == nil)
        }
    }

    @Test("lists nest")
    func nested() {
        let parts = (0..<6).map { Block([UInt8](repeating: UInt8($0), count: $0 + 1), codec: .raw) }
        func chunk(_ block: Block, _ size: Int) -> BlobList.Chunk {
            .init(cid: block.cid, size: UInt64(size))
        }
        let inner = [
            block(BlobList(chunks: parts[..<3].map { chunk($0, $0.bytes.count) })),
            block(BlobList(chunks: parts[3...].map { chunk($0, $0.bytes.count) })),
        ]
        let root = block(BlobList(chunks: [chunk(inner[0], 6), chunk(inner[1], 15)]))
        let known = store(parts + inner + [root])
        #expect(BlobList.assemble(root.cid, atMost: 21) { known[$0] } == parts.flatMap(\.bytes))
        #expect(BlobList.assemble(root.cid, atMost: 20) { known[$0] } == nil)
    }

    @Test("lists that lie about sizes or go too deep are refused")
    func hostile() throws {
        let leaf = Block([1, 2, 3], codec: .raw)
        let short = block(BlobList(chunks: [.init(cid: leaf.cid, size: 2)]))
        let long = block(BlobList(chunks: [.init(cid: leaf.cid, size: 4)]))
        var deep = leaf
        var known = store([leaf, short, long])
        for depth in 1...6 {
            deep = block(BlobList(chunks: [.init(cid: deep.cid, size: 3)]))
            known[deep.cid] = deep.bytes
            let assembled = BlobList.assemble(deep.cid, atMost: 100) { known[$0] }
            #expect((assembled == nil) == (depth > 3), "depth \(depth)")
        }
        #expect(BlobList.assemble(short.cid, atMost: 100) { known[$0] } == nil)
        #expect(BlobList.assemble(long.cid, atMost: 100) { known[$0] } == nil)
        // A list of a list that claims to be smaller than it is.
        let liar = block(
            BlobList(chunks: [
                .init(cid: block(BlobList(chunks: [.init(cid: leaf.cid, size: 3)])).cid, size: 1)
            ]))
        known[liar.cid] = liar.bytes
        #expect(BlobList.assemble(liar.cid, atMost: 100) { known[$0] } == nil)
    }

    @Test("lists whose sizes do not add up, overflow or are nothing are not decoded")
    func decoding() throws {
        let leaf = CID(of: [1], codec: .raw)
        func encoded(size: UInt64, _ chunks: [UInt64]) -> [UInt8] {
            IPLDValue.map([
                .init(key: "size", value: .integer(negative: false, magnitude: size)),
                .init(
                    key: "chunks",
                    value: .list(
                        chunks.map {
                            .map([
                                .init(key: "cid", value: .link(leaf)),
                                .init(key: "size", value: .integer(negative: false, magnitude: $0)),
                            ])
                        })),
            ]).encoded
        }
        #expect(try BlobList(decoding: encoded(size: 3, [1, 2])).size == 3)
        #expect(throws: IPLDError.self) { try BlobList(decoding: encoded(size: 4, [1, 2])) }
        #expect(throws: IPLDError.self) { try BlobList(decoding: encoded(size: 0, [0])) }
        #expect(throws: IPLDError.self) {
            try BlobList(decoding: encoded(size: 1 << 53, [1 << 53, 1 << 53]))
        }
        #expect(throws: IPLDError.self) { try BlobList(decoding: encoded(size: .max, [.max])) }
        #expect(throws: IPLDError.self) {
            try BlobList(decoding: encoded(size: 4097, [UInt64](repeating: 1, count: 4097)))
        }
    }
}
