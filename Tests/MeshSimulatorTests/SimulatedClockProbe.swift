import IPLD
import MeshCore
import MeshDAG
import MeshIdentity
@testable import MeshSimulator
import MeshStorage

/// Looks at the dates of what nodes have published.
enum SimulatedClockProbe {
    /// For each of three nodes, its first anchor's time in milliseconds from the start of the run.
    static func firstAnchorTimes(_ fault: Fault?) -> [Int64] {
        let scenario = smallScenario { scenario in
            scenario.nodes = 3
            scenario.members = 3
            scenario.threshold = 1
            scenario.faults = fault.map { [$0] } ?? []
        }
        let world = World(Plan(scenario, seed: 3), isTracing: false)
        world.run()
        return world.nodes.map { node in
            var times: [Int64] = []
            try? node.disk.scan(.feeds, prefix: node.did.publicKey.bytes) { _, value in
                if let cid = try? CID(bytes: value),
                    let (_, anchor) = try? FeedGraph.anchor(cid, in: node.disk)
                {
                    times.append(anchor.time.milliseconds - SimulatedNode.epoch)
                }
                return false
            }
            return times.first ?? 0
        }
    }
}
