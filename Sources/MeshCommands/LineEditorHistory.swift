/// The texts that were entered, newest last, and where in them somebody is.
struct LineEditorHistory {
    /// How many are kept.
    static let countMax = 1000

    private(set) var entries: [String]
    /// The entry that is shown; nil for the text that is being written.
    private var position: Int?
    /// What was being written when the history was entered.
    private var draft = ""

    init(_ entries: [String] = []) {
        self.entries = Array(entries.suffix(Self.countMax))
    }

    /// Adds a text, unless it is empty or was the last.
    mutating func add(_ text: String) {
        leave()
        guard !text.allSatisfy(\.isWhitespace), entries.last != text else { return }
        entries.append(text)
        if entries.count > Self.countMax { entries.removeFirst() }
    }

    /// Back to the text that is being written.
    mutating func leave() {
        position = nil
        draft = ""
    }

    mutating func older(than text: String) -> String? {
        if position == nil { draft = text }
        let next = (position ?? entries.count) - 1
        guard next >= 0 else { return nil }
        position = next
        return entries[next]
    }

    mutating func newer() -> String? {
        guard let current = position else { return nil }
        guard current + 1 < entries.count else {
            position = nil
            return draft
        }
        position = current + 1
        return entries[current + 1]
    }

    /// The newest entry that contains `text`, beginning with the one that is shown, or before it.
    mutating func find(_ text: String, older: Bool) -> String? {
        guard !text.isEmpty else { return nil }
        let start = (position ?? entries.count) + (older || position == nil ? -1 : 0)
        guard start >= 0 else { return nil }
        for index in stride(from: start, through: 0, by: -1)
        where entries[index].lowercased().contains(text.lowercased()) {
            position = index
            return entries[index]
        }
        return nil
    }

    // MARK: The file

    /// One entry to a line; a line end or a backslash inside of one is escaped.
    var file: String {
        entries.map { entry in
            entry.map { $0 == "\n" ? "\\n" : $0 == "\\" ? "\\\\" : String($0) }.joined() + "\n"
        }.joined()
    }

    init(file: String) {
        self.init(
            file.split(separator: "\n").map { line in
                var text = ""
                var isEscaped = false
                for character in line {
                    if isEscaped {
                        text.append(character == "n" ? "\n" : character)
                        isEscaped = false
                    } else if character == "\\" {
                        isEscaped = true
                    } else {
                        text.append(character)
                    }
                }
                return text
            })
    }
}
