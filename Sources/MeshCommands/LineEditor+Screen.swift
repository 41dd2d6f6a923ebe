/// What a terminal shows of an editor.
struct LineEditorScreen: Hashable {
    /// The rows, as wide as the terminal at most.
    var rows: [String]
    /// Where the cursor is, both from 0.
    var cursorRow: Int
    var cursorColumn: Int
}

extension LineEditor {
    /// The text with its prompts, wrapped at `columns`.
    func screen(columns: Int) -> LineEditorScreen {
        let columns = max(8, columns)
        var rows = [""]
        var width = 0
        var place = (row: 0, column: 0)
        func put(_ character: Character) {
            let cells = character.cellCount
            if width + cells > columns {
                rows.append("")
                width = 0
            }
            rows[rows.count - 1].append(character)
            width += cells
        }
        let opening = search.map { "(search)`\($0)': " } ?? prompt
        for character in opening { put(character) }
        for (index, character) in characters.enumerated() {
            if index == cursor { place = (rows.count - 1, width) }
            if character == "\n" {
                rows.append("")
                width = 0
                for character in continuation { put(character) }
            } else {
                put(character)
            }
        }
        if cursor == characters.count { place = (rows.count - 1, width) }
        if place.column >= columns {
            // The cursor stands behind a full row: at the start of the next.
            if place.row == rows.count - 1 { rows.append("") }
            place = (place.row + 1, 0)
        }
        return LineEditorScreen(rows: rows, cursorRow: place.row, cursorColumn: place.column)
    }
}

extension LineEditorScreen {
    /// What to write to the terminal to get from `previous`, which it shows, to this.
    ///
    /// Everything is drawn again from its first row on; rows end explicitly, so it does not matter whether the
    /// terminal wraps by itself.
    func drawing(over previous: LineEditorScreen?) -> String {
        var text = ""
        if let previous, previous.cursorRow > 0 { text += "\u{1b}[\(previous.cursorRow)A" }
        text += "\r\u{1b}[J" + rows.joined(separator: "\r\n")
        let up = rows.count - 1 - cursorRow
        if up > 0 { text += "\u{1b}[\(up)A" }
        text += "\r"
        if cursorColumn > 0 { text += "\u{1b}[\(cursorColumn)C" }
        return text
    }

    /// What to write to leave it as it is and go on below.
    var ending: String {
        let down = rows.count - 1 - cursorRow
        return (down > 0 ? "\u{1b}[\(down)B" : "") + "\r\n"
    }
}

extension Character {
    /// How many cells of a terminal it takes.
    var cellCount: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }
}
