import MeshAPI
import MeshCore
import MeshEngine
import MeshTestSupport
import Testing

@Suite("How nodes find each other", .tags(.Size.small))
struct DiscoveryTests {
    private func links(_ mesh: Mesh, _ node: Int) throws -> [PeerView] {
        guard case .peers(let peers)? = try mesh.ask(node, .peers) else { return [] }
        return peers.filter { $0.state == "connected" }
    }

    @Test("three nodes of which two know only the third are all neighbours within a second")
    func triangle() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index > 0 { settings.peers = [NodeSettings.Peer(address: "node-0:1", did: nil)] }
        }
        mesh.letAllDial()
        _ = try mesh.run(until: { _ in false }, milliseconds: 1_000)
        for node in 0..<3 {
            #expect(try links(mesh, node).count == 2, "node \(node)")
            #expect(try links(mesh, node).allSatisfy(\.neighbour), "node \(node)")
        }
    }

    @Test("a node that restarts and knows no address finds its old neighbours again")
    func restart() throws {
        let mesh = try Mesh(count: 3) { index, settings in
            if index > 0 { settings.peers = [NodeSettings.Peer(address: "node-0:1", did: nil)] }
        }
        mesh.letAllDial()
        _ = try mesh.run(until: { _ in false }, milliseconds: 1_000)
        for other in [1, 2] { mesh.cut(0, other) }
        mesh.letAllDial()
        // The first node has no configured peers: what it knew is in its store.
        try mesh.restart(0, linking: false)
        let found = try mesh.run(until: { mesh in mesh.areLinked(0, 1) && mesh.areLinked(0, 2) })
        #expect(found)
    }

    @Test("a member that dies is gone for everyone who is linked with it, and alive again when it is back")
    func death() throws {
        let mesh = try Mesh(count: 4) { index, settings in
            if index > 0 { settings.peers = [NodeSettings.Peer(address: "node-0:1", did: nil)] }
        }
        mesh.letAllDial()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        func states(_ name: String) throws -> [String] {
            try [0, 1, 2].compactMap { node in
                guard case .nodes(let views)? = try mesh.ask(node, .nodes) else { return nil }
                return views.first { $0.nodeID == name }?.state
            }
        }
        #expect(try states("node-4") == ["alive", "alive", "alive"])
        mesh.kill(3)
        mesh.letAllDial()
        let begun = mesh.now
        while try states("node-4") != ["gone", "gone", "gone"], mesh.now - begun < 20_000 {
            _ = try mesh.run(until: { _ in false }, milliseconds: 50)
        }
        #expect(try states("node-4") == ["gone", "gone", "gone"])
        try mesh.restart(3, linking: false)
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        #expect(try states("node-4") == ["alive", "alive", "alive"])
    }
}
