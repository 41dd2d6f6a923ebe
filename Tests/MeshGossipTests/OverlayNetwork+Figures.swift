import IPLD
import MeshCore
import MeshGossip
import MeshIdentity

extension OverlayNetwork {
    /// Nodes that are alive and honest.
    var honest: [Int] { nodes.indices.filter { nodes[$0].isAlive && !nodes[$0].isAttacker } }

    func index(of did: DID) -> Int? { nodes.firstIndex { $0.signed.record.did == did } }

    /// Whom each node holds for a neighbour, by index.
    func neighbours() -> [[Int]] {
        var byDID: [DID: Int] = [:]
        for index in nodes.indices { byDID[nodes[index].signed.record.did] = index }
        return nodes.map { node in
            node.isAlive ? node.overlay.neighbours.compactMap { byDID[$0.did] }.sorted() : []
        }
    }

    /// How many pairs hold each other for neighbours on one side only.
    func lopsidedCount() -> Int {
        let views = neighbours().map(Set.init)
        return honest.reduce(0) { sum, a in
            sum + views[a].sorted().filter { !nodes[$0].isAttacker && !views[$0].contains(a) }.count
        }
    }

    /// The sizes of the parts that fall apart when only honest, living nodes count, the largest first.
    func parts() -> [Int] {
        let views = neighbours()
        var unseen = Set(honest)
        var sizes: [Int] = []
        for start in honest where unseen.contains(start) {
            var size = 0
            var stack = [start]
            unseen.remove(start)
            while let node = stack.popLast() {
                size += 1
                for next in views[node] where unseen.remove(next) != nil { stack.append(next) }
            }
            sizes.append(size)
        }
        return sizes.sorted(by: >)
    }

    /// How an item spread: who missed it and how many hops the last of them was away.
    func spread(of ids: [CID]) -> (missed: Int, hopsMax: Int) {
        var missed = 0
        var hopsMax = 0
        for index in honest {
            for id in ids {
                if let hops = nodes[index].delivered[id] {
                    hopsMax = max(hopsMax, Int(hops))
                } else {
                    missed += 1
                }
            }
        }
        return (missed, hopsMax)
    }

    /// Items that came in vain, per node and item: 0 for a perfect tree.
    func redundancy(of itemCount: Int) -> Double {
        Double(pushCount) / Double(itemCount * (honest.count - 1)) - 1
    }

    /// A mesh of `count` nodes that all know the first, joined and settled.
    static func joined(
        _ count: Int, seed: UInt64, every milliseconds: Int64 = 20, settle: Int64 = 20_000,
        settings: OverlaySettings = OverlaySettings(), tree: BroadcastTreeSettings = BroadcastTreeSettings()
    ) throws -> OverlayNetwork {
        let network = OverlayNetwork(seed: seed)
        network.treeSettings = tree
        for index in 0..<count {
            try network.add(seeds: index == 0 ? [] : [0], settings: settings)
            network.run(milliseconds: milliseconds)
        }
        network.run(milliseconds: settle)
        return network
    }
}
