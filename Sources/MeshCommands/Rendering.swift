/// The formats of `--output`.
enum OutputFormat: String, CaseIterable, Sendable {
    case table, json, yaml, csv
}

/// Columns of text, aligned.
struct Table: Sendable {
    let headings: [String]
    var rows: [[String]]

    init(headings: [String], rows: [[String]]) {
        self.headings = headings
        // What others have written may hold what a terminal would obey.
        self.rows = rows.map { $0.map(\.onOneLine) }
    }

    /// The lines, without line ends; the last column is not padded.
    func lines(emphasised: Bool = false) -> [String] {
        var widths = headings.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.count)
            }
        }
        func line(_ cells: [String]) -> String {
            cells.enumerated().map { column, cell in
                let gap = column == cells.count - 1 ? 0 : widths[column] + 2 - cell.count
                return cell + String(repeating: " ", count: gap)
            }.joined()
        }
        let heading = line(headings)
        return [emphasised ? "\u{1b}[1m\(heading)\u{1b}[0m" : heading] + rows.map(line)
    }
}

extension String {
    /// The text on one line, with control characters spelled out: a terminal would obey them.
    var onOneLine: String {
        guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            return self
        }
        return unicodeScalars.reduce(into: "") { line, scalar in
            if scalar.properties.generalCategory == .control {
                line += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
    }
}

extension JSONTree {
    /// Comma-separated values (RFC 4180): a heading, then a row for each object.
    ///
    /// Null is an empty cell; what has parts itself is written as JSON.
    func csv() -> String {
        let rows: [JSONTree]
        if case .array(let elements) = self { rows = elements } else { rows = [self] }
        var columns: [String] = []
        for case .object(let members) in rows {
            for member in members where !columns.contains(member.key) { columns.append(member.key) }
        }
        func cell(_ value: JSONTree?) -> String {
            let text =
                switch value {
                case nil, .null: ""
                case .text(let text): text
                case let value?: value.json(indent: nil)
                }
            guard text.contains(where: { ",\"\n\r".contains($0) || $0 == "\r\n" }) else { return text }
            return "\"" + text.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
        }
        if columns.isEmpty { return "" }
        let lines =
            [columns.joined(separator: ",")]
            + rows.map { row in columns.map { cell(row[$0]) }.joined(separator: ",") }
        return lines.map { $0 + "\r\n" }.joined()
    }

    /// YAML 1.2 in block style; texts that could be read as something else are quoted.
    func yaml(indent: Int = 0) -> String {
        let pad = String(repeating: "  ", count: indent)
        switch self {
        case .object(let members) where !members.isEmpty:
            return members.map { member in
                pad + Self.yamlText(member.key) + ":" + member.value.yamlValue(indent: indent)
            }.joined()
        case .array(let elements) where !elements.isEmpty:
            return elements.map { element in
                let text = element.yaml(indent: indent + 1)
                return element.isBlock ? pad + "- " + text.dropFirst(pad.count + 2) : pad + "- " + text
            }.joined()
        default:
            return yamlScalar + "\n"
        }
    }

    private var isBlock: Bool {
        switch self {
        case .object(let members): !members.isEmpty
        case .array(let elements): !elements.isEmpty
        default: false
        }
    }

    private func yamlValue(indent: Int) -> String {
        isBlock ? "\n" + yaml(indent: indent + 1) : " " + yamlScalar + "\n"
    }

    private var yamlScalar: String {
        switch self {
        case .text(let text): Self.yamlText(text)
        default: json(indent: nil)
        }
    }

    private static func yamlText(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./".contains($0)) }
            && text.first?.isLetter == true
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        return isPlain ? text : quoted(text)
    }
}
