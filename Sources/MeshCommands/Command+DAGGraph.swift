internal import MeshCore
internal import CommandLineArguments
internal import ControlClient
internal import IPLD
internal import MeshAPI
internal import MeshDAG
internal import MeshIdentity

extension CommandEntry {
    static let dagGraph = CommandEntry(
        Command(
            "graph", "Draw the shared DAG: feeds side by side, time across",
            discussion: """
                Anchors are boxes, `prev` and `parents` are arrows. dot is Graphviz's language; svg needs nothing else
                to be looked at. With FILE.car it draws an export and needs no daemon.
                """,
            flags: [
                Flag("format", .choice(["dot", "svg"]), "The language of the drawing", default: "dot"),
                Flag("limit", .integer("N", 1...10_000), "The newest N anchors", default: "200"),
                Flag("output", short: "o", .text("PATH"), "Where to write it (- is standard output)"),
            ],
            operands: [Operand("FILE.car", "An export of feeds", isOptional: true)],
            examples: [
                "meshctl dag graph --format svg -o dag.svg",
                "meshctl dag graph all.car | dot -Tpng > dag.png",
            ])
    ) { context in
        let bytes: [UInt8]
        var names: [String: String] = [:]
        if let file = context.arguments.operand("FILE.car") {
            bytes = try context.contents(of: file)
        } else {
            let client = try context.client()
            bytes = try client.bytes("/v1/dag/export")
            let nodes: [NodeView] = try client.get("/v1/nodes")
            for node in nodes { names[node.did] = node.nodeID }
        }
        let archive: CAR
        do throws(IPLDError) { archive = try CAR(decoding: bytes) } catch {
            throw CommandFailure(code: "car.malformed", error.message)
        }
        let drawing = DAGDrawing(
            archive, limit: context.arguments.integer("limit") ?? 200, names: names)
        let text = context.arguments.text("format") == "svg" ? drawing.svg : drawing.dot
        try context.write(Array(text.utf8), to: context.arguments.text("output"))
        return .done
    }
}

/// The anchors of an export, ready to be drawn.
struct DAGDrawing {
    private struct Box {
        let cid: CID
        let anchor: Anchor
        let kinds: [String]
    }

    /// In the order of their times.
    private let boxes: [Box]
    /// One line of the drawing for each feed.
    private let feeds: [FeedID]
    private let names: [String: String]

    init(_ archive: CAR, limit: Int, names: [String: String]) {
        var blocks: [CID: [UInt8]] = [:]
        for block in archive.blocks { blocks[block.cid] = block.bytes }
        let found = archive.blocks.compactMap { block -> Box? in
            guard let envelope = try? Envelope(decoding: block.bytes), let anchor = try? Anchor(envelope)
            else {
                return nil
            }
            let kinds = anchor.entries.map { entry in
                blocks[entry].flatMap { RecordPeek.text("kind", in: $0) } ?? "?"
            }
            return Box(cid: block.cid, anchor: anchor, kinds: kinds)
        }.sorted { ($0.anchor.time, $0.cid) < ($1.anchor.time, $1.cid) }
        boxes = Array(found.suffix(limit))
        feeds = Set(boxes.map(\.anchor.feed)).sorted()
        self.names = names
    }

    private func name(_ feed: FeedID) -> String {
        names[feed.author.description] ?? String(feed.author.description.suffix(8))
    }

    /// The links that lead to a box which is drawn, `prev` first.
    private func links(_ box: Box) -> [(to: CID, isPrev: Bool)] {
        let drawn = Set(boxes.map(\.cid))
        let prev = box.anchor.prev.map { [(to: $0, isPrev: true)] } ?? []
        return (prev + box.anchor.parents.map { (to: $0, isPrev: false) }).filter { drawn.contains($0.to) }
    }

    /// Graphviz.
    var dot: String {
        var lines = [
            "digraph dag {", "  rankdir=LR;", "  node [shape=box, fontname=\"sans-serif\", fontsize=10];",
        ]
        for (index, feed) in feeds.enumerated() {
            lines.append("  subgraph cluster_\(index) {")
            lines.append("    label=\"\(Self.escaped(name(feed)))\";")
            for box in boxes where box.anchor.feed == feed {
                let label = "\(box.anchor.seq)\\n" + box.kinds.map(Self.escaped).joined(separator: "\\n")
                lines.append("    \"\(box.cid)\" [label=\"\(label)\"];")
            }
            lines.append("  }")
        }
        for box in boxes {
            for link in links(box) {
                lines.append("  \"\(box.cid)\" -> \"\(link.to)\"\(link.isPrev ? "" : " [style=dashed]");")
            }
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }

    /// A drawing of its own: a row for each feed, a column for each anchor.
    var svg: String {
        let (column, row, left, height) = (120, 90, 150, 44)
        var places: [CID: (x: Int, y: Int)] = [:]
        for (index, box) in boxes.enumerated() {
            places[box.cid] = (left + index * column, 40 + (feeds.firstIndex(of: box.anchor.feed) ?? 0) * row)
        }
        let width = left + boxes.count * column + 20
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(40 + feeds.count * row)\" font-family=\"sans-serif\" font-size=\"11\">"
        ]
        for (index, feed) in feeds.enumerated() {
            lines.append("<text x=\"10\" y=\"\(66 + index * row)\">\(Self.escaped(name(feed)))</text>")
        }
        for box in boxes {
            guard let from = places[box.cid] else { continue }
            for link in links(box) {
                guard let to = places[link.to] else { continue }
                lines.append(
                    "<line x1=\"\(from.x)\" y1=\"\(from.y + height / 2)\" x2=\"\(to.x + 100)\" y2=\"\(to.y + height / 2)\" stroke=\"\(link.isPrev ? "#333" : "#aaa")\"/>"
                )
            }
        }
        for box in boxes {
            guard let place = places[box.cid] else { continue }
            let kinds = box.kinds.count > 1 ? "\(box.kinds.count) entries" : box.kinds.first ?? ""
            lines.append(
                "<g><title>\(box.cid) \(Self.escaped(box.kinds.joined(separator: " ")))</title><rect x=\"\(place.x)\" y=\"\(place.y)\" width=\"100\" height=\"\(height)\" rx=\"4\" fill=\"#eef\" stroke=\"#447\"/><text x=\"\(place.x + 6)\" y=\"\(place.y + 18)\">\(box.anchor.seq)</text><text x=\"\(place.x + 6)\" y=\"\(place.y + 34)\">\(Self.escaped(kinds))</text></g>"
            )
        }
        return lines.joined(separator: "\n") + "\n</svg>\n"
    }

    /// Text from peers, made harmless in both languages.
    private static func escaped(_ text: String) -> String {
        var safe = ""
        for scalar in text.unicodeScalars.prefix(80) {
            switch scalar {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"", "\\": safe += "'"
            case _ where scalar.value < 0x20: safe += " "
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }
}
