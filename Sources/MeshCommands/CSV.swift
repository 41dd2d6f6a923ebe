internal import MeshAPI

/// Comma-separated values as RFC 4180 has them.
enum CSV {
    /// One cell, and whether it stood in quotes: an empty one without is no value at all.
    struct Cell: Hashable {
        let text: String
        let isQuoted: Bool
    }

    /// A heading and a row for each; also where there are no rows.
    static func text(columns: [String], rows: [[JSONValue]]) -> String {
        var lines = [columns.map(quoted).joined(separator: ",")]
        for row in rows { lines.append(row.map(cell).joined(separator: ",")) }
        return lines.map { $0 + "\r\n" }.joined()
    }

    /// A value in a cell: nothing for null, `""` for an empty text, JSON for what has parts itself.
    static func cell(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .text(let text): text.isEmpty ? "\"\"" : quoted(text)
        default: quoted(JSONTree(value).json(indent: nil))
        }
    }

    /// In quotes where it must be.
    static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x2c || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }) else {
            return text
        }
        return "\"" + text.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }
}

/// Reads CSV record by record and knows in which line each begins.
///
/// Lines end with CRLF or LF; quoted cells may hold line ends; a byte order mark at the start is skipped.
struct CSVReader {
    /// What stands in one record, or why it cannot be read.
    enum Record: Hashable {
        case cells([CSV.Cell], line: Int)
        case broken(String, line: Int)
    }

    private let bytes: [UInt8]
    private var offset: Int
    /// The line, from 1, that the next record begins in.
    private(set) var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    }

    /// How much has been read, from 0 to 1.
    var fraction: Double { bytes.isEmpty ? 1 : Double(offset) / Double(bytes.count) }

    /// The next record, or `nil` at the end.
    ///
    /// Empty lines are skipped.
    mutating func next() -> Record? {
        while offset < bytes.count, let end = lineEnd(at: offset) {
            offset += end
            line += 1
        }
        guard offset < bytes.count else { return nil }
        let start = line
        var cells: [CSV.Cell] = []
        while true {
            let isQuoted = bytes[offset...].first == 0x22
            var content: [UInt8] = []
            if isQuoted {
                offset += 1
                guard let text = quoted() else {
                    offset = bytes.count
                    return .broken("a quote is not closed", line: start)
                }
                content = text
            } else {
                while offset < bytes.count, bytes[offset] != 0x2c, lineEnd(at: offset) == nil {
                    if bytes[offset] == 0x22 { return skip("a quote stands inside of a cell", from: start) }
                    content.append(bytes[offset])
                    offset += 1
                }
            }
            guard let text = String(validating: content, as: UTF8.self) else {
                return skip("a cell is not UTF-8", from: start)
            }
            cells.append(CSV.Cell(text: text, isQuoted: isQuoted))
            guard offset < bytes.count else { return .cells(cells, line: start) }
            if let end = lineEnd(at: offset) {
                offset += end
                line += 1
                return .cells(cells, line: start)
            }
            guard bytes[offset] == 0x2c else {
                return skip("something stands behind a closing quote", from: start)
            }
            offset += 1
        }
    }

    /// What stands up to the closing quote, which is passed.
    private mutating func quoted() -> [UInt8]? {
        var content: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == 0x22 {
                guard offset < bytes.count, bytes[offset] == 0x22 else { return content }
                offset += 1
            }
            if byte == 0x0a { line += 1 }
            content.append(byte)
        }
        return nil
    }

    /// How many bytes end a line here; nil where none does.
    private func lineEnd(at index: Int) -> Int? {
        switch bytes[index] {
        case 0x0a: 1
        case 0x0d: index + 1 < bytes.count && bytes[index + 1] == 0x0a ? 2 : nil
        default: nil
        }
    }

    /// Goes on behind the line that the fault is in.
    private mutating func skip(_ message: String, from start: Int) -> Record {
        while offset < bytes.count, bytes[offset] != 0x0a { offset += 1 }
        if offset < bytes.count {
            offset += 1
            line += 1
        }
        return .broken(message, line: start)
    }
}
