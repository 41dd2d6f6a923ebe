/// Draws traces: nodes down the side, time across, messages, faults, and what was broken.
public enum Plot {
    private static let left = 60.0
    private static let width = 1_100.0
    private static let row = 18.0
    /// More arrows than these are thinned out evenly.
    private static let messageMax = 4_000
    /// More curves than these are thinned out evenly; the slowest is always drawn.
    private static let curveMax = 60
    /// More points than these on one curve are thinned out evenly; the last is always drawn.
    private static let pointMax = 100

    private struct Line {
        let time: Double
        let words: [Substring]
    }

    /// A trace as an SVG document.
    ///
    /// - Returns: `nil` when the trace's header does not describe a run.
    public static func svg(_ trace: TraceFile) -> String? {
        guard let plan = trace.plan else { return nil }
        let lines = trace.lines.compactMap { line -> Line? in
            let words = line.split(separator: " ")
            guard let time = words.first.flatMap({ Double($0) }) else { return nil }
            return Line(time: time, words: Array(words.dropFirst()))
        }
        let end = max(1, lines.last?.time ?? 1)
        let rows = Double(plan.nodeCount)
        let height = 40 + rows * row
        func x(_ time: Double) -> Double { left + time / end * width }
        func y(_ node: Int) -> Double { 30 + (Double(node) + 0.5) * row }
        var svg: [String] = []
        svg += faults(plan, x, y)
        for node in 0..<plan.nodeCount {
            let colour = plan.behaviour(of: node) == nil ? "#333" : "#c00"
            svg.append(text(4, y(node) + 4, NodeName.text(node), colour))
            svg.append(stroke(left, y(node), left + width, y(node), "#ddd", 1))
        }
        let messages = lines.filter { $0.words.count > 3 && $0.words[1] == "→" && $0.words[3] != "lost" }
        let step = max(1, messages.count / messageMax)
        for index in stride(from: 0, to: messages.count, by: step) {
            let line = messages[index]
            guard let a = NodeName.index(String(line.words[0])), let b = NodeName.index(String(line.words[2]))
            else { continue }
            svg.append(stroke(x(line.time), y(a), x(line.time), y(b), colour(line.words[3]), 0.4))
        }
        for line in lines where line.words.first == "broken:" {
            svg.append(stroke(x(line.time), 20, x(line.time), height - 10, "#c00", 2))
            svg.append(
                text(min(x(line.time) + 4, left + width - 300), 14, line.words.joined(separator: " "), "#c00")
            )
        }
        for second in stride(from: 0, through: Int(end), by: max(1, Int(end) / 10)) {
            svg.append(text(x(Double(second)), height - 2, "\(second) s", "#666"))
        }
        svg += curves(plan, lines, x, top: height, height: 160)
        return document(svg, height: height + 190)
    }

    /// For each plain entry of a trace, the fraction of nodes that have it over the time since it was known
    /// to the first, as an SVG document.
    ///
    /// Entries of the warm-up are left out, as the figures leave them out.
    ///
    /// - Returns: `nil` when the trace's header does not describe a run.
    public static func curves(_ trace: TraceFile) -> String? {
        guard let plan = trace.plan else { return nil }
        var arrivals: [String: [Double]] = [:]
        var warmup: Set<String> = []
        for line in trace.lines {
            let words = line.split(separator: " ")
            guard words.count > 3, words[2] == "has", let time = Double(words[0]) else { continue }
            if words[3].hasPrefix("baf") {
                arrivals[String(words[3]), default: []].append(time)
            } else if words.count > 6, words[3] == "published", let number = Int(words[5].dropLast()),
                number >= plan.scenario.workload.entries
            {
                warmup.insert(String(words[6]))
            }
        }
        let spans = arrivals.keys.sorted().filter { !warmup.contains($0) }.map { cid -> [Double] in
            let times = (arrivals[cid] ?? []).sorted()
            return times.map { $0 - (times.first ?? 0) }
        }
        return curves(spans, nodeCount: plan.nodeCount)
    }

    /// The same of a run that was not traced: a trace of many nodes is large.
    public static func curves(_ result: RunResult) -> String {
        let spans = result.deliveries.filter { $0.first ?? 0 >= result.plan.scenario.workload.start }
            .map { times in times.map { Double($0 - (times.first ?? 0)) / 1e6 } }
        return curves(spans, nodeCount: result.plan.nodeCount)
    }

