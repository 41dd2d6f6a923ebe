import MeshCore
import MeshCrypto
@testable import MeshEngine
import MeshAPI
import MeshDAG
import MeshFederation
import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("Being let in and leaving", .tags(.Size.small))
struct AdmissionTests {
    private static let start = Timestamp(milliseconds: 1_800_000_000_000)

    private static func identity(_ number: Int) throws -> Identity {
        Identity(try Ed25519PrivateKey(seed: SHA256.hash([UInt8(number)])))
    }

    /// The first three nodes of a mesh.
    private static func members() throws -> FederationBundle {
        try FederationBundle.genesis(
            name: "test", members: try (0..<3).map { .init(did: try identity($0).did, organisation: nil) },
            threshold: 2)
    }

    private static func ticket(
        by inviter: Int, for holder: Int?, expires: Int64 = 86_400_000
    ) throws -> [UInt8] {
        let signer = try identity(inviter)
        let ticket = InviteTicket(
            inviter: signer.did, network: "main", addresses: ["node-\(inviter):1"],
            federation: try members().cid, holder: try holder.map { try identity($0).did },
            expires: start + expires, nonce: [UInt8](repeating: 7, count: 16))
        return try #require(SignedInvite(signing: ticket, by: signer)).bytes
    }

    /// Three members that ask for invitations, and one node for each of `tickets` that wants to come in.
    private static func mesh(_ tickets: [[UInt8]?]) throws -> Mesh {
        let bundle = try members()
        return try Mesh(count: 3 + tickets.count) { index, settings in
            if index < 3 {
                settings.federation = bundle
                settings.admission = .invite(allow: [])
            } else {
                settings.federation = nil
                settings.trust = bundle.cid
                settings.invite = tickets[index - 3]
            }
        }
    }

    private static func isGood(_ mesh: Mesh, at node: Int, _ did: DID) -> Bool {
        mesh.nodes[node].engine.isAdmitted(did)
    }

    @Test(
        "A node with a member's ticket has its job verified, and one without is shown out after five seconds")
    func guests() throws {
        var forged = try Self.ticket(by: 0, for: 5)
        forged[forged.count - 1] ^= 1
        let mesh = try Self.mesh([
            try Self.ticket(by: 0, for: 3), nil, forged, try Self.ticket(by: 1, for: 6, expires: -1),
            try Self.ticket(by: 8, for: 7), try Self.ticket(by: 0, for: 3),
        ])
        for member in 0..<3 { for other in 0..<member { mesh.connect(other, member) } }
        mesh.connect(3, 0)
        let isIn = try mesh.run(
            until: { mesh in
                (0..<3).allSatisfy { mesh.nodes[$0].engine.invited == [mesh.nodes[3].identity.did] }
            },
            milliseconds: 5_000)
        #expect(isIn, "every member learns of the ticket from the member record")
        // Its module is fetched from itself.
        for member in 1..<3 { mesh.connect(3, member) }
        let federation = try Self.members().cid
        let knows = try mesh.run(until: { $0.nodes[3].engine.federation.complete(federation) != nil })
        #expect(knows, "the bundle that it has pinned reaches it")
        let job = try #require(try mesh.submit(3, description: "of a guest"))
        let view = try mesh.wait(3, job, "Completed", "Verified")
        #expect(view?.verification.state == "Verified")
        #expect(mesh.closes.allSatisfy { $0.code != "not_invited" })

        for outsider in 4...8 {
            let before = mesh.closes.count
            mesh.connect(outsider, 0)
            let came = mesh.now
            let isOut = try mesh.run(
                until: { mesh in
                    mesh.closes.dropFirst(before).contains { $0.node == 0 && $0.code == "not_invited" }
                }, milliseconds: 5_500)
            #expect(isOut, "node \(outsider + 1) stays")
            #expect(mesh.now - came >= 5_000)
            mesh.cut(outsider, 0)
            #expect(!Self.isGood(mesh, at: 0, mesh.nodes[outsider].identity.did))
        }
        #expect(mesh.areLinked(3, 0), "who is in stays linked")
        // Who was let in is remembered, even when the ticket is no longer shown.
        try mesh.restart(0)
        #expect(Self.isGood(mesh, at: 0, mesh.nodes[3].identity.did))
    }

    @Test("A node that makes an invitation refuses what nobody could use")
    func inviting() throws {
        let mesh = try Self.mesh([nil])
        func ask(_ node: Int, _ request: InviteRequest) throws -> ControlReply? {
            try mesh.ask(node, .invite(request, nonce: [UInt8](repeating: 1, count: 16)))
        }
        func code(_ reply: ControlReply?) -> String? {
            if case .failure(_, let error)? = reply { error.error.code } else { nil }
        }
        let holder = mesh.nodes[3].identity.did
        guard case .invited(let view)? = try ask(0, InviteRequest(holder: "\(holder)", expiresMs: 60_000))
        else {
            Issue.record("no invitation")
            return
        }
        let signed = try #require(SignedInvite(text: view.ticket, verifier: Ed25519Verifier()))
        #expect(signed.ticket.holder == holder && signed.ticket.inviter == mesh.nodes[0].identity.did)
        #expect(signed.ticket.expires == mesh.now + 60_000)
        let federation = try Self.members().cid
        #expect(signed.ticket.addresses == ["node-0:1"] && signed.ticket.federation == federation)
        #expect(code(try ask(3, InviteRequest())) == "invite.not-member")
        #expect(code(try ask(0, InviteRequest(holder: "did:key:z6Mk"))) == "invite.holder")
        #expect(code(try ask(0, InviteRequest(expiresMs: 0))) == "invite.expires")
        #expect(code(try ask(0, InviteRequest(expiresMs: .max))) == "invite.expires")
    }

    @Test("A node that leaves is gone for the others at once, and comes back with a higher incarnation")
    func goodbye() throws {
        let mesh = try Mesh(count: 3)
        mesh.connectAll()
        let leaver = mesh.nodes[2].identity.did
        func states(_ mesh: Mesh) -> [MemberState?] {
            (0..<2).map { mesh.nodes[$0].engine.gossip.membership.state(of: leaver) }
        }
        let isThere = try mesh.run(until: { states($0) == [.alive, .alive] }, milliseconds: 5_000)
        #expect(isThere)
        let before = try #require(mesh.nodes[0].engine.gossip.membership.record(of: leaver))
        let then = mesh.now
        try mesh.leave(2)
        let isGone = try mesh.run(until: { states($0) == [.gone, .gone] }, milliseconds: 5_000)
        #expect(isGone, "\(states(mesh))")
        #expect(mesh.now == then, "nobody has to wait for anything")
        try mesh.restart(2)
        let isBack = try mesh.run(until: { states($0) == [.alive, .alive] }, milliseconds: 5_000)
        #expect(isBack, "\(states(mesh))")
        let after = try #require(mesh.nodes[0].engine.gossip.membership.record(of: leaver))
        #expect(after.record.incarnation > before.record.incarnation)
    }
}
