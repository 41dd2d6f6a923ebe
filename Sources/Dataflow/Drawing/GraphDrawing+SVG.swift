extension GraphDrawing {
    private static let (boxWidth, boxHeight, columnGap, rowGap, margin) = (170, 44, 90, 22, 20)

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// At most 24 characters of a text, its end rather than its beginning: that is where ids differ.
    private func shortened(_ text: String) -> String {
        text.count <= 24 ? text : "…" + text.suffix(23)
    }

    /// For each node its row within its layer: near the middle of what feeds it, so that edges cross seldom.
    private func rows() -> [Int] {
        var rows = [Int](repeating: 0, count: nodeCount)
        var feeding = [[Int]](repeating: [], count: nodeCount)
        for (from, to) in pairs { feeding[to].append(from) }
        let layers = Dictionary(grouping: 0..<nodeCount) { depths[$0] }
        for (_, nodes) in layers.sorted(by: { $0.key < $1.key }) {
            let middles = nodes.map { node in
                let above = feeding[node].map { rows[$0] }
                return (above.isEmpty ? Double(node) : Double(above.reduce(0, +)) / Double(above.count), node)
            }
            for (row, place) in middles.sorted(by: { $0 < $1 }).enumerated() { rows[place.1] = row }
        }
        return rows
    }

    /// The graph as an SVG image, which needs nothing else to be shown.
    public var svg: String {
        let rows = rows()
        let width = Self.boxWidth + Self.columnGap
        let height = Self.boxHeight + Self.rowGap
        func corner(_ node: Int) -> (x: Int, y: Int) {
            (Self.margin + depths[node] * width, Self.margin + rows[node] * height)
        }
        let columns = (depths.max() ?? 0) + 1
        let total = (
            x: Self.margin * 2 + columns * width, y: Self.margin * 2 + ((rows.max() ?? 0) + 1) * height
        )
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(total.x) \(total.y)\" "
                + "width=\"\(total.x)\" height=\"\(total.y)\" font-family=\"sans-serif\" font-size=\"12\">",
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" "
                + "markerHeight=\"7\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#666\"/></marker></defs>",
            "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
        ]
        for (from, to) in pairs {
            let (begin, end) = (corner(from), corner(to))
            let (x1, y1) = (begin.x + Self.boxWidth, begin.y + Self.boxHeight / 2)
            let (x2, y2) = (end.x, end.y + Self.boxHeight / 2)
            let bend = max(Self.columnGap / 2, (x2 - x1) / 2)
            lines.append(
                "<path d=\"M\(x1),\(y1) C\(x1 + bend),\(y1) \(x2 - bend),\(y2) \(x2),\(y2)\" fill=\"none\" "
                    + "stroke=\"#666\" marker-end=\"url(#tip)\"/>")
        }
        for node in 0..<nodeCount {
            let (x, y) = corner(node)
            let (id, primitive) = labels(node)
            lines.append(
                "<g><title>\(escaped(id)) (\(escaped(primitive)))</title><rect x=\"\(x)\" y=\"\(y)\" "
                    + "width=\"\(Self.boxWidth)\" height=\"\(Self.boxHeight)\" rx=\"5\" fill=\"\(fill(node))\" "
                    + "stroke=\"#444\"/><text x=\"\(x + 8)\" y=\"\(y + 18)\">\(escaped(shortened(id)))</text>"
                    + "<text x=\"\(x + 8)\" y=\"\(y + 35)\" fill=\"#666\" font-size=\"10\">"
                    + "\(escaped(shortened(primitive)))</text></g>")
            for (row, name) in outputNames(node).prefix(2).enumerated() {
                lines.append(
                    "<text x=\"\(x + Self.boxWidth + 6)\" y=\"\(y + 8 + row * 12)\" fill=\"#06c\" "
                        + "font-size=\"10\">▸ \(escaped(shortened(name)))</text>")
            }
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }
}
