import ControlClient
import Foundation
import MeshDevnet
import Glibc
import IPLD
import MeshAPI
import MeshCore
import MeshDAG
import MeshGossip
import MeshIdentity
import MeshMarket
import MeshTestSupport
import MeshTransport
import Testing

extension WholeNodes {
    @Suite("Hostile peers", .tags(.Size.large))
    struct HostilePeers {
        /// The most by which a daemon may grow under attack, in bytes.
        static let growthMax = 64 << 20

        private func runsAJob(_ cluster: Cluster, from number: Int = 2) throws {
            let id = try cluster[number].submit(Losses.short(cluster[number]))
            let job = try cluster[number].job(id) { $0.verification.final }
            #expect(job.status == "Completed" && job.verification.state == "Verified", "\(job)")
        }

        private func counters(_ node: TestNode, _ did: DID) throws -> [String: Int]? {
            let peers = try node.ctl("node", "peers", "-o", "json").objects()
            return peers.first { $0["did"] as? String == did.description }?["counters"] as? [String: Int]
        }

        @Test("garbage, half-open connections and wrong certificates at the port disturb nobody")
        func strangers() throws {
            try withCluster { cluster in
                try runsAJob(cluster)
                let node = cluster[1]
                let before = try node.residentBytes()
                let port = try #require(node.address.split(separator: ":").last)
                let target = "/dev/tcp/127.0.0.1/\(port)"
                // Connections that are opened and say nothing.
                let silent = try ChildProcess(
                    "/bin/bash",
                    [
                        "-c",
                        "for i in {1..100}; do exec {d}<>\(target) || exit 1; done; echo open; read -r -t 60 < <(sleep 60)",
                    ],
                    hasOwnGroup: false, log: cluster.directory + "/silent")
                defer { silent.signal(SIGKILL) }
                try eventually("the half-open connections are not there") {
                    (try? String(contentsOfFile: cluster.directory + "/silent", encoding: .utf8)) == "open\n"
                        ? () : nil
                }
                for _ in 0..<10 {
                    let garbage = try Programs.run(
                        "/bin/bash",
                        [
                            "-c",
                            "exec 3<>\(target); head -c 20000 /dev/urandom >&3; timeout 5 cat <&3 >/dev/null; true",
                        ])
                    #expect(garbage.status == 0)
                }
                let made = try Programs.run(
                    "/usr/bin/openssl",
                    [
                        "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=mallory", "-keyout",
                        cluster.directory + "/m.key", "-out", cluster.directory + "/m.pem",
                    ])
                try #require(made.status == 0, "\(made)")
                for certificate in [
                    [], ["-cert", cluster.directory + "/m.pem", "-key", cluster.directory + "/m.key"],
                ] {
                    for version in ["-tls1_3", "-tls1_2"] {
                        let dialled = try Programs.run(
                            "/usr/bin/openssl",
                            [
                                "s_client", "-connect", node.address, version, "-alpn", "planetary-mesh/1",
                                "-quiet",
                            ]
                                + certificate, input: [UInt8](repeating: 0x41, count: 4000))
                        #expect(dialled.status != 0 || dialled.outputBytes.isEmpty, "\(dialled)")
                    }
                }
                try runsAJob(cluster)
                try runsAJob(cluster, from: 1)
                #expect(try node.status().peersConnected == 2)
                for kind in ["handshake-failed", "half-open-limit", "wrong-certificate"] {
                    #expect(
                        node.log.split(separator: "\n").count { $0.contains("transport.\(kind);") } == 1,
                        "\(kind)")
                }
                #expect(try node.residentBytes() - before < Self.growthMax)
                #expect(node.process?.hasEnded == nil)
            }
        }

        struct Attack {
            let fault: PeerFault
            /// Whether the link is ended for it.
            let closes: Bool
            let act: (Attacker, LinkID) throws -> Void
        }

