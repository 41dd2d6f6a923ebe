/// The text of a finding about a source, as people read it: the message, the place, the line with a caret under it.
///
/// ```
/// error[E2002]: Person has no attribute nme
///   --> query.mew:1:22
///    |
///  1 | MATCH p: Person WHERE p.nme = "x" RETURN p
///    |                         ^^^
/// hint: did you mean name?
/// ```
///
/// The line is shown in terminal columns: tabs are widened, wide characters count two, and of a long line only
/// the part around the place is shown. A range over several lines is underlined in its first.
public enum SourceReport {
    /// - Parameters:
    ///   - title: The first line, such as `error[E2002]: Person has no attribute nme`.
    ///   - range: Where; `nil` leaves place and line out. A range beyond the text is held at its end.
    ///   - hint: What to write instead.
    ///   - source: The text that was read.
    ///   - name: What the text is called: a file's name, or words such as `query`.
    /// - Returns: Lines without a line break at the end.
    public static func text(
        _ title: String, at range: SourceRange?, hint: String?, source: String, name: String
    ) -> String {
        var text = title
        if let range {
            let line = SourceLine(containing: range, of: Array(source.utf8))
            let number = String(range.start.line)
            let margin = String(repeating: " ", count: number.utf8.count)
            text += "\n\(margin) --> \(name):\(range.start.line):\(range.start.column)"
            text += "\n\(margin)  |"
            text += "\n \(number) | \(line.shown)".trimmingEnd
            text += "\n\(margin)  | \(line.underline)"
        }
        if let hint { text += "\nhint: \(hint)" }
        return text
    }
}

/// One line of a source in terminal columns, with the marks that go under it.
struct SourceLine {
    private(set) var shown = ""
    private(set) var underline = ""

    /// Longer lines are cut to a window of about this many columns.
    static let columnsMax = 100
    private static let tabWidth = 4

    init(containing range: SourceRange, of bytes: [UInt8]) {
        let start = min(max(0, range.start.offset), bytes.count)
        let end = min(max(start, range.end.offset), bytes.count)
        var first = start
        while first > 0, bytes[first - 1] != 0x0A { first -= 1 }
        var last = start
        while last < bytes.count, bytes[last] != 0x0A { last += 1 }

        // Cells left of the marks, under them, and right of them; only as many as can be shown are kept.
        var before = Self.cells(bytes[first..<start], firstColumn: 0)
        let marked = Self.cells(bytes[start..<min(end, last)], firstColumn: before.count)
        let after = Self.cells(
            bytes[min(end, last)..<last].prefix(4 * Self.columnsMax),
            firstColumn: before.count + marked.count)
        let marks = max(1, marked.count)

        var left = ""
        let room = Self.columnsMax - min(marks, Self.columnsMax / 2)
        if before.count > room {
            before = Array(before.suffix(room - 20))
            left = "…"
        }
        let kept = Array((marked + after).prefix(Self.columnsMax - before.count))
        let right = kept.count < marked.count + after.count ? "…" : ""
        shown = left + Self.text(before) + Self.text(kept) + right
        underline =
            String(repeating: " ", count: left.count + before.count)
            + String(repeating: "^", count: min(marks, Self.columnsMax - before.count))
    }

    private static func text(_ cells: [String]) -> String { cells.joined() }

    /// One element for each column: a character, or nothing where a wide one goes on.
    private static func cells(_ bytes: ArraySlice<UInt8>, firstColumn: Int) -> [String] {
        var cells: [String] = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x09:
                let width = tabWidth - (firstColumn + cells.count) % tabWidth
                cells += Array(repeating: " ", count: width)
            case 0x0D: continue
            case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069:
                // Control characters would move the cursor or turn the line around.
                cells.append("·")
            default:
                switch scalar.terminalWidth {
                case 0:
                    if let last = cells.indices.last { cells[last].unicodeScalars.append(scalar) }
                case 1: cells.append(String(scalar))
                default: cells += [String(scalar), ""]
                }
            }
        }
        return cells
    }
}

extension Unicode.Scalar {
    /// Columns of a terminal that this scalar takes: none for marks, two for wide ideographs and pictures.
    fileprivate var terminalWidth: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self
        while text.unicodeScalars.last == " " { text.unicodeScalars.removeLast() }
        return text
    }
}
