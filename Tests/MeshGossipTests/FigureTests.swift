import Foundation
import IPLD
import MeshCore
import MeshGossip
import MeshTestSupport
import Testing

/// 25 nodes always; a hundred and a thousand where `MESH_LONG` is set, which takes minutes without optimisation.
private let nodeCounts =
    ProcessInfo.processInfo.environment["MESH_LONG"] == nil ? [25] : [25, 100, 1000]

@Suite("What spreading over overlay and tree costs", .tags(.Size.medium))
struct FigureTests {
    private func settled(_ count: Int, _ seed: Seed) throws -> OverlayNetwork {
        let network = try OverlayNetwork.joined(count, seed: seed.rawValue)
        #expect(network.parts() == [count])
        // The first items go everywhere and leave a tree behind.
        for index in 0..<20 {
            _ = network.publish(by: index % 2)
            network.run(milliseconds: 300)
        }
        network.run(milliseconds: 5000)
        network.resetCounts()
        return network
    }

    @Test("One sender costs hardly more than one copy for each node", arguments: nodeCounts, Seed.sample(3))
    func oneSender(_ count: Int, _ seed: Seed) throws {
        let network = try settled(count, seed)
        var ids: [CID] = []
        for _ in 0..<10 {
            ids.append(network.publish(by: 0))
            network.run(milliseconds: 300)
        }
        network.run(milliseconds: 5000)
        let spread = network.spread(of: ids)
        let redundancy = network.redundancy(of: ids.count)
        print("one of \(count), \(seed): redundancy \(redundancy), last hop \(spread.hopsMax)")
        #expect(spread.missed == 0)
        #expect(spread.hopsMax <= 10)
        #expect(redundancy <= 0.05)
    }

    @Test(
        "Twenty-five that publish at once cost at most three tenths more", arguments: nodeCounts,
        Seed.sample(3))
    func allAtOnce(_ count: Int, _ seed: Seed) throws {
        let network = try settled(count, seed)
        let ids = (0..<25).map { network.publish(by: $0) }
        network.run(milliseconds: 8000)
        let spread = network.spread(of: ids)
        let redundancy = network.redundancy(of: ids.count)
        print("25 of \(count), \(seed): redundancy \(redundancy), last hop \(spread.hopsMax)")
        #expect(spread.missed == 0)
        if count == 25 { #expect(spread.hopsMax <= 10) }
        #expect(redundancy <= 0.3)
    }

    @Test("Ten that publish by turns leave the tree as it is", arguments: nodeCounts, Seed.sample(3))
    func byTurns(_ count: Int, _ seed: Seed) throws {
        let network = try settled(count, seed)
        var ids: [CID] = []
        for index in 0..<100 {
            ids.append(network.publish(by: index % 10 * (count / 10)))
            network.run(milliseconds: 100)
        }
        network.run(milliseconds: 5000)
        let spread = network.spread(of: ids)
        let redundancy = network.redundancy(of: ids.count)
        print("ten of \(count), \(seed): redundancy \(redundancy), last hop \(spread.hopsMax)")
        #expect(spread.missed == 0)
        #expect(spread.hopsMax <= 12)
        #expect(redundancy <= 0.05)
    }

    @Test("Nothing is missed where two frames in a hundred are lost", arguments: nodeCounts, Seed.sample(3))
    func loss(_ count: Int, _ seed: Seed) throws {
        let network = try settled(count, seed)
        network.treeLoss = 0.02
        var ids: [CID] = []
        for index in 0..<10 {
            ids.append(network.publish(by: index))
            network.run(milliseconds: 300)
        }
        network.run(milliseconds: 15_000)
        let spread = network.spread(of: ids)
        print(
            "loss at \(count), \(seed): redundancy \(network.redundancy(of: ids.count)), last hop \(spread.hopsMax)"
        )
        #expect(spread.missed == 0)
    }
}
