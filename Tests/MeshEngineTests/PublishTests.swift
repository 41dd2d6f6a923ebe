import IPLD
import MeshAPI
import MeshEngine
import MeshGossip
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Entries of kinds that this version does not know", .tags(.Size.medium))
struct PublishTests {
    private static func entry(_ number: UInt64, kind: String = "somebody.elses") -> [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("kind") { $0.text(kind) }
            map.field("number") { $0.unsigned(number) }
        }
        return encoder.bytes
    }

    @Test("what is published is confirmed once it is anchored, and told once on every node")
    func published() throws {
        let mesh = try Mesh(count: 3)
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        let bytes = Self.entry(1)
        let cid = CID(of: bytes, codec: .dagCBOR)
        guard case .published(cid)? = try mesh.ask(0, .publish(entry: bytes)) else {
            Issue.record("it was not published")
            return
        }
        #expect(try mesh.nodes[0].storage.hasBlock(cid))
        _ = try mesh.run(until: { $0.foreign.count >= 3 }, milliseconds: 5_000)
        #expect(mesh.foreign.map(\.node).sorted() == [0, 1, 2])
        #expect(mesh.foreign.allSatisfy { $0.cid == cid && $0.bytes == bytes })
        #expect(mesh.foreign.allSatisfy { $0.author == mesh.nodes[0].identity.did })
    }

    @Test("the mesh's own kinds, and what is no record, are refused")
    func refused() throws {
        let mesh = try Mesh(count: 1) { _, settings in settings.alone = true }
        for bytes in [Self.entry(1, kind: "job.close"), [0xff], [], Self.entry(1) + [0]] {
            guard case .failure(422, let error)? = try mesh.ask(0, .publish(entry: bytes)) else {
                Issue.record("\(bytes.count) bytes were not refused")
                continue
            }
            #expect(error.error.code == "entry.invalid")
        }
        #expect(mesh.foreign.isEmpty)
    }

    @Test("a node without roles publishes nothing of itself, until it is asked to")
    func withoutRoles() throws {
        let mesh = try Mesh(count: 3, threshold: 1) { node, settings in
            settings.federation = nil
            if node == 2 { settings.roles = [] }
        }
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        #expect(try mesh.feedCount(0) == 2)
        #expect(mesh.frontier(2) == mesh.frontier(0))
        guard case .published? = try mesh.ask(2, .publish(entry: Self.entry(7))) else {
            Issue.record("it was not published")
            return
        }
        _ = try mesh.run(until: { $0.foreign.count >= 3 }, milliseconds: 5_000)
        #expect(try mesh.feedCount(0) == 3)
    }

    @Test("the same bytes may be published again, and are confirmed again")
    func repeated() throws {
        let mesh = try Mesh(count: 1) { _, settings in settings.alone = true }
        for _ in 0..<2 {
            guard case .published? = try mesh.ask(0, .publish(entry: Self.entry(4))) else {
                Issue.record("it was not published")
                return
            }
        }
    }
}

extension Mesh {
    /// How many feeds a node holds.
    fileprivate func feedCount(_ node: Int) throws -> Int {
        var count = 0
        try nodes[node].storage.scan(.frontier, prefix: []) { _, _ in
            count += 1
            return true
        }
        return count
    }
}
