import Foundation
import IPLD
import MeshCore
import MeshIdentity
import MeshTestSupport
import Testing

/// The invocation fixtures of UCAN 1.0, whose envelope is the one that records here have.
private struct Invocations: Decodable {
    /// DAG-JSON's way to write bytes: `{"/": {"bytes": "…"}}`, base64 without padding.
    struct Token: Decodable {
        struct Inner: Decodable { let bytes: String }
        let inner: Inner
        enum CodingKeys: String, CodingKey { case inner = "/" }

        var bytes: [UInt8]? {
            let padding = String(repeating: "=", count: (4 - inner.bytes.utf8.count % 4) % 4)
            return Data(base64Encoded: inner.bytes + padding).map { [UInt8]($0) }
        }
    }
    struct Failure: Decodable { let name: String }
    struct Case: Decodable {
        let name: String
        let invocation: Token
        let proofs: [Token]
        let error: Failure?
    }

    let valid: [Case]
    let invalid: [Case]

    static func load() throws -> Invocations {
        let bytes = try #require(PublicVectors.bytes("ucan-1.0-invocation.json"))
        return try JSONDecoder().decode(Invocations.self, from: Data(bytes))
    }
}

@Suite("UCAN 1.0 envelopes", .tags(.Size.small))
struct InvocationVectorTests {
    /// Whether the token has our form and the signature of the issuer that its payload names.
    private func isSigned(_ token: Invocations.Token) throws -> Bool {
        let envelope = try Envelope(decoding: try #require(token.bytes))
        let payload = try envelope.decodePayload { decoder throws(IPLDError) in try decoder.value() }
        guard case .text(let issuer)? = payload["iss"], let did = DID(issuer) else { return false }
        return envelope.isSigned(by: did)
    }

    @Test(
        "every valid invocation and each of its proofs has our form and its issuer's signature",
        .enabled(if: PublicVectors.has("ucan-1.0-invocation.json"), "\(PublicVectors.missing)"))
    func valid() throws {
        let cases = try Invocations.load().valid
        #expect(cases.count >= 7)
        for item in cases {
            for token in [item.invocation] + item.proofs {
                #expect(try isSigned(token), "\(item.name)")
                let bytes = try #require(token.bytes)
                #expect(try IPLDValue(decoding: bytes).encoded == bytes, "\(item.name)")
            }
            #expect(try Envelope(decoding: try #require(item.invocation.bytes)).tag == "ucan/inv@1.0.0")
            // An invocation names its proofs by the CIDs of their whole envelopes.
            let invocation = try IPLDValue(decoding: try #require(item.invocation.bytes))
            let proofs = try item.proofs.map { try Envelope(decoding: try #require($0.bytes)).cid }
            #expect(Set(invocation.links) == Set(proofs), "\(item.name)")
        }
        let first = try Envelope(decoding: try #require(cases[0].invocation.bytes))
        #expect(first.cid.description == "bafyreic6y4hockqhmnije3apitkmvzmdgedaefosz2gm75ivpmixydiklq")
        #expect(try CID("zdpuAroQrUZtq5tjXuJ2SmwjJwfyCsXcgLZxAGumx4Dwvg7kX") == first.cid)
    }

    /// Judged here are the cases whose fault is a signature.
    ///
    /// The other names concern what a chain of
    /// delegations means (times, audiences, subjects, policies, missing proofs): the project has no
    /// delegations, so all that is said of those cases is that their envelopes are in order.
    @Test(
        "an invocation or proof with a bad signature is found out, and only those",
        .enabled(if: PublicVectors.has("ucan-1.0-invocation.json"), "\(PublicVectors.missing)"))
    func invalid() throws {
        let meaning: Set = [
            "InvalidClaim", "UnavailableProof", "Expired", "TooEarly", "InvalidAudience", "InvalidSubject",
            "MatchError",
        ]
        var judged = 0
        for item in try Invocations.load().invalid {
            let failure = try #require(item.error?.name)
            // A signature of another length is refused as a form, which is as good.
            let signed = ([item.invocation] + item.proofs).allSatisfy { (try? isSigned($0)) ?? false }
            if failure == "InvalidSignature" {
                judged += 1
                #expect(!signed, "\(item.name)")
            } else {
                #expect(meaning.contains(failure), "\(item.name) fails as \(failure), which is neither")
                #expect(signed, "\(item.name)")
            }
        }
        #expect(judged == 2)
    }
}
