import Foundation
import IPLD
import MeshCore
import MeshTestSupport
import Testing

/// The file of the IPLD project's DAG-CBOR fixtures.
private struct Fixtures: Decodable {
    struct Item: Decodable {
        let name: String
        let cid: String?
        let hex: String
    }

    let valid: [Item]
    let mustRefuse: [Item]

    enum CodingKeys: String, CodingKey {
        case valid
        case mustRefuse = "must_refuse"
    }
}

/// The description that goes with the CAR specification's sample.
private struct CARDescription: Decodable {
    struct Link: Decodable {
        let text: String
        enum CodingKeys: String, CodingKey { case text = "/" }
    }
    struct Header: Decodable {
        let roots: [Link]
        let version: Int
    }
    struct Section: Decodable {
        let cid: Link
        let blockOffset: Int
        let blockLength: Int
    }

    let header: Header
    let blocks: [Section]
}

@Suite("Public vectors", .tags(.Size.small))
struct PublicVectorTests {
    @Test(
        "every DAG-CBOR fixture is read, written back to the same bytes and named by its CID",
        .enabled(if: PublicVectors.has("dag-cbor.json"), "\(PublicVectors.missing)"))
    func dagCBOR() throws {
        let bytes = try #require(PublicVectors.bytes("dag-cbor.json"))
        let fixtures = try JSONDecoder().decode(Fixtures.self, from: Data(bytes))
        #expect(fixtures.valid.count > 100)
        for item in fixtures.valid {
            let block = try #require(Hexadecimal.decode(item.hex))
            do {
                #expect(try IPLDValue(decoding: block).encoded == block, "\(item.name)")
            } catch {
                Issue.record("\(item.name) was refused: \(error)")
            }
            #expect(CID(of: block, codec: .dagCBOR).description == item.cid, "\(item.name)")
            #expect(throws: Never.self, "\(item.name)") {
                try DAGCBORDecoder.decode(block) { decoder throws(IPLDError) in try decoder.skip() }
            }
        }
        #expect(!fixtures.mustRefuse.isEmpty)
        for item in fixtures.mustRefuse {
            let block = try #require(Hexadecimal.decode(item.hex))
            #expect(throws: IPLDError.self, "\(item.name)") { try IPLDValue(decoding: block) }
        }
    }

    @Test(
        "the CAR specification's sample is read with its roots and blocks, and written back to the same bytes",
        .enabled(
            if: PublicVectors.has("carv1-basic.car") && PublicVectors.has("carv1-basic.json"),
            "\(PublicVectors.missing)"))
    func carBasic() throws {
        let bytes = try #require(PublicVectors.bytes("carv1-basic.car"))
        let description = try JSONDecoder().decode(
            CARDescription.self, from: Data(try #require(PublicVectors.bytes("carv1-basic.json"))))
        let car = try CAR(decoding: bytes)
        #expect(description.header.version == 1)
        #expect(car.roots.map(\.description) == description.header.roots.map(\.text))
        #expect(car.blocks.map(\.cid.description) == description.blocks.map(\.cid.text))
        #expect(!car.blocks.isEmpty)
        for (block, section) in zip(car.blocks, description.blocks) {
            #expect(
                block.bytes == Array(bytes[section.blockOffset..<section.blockOffset + section.blockLength]))
        }
        #expect(car.encoded == bytes)
    }
}
