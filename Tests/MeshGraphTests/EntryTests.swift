import IPLD
import MeshCore
import MeshGraph
import MeshIdentity
import MeshTestSupport
import Testing

private let ontology = CID(of: [1], codec: .dagCBOR)

@Suite("The entry of a change, and the block of an ontology", .tags(.Size.small))
struct EntryTests {
    @Test(
        "A change is put together again, whether it fits in its entry or not",
        arguments: [0, 1, 196_608, 196_609, 393_216, 1_000_000])
    func splitting(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let (entry, blocks) = try GraphChangeEntry.split(bytes, ontology: ontology, bases: [])
        #expect(blocks.isEmpty == (count <= GraphChangeEntry.chunkByteCountMax))
        #expect(entry.attachments == [ontology] + blocks.map(\.cid))
        let read = try GraphChangeEntry(decoding: entry.encoded)
        #expect(read == entry)
        #expect(read.join { cid in blocks.first { $0.cid == cid }?.bytes } == bytes)
        if !blocks.isEmpty {
            #expect(
                read.join { cid in cid == blocks[0].cid ? nil : blocks.first { $0.cid == cid }?.bytes } == nil
            )
            #expect(read.join { _ in [1, 2, 3] } == nil)
            #expect(read.join { _ in [UInt8](repeating: 0, count: 200_000) } == nil)
        }
    }

    @Test("A change above 64 MiB is not split, and too many chunks are not put together")
    func tooLarge() throws {
        let bytes = [UInt8](repeating: 7, count: GraphChangeEntry.byteCountMax + 1)
        #expect(throws: IPLDError(.tooLarge, "")) {
            try GraphChangeEntry.split(bytes, ontology: ontology, bases: [])
        }
        let chunk = Block([UInt8](repeating: 7, count: GraphChangeEntry.chunkByteCountMax), codec: .raw)
        let entry = GraphChangeEntry(
            ontology: ontology, bases: [], operations: .chunks(Array(repeating: chunk.cid, count: 400)))
        #expect(entry.join { _ in chunk.bytes } == nil)
    }

    @Test(
        "An entry that is not in order is refused",
        arguments: [
            [("kind", IPLDValue.text("graph.change")), ("ontology", .link(ontology))],
            [("kind", .text("graph.chance")), ("ontology", .link(ontology)), ("operations", .bytes([]))],
            [("kind", .text("graph.change")), ("operations", .bytes([]))],
            [
                ("kind", .text("graph.change")), ("ontology", .link(CID(of: [], codec: .raw))),
                ("operations", .bytes([])),
            ],
            [
                ("kind", .text("graph.change")), ("chunks", .list([.link(CID(of: [], codec: .raw))])),
                ("ontology", .link(ontology)),
            ],
            [
                ("kind", .text("graph.change")), ("chunks", .list([.link(ontology), .link(ontology)])),
                ("ontology", .link(ontology)),
            ],
            [
                ("kind", .text("graph.change")), ("ontology", .link(ontology)), ("operations", .bytes([])),
                ("more", .null),
            ],
        ])
    func refusals(_ fields: [(String, IPLDValue)]) {
        let item = IPLDValue.map(fields.map { IPLDValue.Entry(key: $0.0, value: $0.1) })
        #expect(throws: IPLDError.self) { try GraphChangeEntry(decoding: item.encoded) }
    }

    @Test("An ontology's block has sorted bases, and is refused otherwise")
    func ontologies() throws {
        let bases = (0..<3).map { CID(of: [UInt8($0)], codec: .dagCBOR) }
        let block = try OntologyBlock(bases: bases + bases, source: "node A {}")
        #expect(block.bases == bases.sorted())
        #expect(try OntologyBlock(decoding: block.encoded) == block)
        #expect(block.block.cid == CID(of: block.encoded, codec: .dagCBOR))
        func item(_ bases: [CID], _ source: String) -> [UInt8] {
            IPLDValue.map([
                .init(key: "kind", value: .text("graph.ontology")),
                .init(key: "bases", value: .list(bases.map(IPLDValue.link))),
                .init(key: "source", value: .text(source)),
            ]).encoded
        }
        #expect(try OntologyBlock(decoding: item(bases.sorted(), "x")).source == "x")
        #expect(throws: IPLDError.self) { try OntologyBlock(decoding: item(bases.sorted().reversed(), "x")) }
        #expect(throws: IPLDError.self) { try OntologyBlock(decoding: item([bases[0], bases[0]], "x")) }
        #expect(throws: IPLDError.self) { try OntologyBlock(decoding: item([CID(of: [], codec: .raw)], "x")) }
        #expect(throws: IPLDError.self) {
            try OntologyBlock(decoding: item([], String(repeating: "x", count: 196_609)))
        }
        let many = (0..<17).map { CID(of: [UInt8($0)], codec: .dagCBOR) }
        #expect(throws: IPLDError(.tooLarge, "")) { try OntologyBlock(bases: many, source: "") }
    }
}

