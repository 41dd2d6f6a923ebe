/// A text of one or more lines that is edited key by key: a machine without a terminal.
///
/// ``step(_:)`` takes keys; ``LineEditor/screen(columns:)`` is what a terminal shows.
struct LineEditor {
    /// What a key came to.
    enum Outcome: Hashable {
        case editing
        /// The text is whole.
        case submitted(String)
        /// Ctrl+C: the text is thrown away.
        case cleared
        /// Ctrl+D where there is nothing.
        case left
        /// Tab with more than one way on: what to show.
        case choices([String])
        /// Ctrl+L
        case redraw
    }

    /// What may stand in the place of a word.
    struct Completion: Hashable {
        /// How many characters before the cursor are replaced.
        let replaced: Int
        let candidates: [String]
    }

    let prompt: String
    /// Before every line but the first.
    let continuation: String
    /// Whether Enter ends the text or its line.
    let isWhole: (String) -> Bool
    let complete: (_ before: String) -> Completion

    private(set) var characters: [Character] = []
    private(set) var cursor = 0
    private(set) var history: LineEditorHistory
    /// What Ctrl+R looks for; nil outside of a search.
    private(set) var search: String?
    /// Where the text came from when a search began, to be put back.
    private var beforeSearch: [Character] = []
    private var killed: [Character] = []

    init(
        prompt: String, continuation: String, history: LineEditorHistory,
        isWhole: @escaping (String) -> Bool = { _ in true },
        complete: @escaping (String) -> Completion = { _ in Completion(replaced: 0, candidates: []) }
    ) {
        self.prompt = prompt
        self.continuation = continuation
        self.history = history
        self.isWhole = isWhole
        self.complete = complete
    }

    var text: String { String(characters) }

    mutating func step(_ key: LineEditorKey) -> Outcome {
        if search != nil, let outcome = stepInSearch(key) { return outcome }
        switch key {
        case .text(let text), .paste(let text): insert(text)
        case .enter:
            guard isWhole(text) else {
                insert("\n")
                return .editing
            }
            cursor = characters.count
            return .submitted(text)
        case .tab: return tab()
        case .backspace: remove(cursor - 1..<cursor)
        case .delete: remove(cursor..<cursor + 1)
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(characters.count, cursor + 1)
        case .wordLeft: cursor = wordStart()
        case .wordRight: cursor = wordEnd()
        case .home: cursor = lineStart
        case .end: cursor = lineEnd
        case .up: if !moveLine(by: -1) { recall(history.older(than: text)) }
        case .down: if !moveLine(by: 1) { recall(history.newer()) }
        case .control(let letter): return control(letter)
        case .escape: break
        }
        return .editing
    }

    private mutating func control(_ letter: Character) -> Outcome {
        switch letter {
        case "a": cursor = lineStart
        case "e": cursor = lineEnd
        case "b": return step(.left)
        case "f": return step(.right)
        case "p": return step(.up)
        case "n": return step(.down)
        case "c":
            replace(with: [])
            history.leave()
            return .cleared
        case "d":
            if characters.isEmpty { return .left }
            remove(cursor..<cursor + 1)
        case "k":
            // At the end of a line its end goes.
            kill(cursor..<max(lineEnd, min(cursor + 1, characters.count)))
        case "u": kill(lineStart..<cursor)
        case "w": kill(wordStart()..<cursor)
        case "y": insert(String(killed))
        case "l": return .redraw
        case "r":
            beforeSearch = characters
            search = ""
        default: break
        }
        return .editing
    }

    // MARK: Text

    private mutating func insert(_ text: String) {
        // Whatever is not shown would put the cursor in the wrong place.
        let clean = text.map { $0 == "\t" ? " " : $0 }.filter { $0 == "\n" || !$0.isControl }
        characters.insert(contentsOf: clean, at: cursor)
        cursor += clean.count
        // A mark may join the character before it.
        let joined = Array(String(characters))
        if joined.count < characters.count {
            cursor -= characters.count - joined.count
            characters = joined
        }
    }

    private mutating func remove(_ range: Range<Int>) {
        guard range.lowerBound >= 0, range.upperBound <= characters.count, !range.isEmpty else { return }
        characters.removeSubrange(range)
        cursor = range.lowerBound
    }

    private mutating func kill(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        killed = Array(characters[range])
        remove(range)
    }

    private mutating func replace(with text: [Character]) {
        characters = text
        cursor = text.count
    }

    private var lineStart: Int {
        characters[..<cursor].lastIndex(of: "\n").map { $0 + 1 } ?? 0
    }

    private var lineEnd: Int {
        characters[cursor...].firstIndex(of: "\n") ?? characters.count
    }

    private func wordStart() -> Int {
        var index = cursor
        while index > 0, !characters[index - 1].isWordPart { index -= 1 }
        while index > 0, characters[index - 1].isWordPart { index -= 1 }
        return index
    }

    private func wordEnd() -> Int {
        var index = cursor
        while index < characters.count, !characters[index].isWordPart { index += 1 }
        while index < characters.count, characters[index].isWordPart { index += 1 }
        return index
    }

    /// Moves to the line above or below, in the same column; false where there is none.
    private mutating func moveLine(by step: Int) -> Bool {
        let column = cursor - lineStart
        if step < 0 {
            guard lineStart > 0 else { return false }
            cursor = lineStart - 1
        } else {
            guard lineEnd < characters.count else { return false }
            cursor = lineEnd + 1
        }
        cursor = min(lineStart + column, lineEnd)
        return true
    }

    // MARK: History and completion

    private mutating func recall(_ text: String?) {
        if let text { replace(with: Array(text)) }
    }

    /// `nil` when the key ends the search and means what it always does.
    private mutating func stepInSearch(_ key: LineEditorKey) -> Outcome? {
        switch key {
        case .text(let text), .paste(let text): find((search ?? "") + text, older: false)
        case .backspace: find(String((search ?? "").dropLast()), older: false)
        case .control("r"): find(search ?? "", older: true)
        case .control("c"), .control("g"), .escape:
            search = nil
            history.leave()
            replace(with: beforeSearch)
        default:
            search = nil
            return nil
        }
        return .editing
    }

    private mutating func find(_ text: String, older: Bool) {
        search = text
        if let found = history.find(text, older: older) { replace(with: Array(found)) }
    }

    private mutating func tab() -> Outcome {
        let completion = complete(String(characters[..<cursor]))
        guard let first = completion.candidates.first else { return .editing }
        var common = Substring(first)
        for candidate in completion.candidates.dropFirst() { common = common.commonStart(with: candidate) }
        let replaced = String(characters[(cursor - completion.replaced)..<cursor])
        let isOnly = completion.candidates.count == 1
        if isOnly || common.count > replaced.count {
            remove(cursor - completion.replaced..<cursor)
            insert(isOnly ? first : String(common))
            return .editing
        }
        return .choices(completion.candidates)
    }
}

extension Character {
    fileprivate var isControl: Bool { unicodeScalars.allSatisfy { $0.value < 0x20 || $0.value == 0x7f } }
    /// Whether a word goes on with it.
    var isWordPart: Bool { isLetter || isNumber || self == "_" }
}

extension Substring {
    /// What both begin with.
    fileprivate func commonStart(with other: String) -> Substring {
        prefix(zip(self, other).prefix { $0 == $1 }.count)
    }
}
