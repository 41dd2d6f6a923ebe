import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@testable import MeshDevnet

/// The daemon that the build puts beside the tests.
private let daemon: String? = {
    let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
    var folder = URL(fileURLWithPath: bundle ?? CommandLine.arguments[0]).deletingLastPathComponent()
    while folder.path != "/" {
        let candidate = folder.appendingPathComponent("meshd").path
        if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        folder.deleteLastPathComponent()
    }
    return nil
}()

@Suite("A network of daemons", .tags(.Size.large), .serialized)
struct DevnetTests {
    /// Roles without a runtime make daemons that start quickly.
    private func devnet(_ count: Int) throws -> Devnet {
        var plan = Devnet.Plan(nodeCount: count)
        plan.program = daemon
        plan.roles = ["submitter"]
        plan.memberCount = 0
        plan.rule.latency = .constant(.milliseconds(2))
        return try Devnet(plan)
    }

    @Test("Three daemons find each other through relays; one is killed, the others see it, and it comes back")
    func kill() throws {
        let devnet = try devnet(3)
        defer { devnet.end() }
        try devnet.start()
        try devnet.awaitKnown()
        let relay = try #require(devnet.relay)
        #expect(relay.statistics.bytes > 0)
        let victim = devnet.nodes[2]
        victim.crash()
        #expect(!victim.isRunning)
        for node in devnet.nodes.prefix(2) {
            let _: [PeerView] = try node.poll("/v1/peers") { peers in
                !peers.contains { $0.did == victim.did && $0.state == "connected" }
            }
        }
        try devnet.restart(2)
        try devnet.awaitKnown()
        devnet.end()
        #expect(devnet.nodes.allSatisfy { !$0.isRunning })
        #expect(!FileManager.default.fileExists(atPath: devnet.directory))
    }
}