        private func attacks() -> [Attack] {
            [
                Attack(fault: .malformedFrame, closes: true) { attacker, link in
                    attacker.send(
                        type: FrameType.push.rawValue, (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) },
                        to: link)
                },
                Attack(fault: .malformedFrame, closes: true) { attacker, link in
                    // A good frame without its end.
                    let body = Frame.push(attacker.anchor(seq: 0, note: Attacker.note(1)), hops: 0).encoded
                    attacker.send(type: FrameType.push.rawValue, Array(body.dropLast(40)), to: link)
                },
                Attack(fault: .malformedFrame, closes: true) { attacker, link in
                    attacker.send(.block(CID(of: [1], codec: .raw), [2]), to: link)
                },
                Attack(fault: .wrongNetwork, closes: true) { attacker, link in
                    attacker.send(
                        .hello(
                            network: "elsewhere", features: [],
                            fingerprint: Bytes32([UInt8](repeating: 0, count: 32)),
                            member: attacker.member.envelope), to: link)
                },
                Attack(fault: .badSignature, closes: true) { attacker, link in
                    var anchor = attacker.anchor(seq: 0, note: Attacker.note(1))
                    // Byte 3 to 66 are the signature.
                    anchor.envelope[20] ^= 1
                    attacker.send(.push(anchor, hops: 0), to: link)
                },
                Attack(fault: .badSignature, closes: true) { attacker, link in
                    // In another's name.
                    let bids = Bids(
                        bidder: DID(publicKey: Bytes32([UInt8](repeating: 7, count: 32))),
                        time: Timestamp(milliseconds: 0), bids: [])
                    let envelope = Envelope(signing: bids.encoded, tag: Bids.tag, by: attacker.identity)
                    attacker.send(.message(envelope: envelope.bytes, hops: 3), to: link)
                },
                Attack(fault: .futureClock, closes: false) { attacker, link in
                    let first = attacker.anchor(seq: 0, note: Attacker.note(1))
                    attacker.send(.push(first, hops: 0), to: link)
                    attacker.send(
                        .push(
                            attacker.anchor(seq: 1, after: first, milliseconds: 1, note: Attacker.note(2)),
                            hops: 0),
                        to: link)
                },
                Attack(fault: .tooMuchWaiting, closes: false) { attacker, link in
                    for seq in 1...1100 {
                        attacker.send(
                            .push(attacker.anchor(seq: UInt64(seq), note: Attacker.note(seq)), hops: 0),
                            to: link)
                    }
                },
            ]
        }

        /// Attacks, and looks at what the node makes of it: three times where it ends the link.
        private func commit(_ attack: Attack, _ index: Int, _ node: TestNode) throws {
            let attacker = try Attacker()
            defer { attacker.end() }
            let key = "fault_\(attack.fault.rawValue)"
            let rounds = attack.closes ? 2 : 1
            for round in 1...rounds {
                var link = try attacker.connect(to: node)
                try attack.act(attacker, link)
                if attack.closes {
                    let code = try attacker.closed(link)
                    #expect(code == attack.fault.rawValue, "attack \(index)")
                    // It comes back, and the node remembers.
                    link = try attacker.connect(to: node)
                }
                let count: Int = try eventually("attack \(index) is not counted") {
                    try counters(node, attacker.identity.did)?[key]
                }
                #expect(attack.closes ? count == round : count >= 1, "attack \(index)")
                attacker.hangUp(link)
                _ = try attacker.closed(link)
            }
            if attack.closes, attack.fault != .wrongNetwork {
                // Once more, and it is not linked with for a while.
                let link = try attacker.connect(to: node)
                try attack.act(attacker, link)
                _ = try attacker.closed(link)
                #expect(try attacker.closed(try attacker.connect(to: node)) == "score", "attack \(index)")
            }
            let name = attacker.identity.did.description.suffix(12)
            let lines = node.log.split(separator: "\n").filter {
                $0.contains(" warning ") && $0.contains("\(name): \(attack.fault.rawValue): ")
            }
            #expect(lines.count == 1, "attack \(index): \(lines)")
        }

        /// Sends a frame that is not let in, and looks for its counter after coming back.
        private func send(_ type: UInt8, _ size: Int, _ node: TestNode, fault: String) throws {
            let attacker = try Attacker()
            defer { attacker.end() }
            let link = try attacker.connect(to: node)
            attacker.send(type: type, [UInt8](repeating: 0, count: size), to: link)
            _ = try attacker.closed(link)
            let again = try attacker.connect(to: node)
            let count: Int = try eventually("\(fault) is not counted") {
                try counters(node, attacker.identity.did)?["wire_\(fault)"]
            }
            #expect(count == 1)
            attacker.hangUp(again)
            _ = try attacker.closed(again)
        }

        @Test("what a peer does wrong is counted and logged once, and ends its link where it must")
        func faults() throws {
            try withCluster { cluster in
                try runsAJob(cluster)
                try cluster.awaitEqualHeads()
                let node = cluster[1]
                let before = try node.residentBytes()
                let heads = try node.heads()
                let client = try node.client()
                // Another's newest anchor, as anybody could have recorded it.
                let log: [AnchorView] = try client.get(
                    "/v1/dag/log", query: ["author": cluster[2].did, "limit": "1"])
                let newest = try #require(log.first)
                let stolen = WireAnchor(
                    envelope: try client.bytes("/v1/dag/\(newest.cid)"),
                    entries: try newest.entries.map { try client.bytes("/v1/dag/\($0.cid)") }, attachments: []
                )
                for (index, attack) in attacks().enumerated() { try commit(attack, index, node) }
                // Frames that the transport itself refuses.
                let wire: [(type: UInt8, size: Int, name: String)] = [
                    (FrameType.push.rawValue, 1100 * 1024, "frame-oversized"),
                    (FrameType.hello.rawValue, 5000, "frame-oversized"), (99, 10, "frame-unknown"),
                ]
                for frame in wire { try send(frame.type, frame.size, node, fault: frame.name) }
                for name in ["frame-oversized", "frame-unknown"] {
                    #expect(node.log.split(separator: "\n").count { $0.contains("transport.\(name);") } == 1)
                }

                // The same anchor a thousand times changes nothing.
                let replayer = try Attacker()
                defer { replayer.end() }
                let link = try replayer.connect(to: node)
                for _ in 0..<1000 { replayer.send(.push(stolen, hops: 0), to: link) }
                // What is dated in the future waits and is not shown.
                let future = try Attacker()
                defer { future.end() }
                let dated = future.anchor(
                    seq: 0, milliseconds: Int64(Date().timeIntervalSince1970 * 1000) + 600_000,
                    note: Attacker.note(1))
                future.send(.push(dated, hops: 0), to: try future.connect(to: node))
                try eventually("it does not wait") {
                    try node.status().queueLengths["anchors_waiting"] ?? 0 > 0 ? () : nil
                }

                try runsAJob(cluster)
                try runsAJob(cluster, from: 1)
                let after = try node.heads()
                #expect(!after.contains { $0.did == future.identity.did.description })
                for head in heads {
                    #expect(after.contains { $0.did == head.did && $0.seq >= head.seq && !$0.frozen })
                }
                #expect(try node.residentBytes() - before < Self.growthMax)
                try cluster.awaitEqualHeads()
            }
        }

        @Test("an author of two histories is frozen on every node, and the evidence is published")
        func fork() throws {
            try withCluster { cluster in
                try runsAJob(cluster)
                let attacker = try Attacker()
                defer { attacker.end() }
                let link = try attacker.connect(to: cluster[1])
                let did = attacker.identity.did.description
                let first = attacker.anchor(seq: 0, note: Attacker.note(0))
                let left = attacker.anchor(seq: 1, after: first, note: Attacker.note(1))
                let right = attacker.anchor(seq: 1, after: first, note: Attacker.note(2))
                attacker.send(.push(first, hops: 0), to: link)
                attacker.send(.push(left, hops: 0), to: link)
                try eventually("the first history does not spread") {
                    try cluster[3].heads().contains { $0.did == did && $0.seq == 1 && !$0.frozen } ? () : nil
                }
                attacker.send(.push(right, hops: 0), to: link)
                for node in cluster.nodes {
                    try eventually("\(node.name) does not freeze it") {
                        let heads = try node.ctl("dag", "heads", "-o", "json").objects()
                        return heads.contains {
                            $0["did"] as? String == did && $0["frozen"] as? Bool == true
                                && $0["seq"] as? Int == 1
                        }
                            ? () : nil
                    }
                }
                let log: [AnchorView] = try eventually("no evidence") {
                    let log: [AnchorView] = try cluster[3].client().get("/v1/dag/log", query: ["limit": "50"])
                    return log.contains { $0.entries.contains { $0.kind == "evidence.equivocation" } }
                        ? log : nil
                }
                #expect(log.contains { $0.did != did })
                // What it adds above the fork is nobody's concern.
                let more = attacker.anchor(seq: 2, after: left, note: Attacker.note(3))
                attacker.send(.push(more, hops: 0), to: link)
                try runsAJob(cluster)
                let heads = try cluster.awaitEqualHeads()
                #expect(heads.filter(\.frozen).map(\.did) == [did])
                for node in cluster.nodes {
                    let lines = node.log.split(separator: "\n").filter { $0.contains("signed two histories") }
                    #expect(lines.count == 1, "\(node.name): \(lines)")
                }
                // And after a restart it is frozen still.
                try cluster[2].kill()
                try cluster[2].start()
                try cluster.awaitLinked()
                #expect(try cluster[2].heads().contains { $0.did == did && $0.frozen })
            }
        }

        @Test("a node whose key is used elsewhere is frozen, says so, and the others go on without it")
        func stolenKey() throws {
            try withCluster { cluster in
                try runsAJob(cluster)
                try cluster.awaitEqualHeads()
                let victim = cluster[2]
                let client = try cluster[1].client()
                let log: [AnchorView] = try client.get(
                    "/v1/dag/log", query: ["author": victim.did, "limit": "2"])
                try #require(log.count == 2 && log[0].seq == log[1].seq + 1)
                let previous = WireAnchor(
                    envelope: try client.bytes("/v1/dag/\(log[1].cid)"), entries: [], attachments: [])
                let attacker = try Attacker()
                defer { attacker.end() }
                let forged = attacker.anchor(
                    seq: UInt64(log[0].seq), after: previous, note: Attacker.note(1),
                    by: try victim.identity())
                attacker.send(.push(forged, hops: 0), to: try attacker.connect(to: cluster[1]))
                for node in cluster.nodes {
                    try eventually("\(node.name) does not freeze it") {
                        try node.heads().contains {
                            $0.did == victim.did && $0.frozen && $0.seq == log[0].seq
                        }
                            ? () : nil
                    }
                }
                #expect(try victim.status().publishingRefusal?.contains("frozen") == true)
                #expect {
                    try victim.submit(Losses.short(victim))
                } throws: { error in
                    (error as? ControlRefusal)?.error.code == "node.not-publishing"
                }
                var request = try Losses.short(cluster[1])
                request.verify = "none"
                request.bidWindowMs = 300
                let id = try cluster[1].submit(request)
                let done = try cluster[1].job(id) { $0.hasEnded }
                #expect(done.status == "Completed" && done.executor.nodeID == "mesh-node-3", "\(done)")
                let explained = try cluster[1].ctl("explain", id, "-o", "json").objects()
                #expect(
                    explained.first { $0["did"] as? String == victim.did }?["reason_code"] as? String
                        == "frozen")
            }
        }

        @Test("ten thousand junk messages leave the memory bounded and the jobs of others complete")
        func flood() throws {
            try withCluster { cluster in
                try runsAJob(cluster)
                let node = cluster[1]
                let before = try cluster.nodes.map { try $0.residentBytes() }
                let attacker = try Attacker()
                defer { attacker.end() }
                let link = try attacker.connect(to: node)
                for number in 0..<10_000 {
                    let envelope = Envelope(
                        signing: Attacker.note(number, size: 1000), tag: "test/junk@1", by: attacker.identity)
                    attacker.send(.message(envelope: envelope.bytes, hops: 4), to: link)
                }
                try runsAJob(cluster)
                try runsAJob(cluster, from: 1)
                // An anchor behind the messages: when it is there, they have been dealt with.
                attacker.send(.push(attacker.anchor(seq: 0, note: Attacker.note(1)), hops: 0), to: link)
                try eventually("the messages are not through", within: 60) {
                    try node.heads().contains { $0.did == attacker.identity.did.description } ? () : nil
                }
                for (index, node) in cluster.nodes.enumerated() {
                    let growth = try node.residentBytes() - before[index]
                    print("\(node.name) grew by \(growth / 1024) KiB")
                    #expect(growth < Self.growthMax, "\(node.name)")
                }
                try cluster.awaitEqualHeads()
            }
        }
    }
}
