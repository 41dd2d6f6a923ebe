internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI
internal import MeshCore

extension CommandEntry {
    /// One thing that was looked at just now.
    private struct Finding {
        let name: String
        let isGood: Bool
        let detail: String
    }

    static let doctor = CommandEntry(
        Command(
            "doctor", "Look for what keeps the daemon from working",
            discussion: "One line for each check; status 1 when one of them failed.", flags: [.format],
            examples: ["meshctl doctor", "meshctl doctor -o json"])
    ) { context in
        var findings: [Finding] = []
        func note(_ name: String, _ isGood: Bool, _ detail: String) {
            findings.append(Finding(name: name, isGood: isGood, detail: detail))
        }
        do {
            let client = try context.client()
            let node: NodeStatusView = try client.get("/v1/node", timeout: .seconds(10))
            note("daemon", true, "\(node.name) answers on \(client.socketPath)")
            note(
                "version", node.version == MeshCtl.version,
                "meshd \(node.version), meshctl \(MeshCtl.version)")
            note(
                "publishing", node.publishingAllowed,
                node.publishingAllowed
                    ? "the node may append to its feed" : node.publishingRefusal ?? "not allowed")
            if let free = node.diskFreeBytes {
                let left = node.daysLeft.map { ", enough for \($0) days at the present growth" } ?? ""
                note(
                    "space", free > 1 << 30 && node.daysLeft ?? .max > 7, "\(free >> 20) MiB are free\(left)")
            }
            let peers: [PeerView] = try client.get("/v1/peers")
            let connected = peers.filter { $0.state == "connected" }.count
            note("peers", connected > 0, "\(connected) of \(peers.count) links are up")
            note(
                "engine", node.engine.name != nil,
                node.engine.name.map { "\($0) \(node.engine.version ?? "")" } ?? "nothing runs jobs here")
            let bundles: [FederationView] = try client.get("/v1/federations")
            if let pinned = bundles.first(where: \.pinned) {
                note(
                    "federation", pinned.complete,
                    "\(pinned.name): \(pinned.signatures.count) of \(pinned.members.count) members have signed"
                )
            } else {
                note("federation", false, "none is pinned, so no receipt can be verified by one")
            }
            let heads: [HeadView] = try client.get("/v1/dag/heads")
            let frozen = heads.filter(\.frozen).map { $0.nodeID ?? $0.did }
            note(
                "feeds", frozen.isEmpty,
                frozen.isEmpty
                    ? "\(heads.count) feeds, none is forked" : "forked: " + frozen.joined(separator: ", "))
            if let now = Timestamp(node.now) {
                let seconds = abs(now - Self.wallClock()) / 1000
                note("clock", seconds < 60, "the daemon's clock is \(seconds) s off this program's")
            }
        } catch let error as ControlClientError {
            note("daemon", false, error.message)
        } catch let refusal as ControlRefusal {
            note("control", false, refusal.error.message)
        }
        let tree = JSONTree.array(
            findings.map {
                .object([
                    .init(key: "name", value: .text($0.name)), .init(key: "ok", value: .boolean($0.isGood)),
                    .init(key: "detail", value: .text($0.detail)),
                ])
            })
        context.show(tree) { findings.map { "\($0.isGood ? "✓" : "✗") \($0.name): \($0.detail)" } }
        return findings.allSatisfy(\.isGood) ? .done : .error
    }
}