@Suite("The names of entities", .tags(.Size.small))
struct EntityIDTests {
    @Test("An entity's text is read as the entity")
    func texts() {
        let ids: [EntityID] = [
            operationID(0, 12, 0), operationID(3, .max, 5, entry: 255), .key(type: "Person", key: "ann"),
            .key(type: "T", key: "a/b/c"), .key(type: "T", key: "é (\u{0}"),
        ]
        for id in ids { #expect(EntityID(id.description) == id) }
        #expect(operationID(0, 12, 3).description.hasPrefix("z6Mk"))
        #expect(operationID(0, 12, 3).description.hasSuffix("/12/3"))
        #expect(ids.sorted() == ids.sorted { $0 < $1 } && ids[0] < ids[2] && !(ids[2] < ids[0]))
    }

    @Test(
        "A text that names no entity is refused",
        arguments: ["", "/", "a", "a/", "/a", "a b/c", "é/c", "T/" + String(repeating: "k", count: 257)])
    func refused(_ text: String) {
        #expect(EntityID(text) == nil)
    }

    @Test("Keys that Unicode calls equal and that differ in their bytes are two entities")
    func spellingsOfKeys() {
        let composed = EntityID.key(type: "T", key: "\u{e9}")
        let decomposed = EntityID.key(type: "T", key: "e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect((composed < decomposed) != (decomposed < composed))
    }

    @Test("A number in another spelling is not an operation's")
    func spellings() {
        let author = authors[0].description.dropFirst(8)
        for text in ["\(author)/012/0", "\(author)/1/+0", "\(author)/1/4294967296"] {
            // It is a key of a strange type, which no operation's text equals.
            if case .operation = EntityID(text) { Issue.record("\(text) was read as an operation") }
        }
    }

    @Test("Links of a unique edge with the same targets are one entity, and others are others")
    func uniqueKeys() {
        let a = EntityID.key(type: "P", key: "a")
        let b = EntityID.key(type: "P", key: "b")
        let tricky = [
            [a, b], [b, a], [a], [a, b, b], [.key(type: "P", key: "a,P/b")], [.key(type: "P", key: "a)"), b],
            [.key(type: "P", key: "a\\,P/b")], [.key(type: "P", key: "a\\"), b],
            [.key(type: "P", key: String(repeating: "x", count: 256)), a],
            [.key(type: "P", key: String(repeating: "x", count: 255)), a],
        ]
        let keys = tricky.map { GraphOperation.uniqueKey(edge: "e", targets: $0) }
        #expect(Set(keys).count == keys.count)
        for key in keys {
            guard case .key("e", let text) = key else {
                Issue.record("\(key) is no key of e")
                continue
            }
            #expect(text.utf8.count <= EntityID.keyByteCountMax && text.hasPrefix("("))
            #expect(EntityID(key.description) == key)
            #expect(!GraphLimits.isExplicitKey(text))
        }
        #expect(keys[0] == GraphOperation.uniqueKey(edge: "e", targets: [a, b]))
        #expect(keys[0] == .key(type: "e", key: "(P/a,P/b)"))
    }
}