    private static func curves(_ all: [[Double]], nodeCount: Int) -> String {
        let slowest = all.indices.max { (all[$0].last ?? 0) < (all[$1].last ?? 0) }
        let spans = all.indices.filter { $0 == slowest || isKept($0, of: all.count, atMost: curveMax) }
            .map { all[$0] }
        let end = max(0.1, spans.compactMap(\.last).max() ?? 1)
        let height = 240.0
        let base = height + 20
        var svg = [stroke(left, base, left + width, base, "#999", 1)]
        for part in 0...4 {
            let level = base - height * Double(part) / 4
            svg.append(text(4, level + 4, "\(25 * part) %", "#666"))
            svg.append(stroke(left, level, left + width, level, "#eee", 1))
        }
        for part in 0...10 {
            let milliseconds = Int((end * 100 * Double(part)).rounded())
            svg.append(text(left + width * Double(part) / 10 - 20, base + 16, "\(milliseconds) ms", "#666"))
        }
        for span in spans {
            var points = "\(short(left)),\(short(base))"
            for (count, time) in span.enumerated() where isKept(count, of: span.count, atMost: pointMax) {
                let level = base - height * Double(count + 1) / Double(max(1, nodeCount))
                points += " \(short(left + time / end * width)),\(short(level))"
            }
            svg.append("<polyline points='\(points)' fill='none' stroke='#07c' opacity='0.5'/>")
        }
        return document(svg, height: base + 30)
    }

    /// Whether one of many is among the `max` that are drawn; the last always is.
    private static func isKept(_ index: Int, of count: Int, atMost max: Int) -> Bool {
        count <= max || (index + 1) * max / count > index * max / count
    }

    private static func faults(_ plan: Plan, _ x: (Double) -> Double, _ y: (Int) -> Double) -> [String] {
        plan.faults.flatMap { fault -> [String] in
            let start = x(Double(fault.start) / 1e6)
            let span = max(2, x(Double(fault.end) / 1e6) - start)
            let nodes = fault.kind.isGlobal ? Array(0..<plan.nodeCount) : fault.nodes
            return nodes.map { node in
                "<rect x='\(short(start))' y='\(short(y(node) - row / 2))' width='\(short(span))' height='\(short(row))' fill='\(fault.kind == .crash ? "#888" : "#fb0")' opacity='0.35'><title>\(escape(fault.line))</title></rect>"
            }
        }
    }

    /// For each plain entry, the fraction of nodes that have it, over time.
    private static func curves(
        _ plan: Plan, _ lines: [Line], _ x: (Double) -> Double, top: Double, height: Double
    ) -> [String] {
        var arrivals: [String: [Double]] = [:]
        for line in lines
        where line.words.count > 2 && line.words[1] == "has" && line.words[2].hasPrefix("baf") {
            arrivals[String(line.words[2]), default: []].append(line.time)
        }
        var svg = [text(4, top + 14, "has it", "#333")]
        let base = top + height + 10
        svg.append(stroke(left, base, left + width, base, "#999", 1))
        for cid in arrivals.keys.sorted() {
            let times = (arrivals[cid] ?? []).sorted()
            guard let first = times.first else { continue }
            var points = "\(short(x(first))),\(short(base))"
            for (count, time) in times.enumerated() {
                let level = base - height * Double(count + 1) / Double(max(1, plan.nodeCount))
                points += " \(short(x(time))),\(short(level))"
            }
            svg.append("<polyline points='\(points)' fill='none' stroke='#07c' opacity='0.6'/>")
        }
        return svg
    }

    private static func colour(_ type: Substring) -> String {
        switch type {
        case "push", "have": "#07c"
        case "message": "#2a2"
        case "block", "wantBlocks": "#a0a"
        default: "#bbb"
        }
    }

    private static func document(_ parts: [String], height: Double) -> String {
        "<svg xmlns='http://www.w3.org/2000/svg' width='\(short(left + width + 20))' height='\(short(height))' font-family='sans-serif' font-size='11'>\n<rect width='100%' height='100%' fill='white'/>\n"
            + parts.joined(separator: "\n") + "\n</svg>\n"
    }

    private static func stroke(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, _ width: Double
    ) -> String {
        "<line x1='\(short(x1))' y1='\(short(y1))' x2='\(short(x2))' y2='\(short(y2))' stroke='\(colour)' stroke-width='\(width)'/>"
    }

    private static func text(_ x: Double, _ y: Double, _ text: String, _ colour: String) -> String {
        "<text x='\(short(x))' y='\(short(y))' fill='\(colour)'>\(escape(text))</text>"
    }

    private static func short(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    private static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
