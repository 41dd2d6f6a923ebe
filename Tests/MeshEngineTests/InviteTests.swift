import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
@testable import MeshEngine
import MeshFederation
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Invite tickets", .tags(.Size.small))
struct InviteTests {
    private let now = Timestamp(milliseconds: 1_800_000_000_000)

    private func identity(_ number: UInt8) throws -> Identity {
        Identity(try Ed25519PrivateKey(seed: SHA256.hash([number])))
    }

    private func ticket(_ inviter: DID, holder: DID?, nonce: UInt8 = 0) -> InviteTicket {
        InviteTicket(
            inviter: inviter, network: "net", addresses: ["a.example:4000", "b.example:4000"],
            federation: CID(of: [1], codec: .dagCBOR), holder: holder, expires: now + 1_000,
            nonce: [UInt8](repeating: nonce, count: 16))
    }

    @Test("a ticket comes back from its text, and no changed text is a ticket", arguments: Seed.sample(20))
    func text(_ seed: Seed) throws {
        var generator = seed.generator
        let inviter = try identity(1)
        let holder = Bool.random(using: &generator) ? try identity(2).did : nil
        let signed = try #require(SignedInvite(signing: ticket(inviter.did, holder: holder), by: inviter))
        #expect(SignedInvite(text: signed.text, verifier: Ed25519Verifier()) == signed)
        var text = Array(signed.text.utf8)
        let place = Int.random(in: InviteTicket.prefix.utf8.count..<text.count, using: &generator)
        text[place] = text[place] == 0x61 ? 0x62 : 0x61
        #expect(SignedInvite(text: String(decoding: text, as: UTF8.self), verifier: Ed25519Verifier()) == nil)
        #expect(SignedInvite(text: String(signed.text.dropFirst()), verifier: Ed25519Verifier()) == nil)
    }

    @Test("nobody signs for another, and a ticket longer than a member record holds is refused")
    func signing() throws {
        let inviter = try identity(1)
        #expect(SignedInvite(signing: ticket(try identity(2).did, holder: nil), by: inviter) == nil)
        var long = ticket(inviter.did, holder: nil)
        long.addresses = Array(repeating: String(repeating: "a", count: 129), count: 1)
        #expect(SignedInvite(signing: long, by: inviter) == nil)
        long.addresses = Array(repeating: "a", count: 5)
        #expect(SignedInvite(signing: long, by: inviter) == nil)
    }

    /// A node whose store outlives it, and that asks for tickets.
    private final class Node {
        let storage = MemoryStorage()
        let signer: Identity
        let settings: NodeSettings
        var engine: NodeEngine

        init(_ signer: Identity, _ settings: NodeSettings, now: Timestamp) throws {
            self.signer = signer
            self.settings = settings
            engine = try storage.write { writer throws(StorageError) in
                try NodeEngine(
                    settings: settings, signer: signer, verifier: Ed25519Verifier(), now: now,
                    restoring: writer)
            }
        }

        func restart(now: Timestamp) throws {
            engine = try storage.write { writer throws(StorageError) in
                try NodeEngine(
                    settings: settings, signer: signer, verifier: Ed25519Verifier(), now: now,
                    restoring: writer)
            }
        }

        func note(_ invite: SignedInvite?, _ did: DID, now: Timestamp) throws -> Bool {
            guard let invite else { return false }
            return try storage.write { writer throws(StorageError) in
                try engine.noteInvite(
                    invite.bytes, from: did, NodeEngine.Step(now: now, storage: writer, blobs: MemoryBlobs()))
            }
        }
    }

    @Test("a ticket of this node or of a member admits its holder, durably; no other ticket admits anybody")
    func admission() throws {
        let mesh = try Mesh(count: 2, threshold: 1)
        var settings = mesh.nodes[0].settings
        settings.admission = .invite(allow: [])
        settings.network = "net"
        let (own, member) = (mesh.nodes[0].identity, mesh.nodes[1].identity)
        let (holder, other, stranger) = (try identity(50).did, try identity(51).did, try identity(52))
        let node = try Node(own, settings, now: now)
        func signed(_ by: Identity, _ holder: DID?, _ nonce: UInt8) -> SignedInvite? {
            SignedInvite(signing: ticket(by.did, holder: holder, nonce: nonce), by: by)
        }
        #expect(try !node.note(signed(stranger, holder, 1), holder, now: now))
        #expect(try !node.note(signed(member, holder, 1), other, now: now))
        #expect(try !node.note(signed(member, holder, 1), holder, now: now + 1_000), "it has expired")
        #expect(node.engine.invited.isEmpty)
        #expect(try node.note(signed(member, holder, 1), holder, now: now))
        #expect(try node.note(signed(own, nil, 2), other, now: now))
        #expect(try !node.note(signed(own, nil, 2), stranger.did, now: now), "it is used up")
        try node.restart(now: now + 5_000)
        #expect(node.engine.invited == [holder, other])
        #expect(try node.note(signed(own, nil, 2), other, now: now + 5_000), "who is in stays in")
        #expect(try !node.note(signed(own, nil, 2), stranger.did, now: now + 5_000))
        let third = try identity(53).did
        var elsewhere = ticket(own.did, holder: third, nonce: 3)
        elsewhere.network = "elsewhere"
        #expect(try !node.note(SignedInvite(signing: elsewhere, by: own), third, now: now))
    }
}
