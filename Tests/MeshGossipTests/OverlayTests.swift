import MeshCore
import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("The overlay", .tags(.Size.small))
struct OverlayTests {
    @Test("Nodes whose configuration names each other become a complete mesh", arguments: Seed.sample(10))
    func complete(_ seed: Seed) throws {
        for count in [2, 3, 5, 9] {
            let network = OverlayNetwork(seed: seed.rawValue)
            for index in 0..<count { try network.add(seeds: (0..<count).filter { $0 != index }) }
            network.run(milliseconds: 90_000)
            for (index, view) in network.neighbours().enumerated() {
                #expect(view == (0..<count).filter { $0 != index }, "node \(index) of \(count)")
            }
        }
    }

    @Test("Nine nodes that know only the first become a complete mesh", arguments: Seed.sample(10))
    func completeByOneSeed(_ seed: Seed) throws {
        let network = try OverlayNetwork.joined(9, seed: seed.rawValue, settle: 120_000)
        for (index, view) in network.neighbours().enumerated() {
            #expect(view == (0..<9).filter { $0 != index }, "node \(index)")
        }
    }

    @Test("Two that dial each other at once keep one link, and are neighbours", arguments: Seed.sample(20))
    func simultaneous(_ seed: Seed) throws {
        let network = OverlayNetwork(seed: seed.rawValue, latencies: 1...80)
        try network.add(seeds: [1])
        try network.add(seeds: [0])
        network.run(milliseconds: 5000)
        #expect(network.neighbours() == [[1], [0]])
        #expect(network.nodes[0].links.count == 1)
        #expect(network.nodes[0].links == network.nodes[1].links)
        // The link that stays is the one that the smaller DID dialled.
        let link = try #require(network.nodes[0].links.first)
        let dialler = try #require(network.connections[link]?.ends[0])
        #expect(network.nodes[dialler].signed.record.did < network.nodes[1 - dialler].signed.record.did)
    }

    @Test(
        "A mesh grown from one seed is connected and mutual, and stays so when a third of it dies",
        arguments: [25, 100], Seed.sample(3))
    func joinAndDie(_ count: Int, _ seed: Seed) throws {
        let network = try OverlayNetwork.joined(count, seed: seed.rawValue)
        #expect(network.parts() == [count])
        #expect(network.lopsidedCount() == 0)
        let degrees = network.neighbours().map(\.count)
        #expect(degrees.allSatisfy { (4...OverlaySettings().activeCountMax).contains($0) })
        for index in 0..<count * 3 / 10 { network.kill(index * 3) }
        network.run(milliseconds: 20_000)
        #expect(network.parts() == [network.honest.count])
        #expect(network.lopsidedCount() == 0)
    }

    @Test("The halves of a healed partition find each other with full views", arguments: Seed.sample(3))
    func partition(_ seed: Seed) throws {
        let network = OverlayNetwork(seed: seed.rawValue)
        for index in 0..<40 {
            try network.add(seeds: [0, 1].filter { $0 < index })
            network.run(milliseconds: 20)
        }
        network.run(milliseconds: 20_000)
        network.partition { $0 % 2 }
        network.run(milliseconds: 120_000)
        #expect(network.parts() == [20, 20])
        network.partition { _ in 0 }
        network.run(milliseconds: 30_000)
        #expect(network.parts() == [40])
        #expect(network.lopsidedCount() == 0)
    }

    @Test("A node that remembers its peers comes back without any that were named")
    func restore() throws {
        let network = try OverlayNetwork.joined(12, seed: 4)
        let kept = network.nodes[7].overlay.memorable
        #expect(kept.count == 11)
        network.kill(7)
        network.run(milliseconds: 1000)
        network.restart(7, restoring: kept)
        network.run(milliseconds: 5000)
        #expect(network.neighbours()[7].count >= 2)
        #expect(network.parts() == [12])
    }

    @Test("A dial that fails is tried again ever more rarely, for ever when the peer was named")
    func backoff() throws {
        let network = OverlayNetwork(seed: 5)
        try network.add(seeds: [1])
        network.run(milliseconds: 10_000)
        let early = network.dialCount
        #expect((6...12).contains(early))
        network.run(milliseconds: 3_600_000)
        // Half an interval of 30 s at least, a whole one at most, in an hour.
        #expect((120...241).contains(network.dialCount - early))
        try network.add(seeds: [])
        network.run(milliseconds: 31_000)
        #expect(network.neighbours() == [[1], [0]])
    }

    @Test("A direct link is closed when it is idle, and not before")
    func idle() throws {
        let network = OverlayNetwork(seed: 6)
        try network.add(seeds: [])
        try network.add(seeds: [])
        let settings = OverlaySettings()
        let peer = network.nodes[1].signed.record
        network.input(.reach(peer.did, addresses: peer.addresses), to: 0)
        network.run(milliseconds: 1000)
        #expect(network.nodes[0].links.count == 1)
        #expect(network.neighbours() == [[], []])
        let link = PeerLink(rawValue: try #require(network.nodes[0].links.first))
        for _ in 0..<5 {
            network.run(milliseconds: settings.directIdleMilliseconds / 2)
            for index in 0...1 { network.input(.used(link), to: index) }
        }
        #expect(network.nodes[0].links.count == 1)
        network.run(milliseconds: settings.directIdleMilliseconds + 200)
        #expect(network.nodes[0].links == [] && network.nodes[1].links == [])
    }

    @Test(
        "Attackers who press themselves on everyone leave the honest with honest neighbours",
        arguments: Seed.sample(3))
    func eclipse(_ seed: Seed) throws {
        let network = try OverlayNetwork.joined(60, seed: seed.rawValue)
        for _ in 0..<30 { try network.add(seeds: [], isAttacker: true) }
        network.run(milliseconds: 180_000)
        let views = network.neighbours()
        let honest = network.honest.map { index in views[index].filter { !network.nodes[$0].isAttacker }.count
        }
        print("eclipse: honest neighbours at least \(honest.min() ?? 0), parts \(network.parts())")
        #expect(honest.allSatisfy { $0 >= 1 })
        #expect(network.parts() == [60])
    }

    @Test("One public network gets a few of the places, and a private one as many as there are")
    func prefixes() throws {
        for (host, limit) in [("203.0.", 4), ("192.168.", 8), ("[2001:db8:", 4)] {
            let network = OverlayNetwork(seed: 8)
            for index in 0..<9 {
                let address = host.hasPrefix("[") ? "\(host)\(index)::1]:70" : "\(host)\(index).1:70"
                try network.add(seeds: [], address: address)
            }
            let members = network.nodes.map(\.signed)
            network.input(.learned(members), to: 0)
            network.run(milliseconds: 60_000)
            #expect(network.neighbours()[0].count == limit, "\(host)")
        }
    }

    @Test("A peer that shows another's record as its own is closed")
    func impostor() throws {
        let network = OverlayNetwork(seed: 9)
        for _ in 0..<3 { try network.add(seeds: []) }
        var overlay = Overlay(own: network.nodes[0].signed, seed: 1)
        let link = PeerLink(rawValue: 1)
        _ = overlay.step(
            .linkOpened(link, peer: network.nodes[1].signed.record.did, address: "inbound", outbound: false),
            now: network.now)
        let effects = overlay.step(
            .frame(link, .neighbour(network.nodes[2].signed, isUrgent: true)), now: network.now)
        #expect(effects.count == 1)
        guard case .close(link, _)? = effects.first else {
            Issue.record("the link was not closed: \(effects)")
            return
        }
        #expect(overlay.neighbours.isEmpty)
    }
}
