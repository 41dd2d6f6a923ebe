import ControlClient
import Foundation
import IPLD
import MeshAPI
import MeshCore
import MeshDevnet
import MeshFederation
import MeshIdentity
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("Letting nodes in, and leaving", .tags(.Size.large))
    struct Invites {
        /// Starts members that ask for invitations, at addresses that they keep.
        private func startMembers(_ cluster: Cluster) throws {
            for (index, node) in cluster.nodes.enumerated() {
                try cluster.configure(index)
                try node.edit { $0.replacing("mode: 'open'", with: "mode: 'invite'") }
                try node.start()
                let address = node.address
                try node.edit { $0.replacing("listen: '127.0.0.1:0'", with: "listen: '\(address)'") }
            }
            try cluster.awaitLinked()
        }

        private func awaitLog(_ node: TestNode, _ text: String) throws {
            try eventually("the log of \(node.name) does not say: \(text)", within: 60) { () -> Void? in
                node.log.contains(text) ? () : nil
            }
        }

        private func awaitFederation(_ node: TestNode) throws {
            try eventually("\(node.name) does not know the federation", within: 60) { () -> Void? in
                let known: [FederationView] = try node.client().get("/v1/federations")
                return try node.status().publishingAllowed && known.contains(where: \.complete) ? () : nil
            }
        }

        private func run(_ node: TestNode) throws -> Ran {
            try node.ctl(
                "submit-job", "--wasm", Modules.examplePath("wordcount"), "--input", "stdin=-", "--auto",
                "--wait", input: Story.text)
        }

        @Test("an invited node has its jobs verified, and is still in after everybody was started anew")
        func invited() throws {
            try withCluster(isStarted: false) { cluster in
                try startMembers(cluster)
                let fourth = try TestNode(name: "mesh-node-4", directory: "\(cluster.directory)/4")
                defer {
                    try? fourth.kill()
                    Attachment.record(fourth.log, named: "mesh-node-4.log")
                }
                let made = try cluster[1].ctl("invite", "create", "--for", fourth.did, "--expires", "1h")
                try #require(made.status == 0 && made.lines[0].hasPrefix("mesh-invite:"), "\(made)")
                let ticket = made.lines[0]
                let federations: [FederationView] = try cluster[1].client().get("/v1/federations")
                let pinned = try #require(federations.first).cid

                try fourth.configure(flags: ["--invite", ticket])
                let text = try String(contentsOfFile: fourth.configurationPath, encoding: .utf8)
                #expect(text.contains("federation: { trust: '\(pinned)' }"), "\(text)")
                #expect(text.contains("{ address: '\(cluster[1].address)' }"), "\(text)")
                #expect(text.contains("invite: '\(ticket)'"), "\(text)")
                try fourth.start()
                for member in cluster.nodes {
                    try awaitLog(member, "is in by an invitation of mesh-node-1")
                }
                try awaitFederation(fourth)
                let first = try run(fourth)
                try #require(first.status == 0, "\(first)")
                let job = try #require(try fourth.jobs().first)
                let ended = try cluster[2].job(job.jobID) { $0.verification.final }
                #expect(ended.status == "Completed" && ended.verification.state == "Verified")
                #expect(cluster.nodes.contains { $0.did == ended.executor.did })

                try fourth.stop()
                for node in cluster.nodes { try node.stop() }
                try fourth.edit { $0.replacing("invite: '\(ticket)',", with: "") }
                for node in cluster.nodes { try node.start() }
                try cluster.awaitLinked()
                try fourth.start()
                try awaitFederation(fourth)
                let second = try run(fourth)
                #expect(second.status == 0, "\(second)")
                #expect(!cluster.nodes.contains { $0.log.contains("\(fourth.did) is not let in") })
            }
        }

        @Test(
            "a node without a ticket, with an expired one or with one of its own making is refused, and told why"
        )
        func refused() throws {
            try withCluster(isStarted: false) { cluster in
                try startMembers(cluster)
                func ticket(by signer: Identity, for holder: String, expires: Int64) throws -> String {
                    let subject = try #require(DID(holder))
                    let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
                    let ticket = InviteTicket(
                        inviter: signer.did, network: "main", addresses: [cluster[1].address],
                        federation: nil, holder: subject, expires: now + expires,
                        nonce: [UInt8](repeating: 5, count: 16))
                    return try #require(SignedInvite(signing: ticket, by: signer)).text
                }
                let member = try cluster[1].identity()
                let cases: [(name: String, reason: String, ticket: (TestNode) throws -> String?)] = [
                    ("without", "it has shown no invitation", { _ in nil }),
                    (
                        "late", "its invitation expired at",
                        { try ticket(by: member, for: $0.did, expires: -60_000) }
                    ),
                    (
                        "forger", "its invitation is by",
                        { try ticket(by: try $0.identity(), for: $0.did, expires: 60_000) }
                    ),
                ]
                for (name, reason, make) in cases {
                    let outsider = try TestNode(name: name, directory: "\(cluster.directory)/\(name)")
                    defer { try? outsider.kill() }
                    try outsider.configure(flags: ["--peer", cluster[1].address])
                    if let text = try make(outsider) {
                        try outsider.edit {
                            $0.replacing(
                                "mode: 'open', allow: [] }", with: "mode: 'open', invite: '\(text)' }")
                        }
                    }
                    try outsider.start()
                    try awaitLog(cluster[1], "\(outsider.did) is not let in: \(reason)")
                    try awaitLog(outsider, "ends the link: not_invited: \(outsider.did) is not let in")
                    #expect(try !cluster[1].heads().contains { $0.did == outsider.did })
                    try outsider.stop()
                }
            }
        }

        @Test("meshd init takes no ticket that is broken, expired or for another key, and creates nothing")
        func initialising() throws {
            try withCluster(.init(count: 2, threshold: 0), isStarted: false) { cluster in
                let signer = try cluster[1].identity()
                func ticket(for holder: String, expires: Int64) throws -> String {
                    let subject = try #require(DID(holder))
                    let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
                    let ticket = InviteTicket(
                        inviter: signer.did, network: "main", addresses: ["127.0.0.1:7420"], federation: nil,
                        holder: subject, expires: now + expires,
                        nonce: [UInt8](repeating: 5, count: 16))
                    return try #require(SignedInvite(signing: ticket, by: signer)).text
                }
                let good = try ticket(for: cluster[2].did, expires: 60_000)
                let cases: [(ticket: String, says: String)] = [
                    (String(good.dropLast(3)), "is not an invitation"),
                    (try ticket(for: cluster[2].did, expires: -1), "expired at"),
                    (try ticket(for: cluster[1].did, expires: 60_000), "is for \(cluster[1].did)"),
                ]
                for (ticket, says) in cases {
                    let new = cluster.directory + "/new"
                    let refused = try Programs.run(
                        Programs.meshd,
                        ["init", "--data", new, "--identity", cluster[2].identityPath, "--invite", ticket])
                    #expect(refused.status == 1 && refused.errors.contains("--invite: \(says)"), "\(refused)")
                    #expect(!FileManager.default.fileExists(atPath: new))
                }
                let keyless = cluster.directory + "/keyless"
                let refused = try Programs.run(Programs.meshd, ["init", "--data", keyless, "--invite", good])
                #expect(refused.status == 1 && refused.errors.contains("whose key is expected"), "\(refused)")
                #expect(!FileManager.default.fileExists(atPath: keyless))
                // The same ticket is checked once more with every start.
                try cluster[2].configure(flags: ["--invite", good])
                try cluster[2].edit { $0.replacing(good, with: String(good.dropLast(3))) }
                let start = try Programs.run(Programs.meshd, ["--config", cluster[2].configurationPath])
                #expect(start.status == 1 && start.errors.contains("admission.invite: is not an"), "\(start)")
            }
        }

        @Test("a node that is stopped says goodbye, and is alive again when it comes back")
        func goodbye() throws {
            try withCluster { cluster in
                func count(_ text: String, _ number: Int) -> Int {
                    cluster[number].log.components(separatedBy: text).count - 1
                }
                let before = [1, 2].map { count("mesh-node-3 is alive", $0) }
                #expect(try cluster[3].stop() == .exited(0))
                for number in [1, 2] {
                    try awaitLog(cluster[number], "mesh-node-3 is gone")
                    #expect(
                        count("mesh-node-3 does not answer", number) == 0, "nobody had to find out by probing"
                    )
                }
                let events = try cluster[1].ctl("events")
                #expect(events.output.contains("member.gone"), "\(events)")
                try cluster[3].start()
                try cluster.awaitLinked()
                for (index, number) in [1, 2].enumerated() {
                    try eventually("mesh-node-3 is not alive again for \(number)") { () -> Void? in
                        count("mesh-node-3 is alive", number) > before[index] ? () : nil
                    }
                }
            }
        }
    }
}
