internal import Foundation

/// The rows of a run, as a table for people and as JSON for machines.
struct BenchReport {
    private struct Entry: Codable {
        let bench: String
        let row: BenchRow
        /// Ours divided by what stands beside it.
        let ratio: Double?
        /// Whether the gate is met; `nil` where there is none.
        let ok: Bool?
    }

    private var entries: [Entry] = []

    mutating func add(_ rows: [BenchRow], of bench: String) {
        for row in rows {
            entries.append(Entry(bench: bench, row: row, ratio: row.ratio, ok: row.isMet))
        }
    }

    /// Whether any figure misses its gate.
    var fallsShort: Bool { entries.contains { $0.ok == false } }

    var table: String {
        var lines = [["what", "ours", "unit", "beside", "its value", "ratio", "gate", ""]]
        for entry in entries {
            let row = entry.row
            lines.append([
                row.what, figure(row.ours), row.unit, row.beside ?? "", figure(row.besideValue),
                figure(entry.ratio), figure(row.gate), entry.ok.map { $0 ? "ok" : "short" } ?? "",
            ])
        }
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            zip(line, widths).map { $0.padded(to: $1 + 2) }.joined()
        }.joined(separator: "\n")
    }

    /// Writes the rows as JSON, with the folders of `file`.
    func write(to file: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let url = URL(fileURLWithPath: file)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(entries).write(to: url)
    }

    private func figure(_ number: Double?) -> String {
        guard let number else { return "" }
        switch abs(number) {
        case 1_000...: return String(format: "%.0f", number)
        case 10...: return String(format: "%.1f", number)
        default: return String(format: "%.2f", number)
        }
    }
}

extension BenchRow {
    /// Ours divided by what stands beside it.
    var ratio: Double? {
        besideValue.flatMap { $0 == 0 ? nil : ours / $0 }
    }

    /// Whether the gate is met; `nil` where there is none.
    var isMet: Bool? {
        gate.map { higherIsBetter ? ours >= $0 : ours <= $0 }
    }
}

extension String {
    func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(count - self.count, 0))
    }
}
