import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

private func identity(_ number: UInt8) throws -> Identity {
    Identity(try Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: number, count: 32))))
}

@Suite("What members sign", .tags(.Size.small))
struct MemberRecordTests {
    private let subject: Identity
    private let other: Identity

    init() throws {
        subject = try identity(1)
        other = try identity(2)
    }

    private func record(_ change: (inout MemberRecord) -> Void = { _ in }) -> MemberRecord {
        var record = MemberRecord(
            did: subject.did, addresses: ["127.0.0.1:7000", "mesh.example:7000"], incarnation: 3,
            time: Timestamp(milliseconds: 5_000))
        change(&record)
        return record
    }

    @Test("A record comes back from its envelope, with and without an invite")
    func roundTrip() {
        for invite in [nil, [UInt8](repeating: 7, count: 1024)] {
            let signed = SignedMember(signing: record { $0.invite = invite }, by: subject)
            let read = SignedMember(decoding: signed.envelope, verifier: Ed25519Verifier())
            #expect(read == signed)
            #expect(signed.envelope.count <= MemberRecord.envelopeSizeMax)
        }
    }

    @Test("A record signed by anyone but its subject is refused")
    func foreignSignature() {
        let forged = Envelope(signing: record().encoded, tag: MemberRecord.tag, by: other)
        #expect(SignedMember(decoding: forged.bytes, verifier: Ed25519Verifier()) == nil)
    }

    @Test("A record beyond its bounds is refused")
    func bounds() {
        let changes: [(inout MemberRecord) -> Void] = [
            { $0.addresses = ["a", "b", "c", "d", "e"] },
            { $0.addresses = [String(repeating: "a", count: 129)] },
            { $0.addresses = [""] },
            { $0.invite = [UInt8](repeating: 0, count: 1025) },
            { $0.incarnation = 1_005_001 },
        ]
        for change in changes {
            let envelope = Envelope(signing: record(change).encoded, tag: MemberRecord.tag, by: subject)
            #expect(SignedMember(decoding: envelope.bytes, verifier: Ed25519Verifier()) == nil)
        }
        let highest = SignedMember(signing: record { $0.incarnation = 1_005_000 }, by: subject)
        #expect(SignedMember(decoding: highest.envelope, verifier: Ed25519Verifier()) != nil)
    }

    @Test("No prefix of a record and no changed byte passes for one")
    func hostileBytes() {
        let bytes = SignedMember(signing: record(), by: subject).envelope
        for count in bytes.indices {
            #expect(SignedMember(decoding: Array(bytes[..<count]), verifier: Ed25519Verifier()) == nil)
            var changed = bytes
            changed[count] ^= 1
            #expect(SignedMember(decoding: changed, verifier: Ed25519Verifier()) == nil)
        }
    }

    @Test("A suspicion comes back from its envelope and is refused under another's signature")
    func suspicion() {
        let suspicion = Suspicion(
            subject: subject.did, incarnation: 3, witness: other.did, cause: .refused,
            time: Timestamp(milliseconds: 5_000))
        let signed = SignedSuspicion(signing: suspicion, by: other)
        #expect(SignedSuspicion(decoding: signed.envelope, verifier: Ed25519Verifier()) == signed)
        let forged = Envelope(signing: suspicion.encoded, tag: Suspicion.tag, by: subject)
        #expect(SignedSuspicion(decoding: forged.bytes, verifier: Ed25519Verifier()) == nil)
    }

    @Test("Nobody leaves for another, and nobody suspects itself")
    func causes() {
        for (witness, cause) in [(other, Suspicion.Cause.left), (subject, .probe), (subject, .refused)] {
            let suspicion = Suspicion(
                subject: subject.did, incarnation: 3, witness: witness.did, cause: cause,
                time: Timestamp(milliseconds: 5_000))
            let signed = SignedSuspicion(signing: suspicion, by: witness)
            #expect(SignedSuspicion(decoding: signed.envelope, verifier: Ed25519Verifier()) == nil)
        }
    }
}
