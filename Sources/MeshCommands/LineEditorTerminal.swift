internal import FoundationEssentials
internal import Glibc

/// Runs a ``LineEditor`` on the process's own terminal.
final class LineEditorTerminal {
    /// What a text that is not entered ends with.
    enum Line: Hashable {
        case text(String)
        case cleared
        case ended
    }

    private let console: Console
    private var keys = LineEditorKeyReader()
    private var waiting: [LineEditorKey] = []

    init(_ console: Console) {
        self.console = console
    }

    /// Lets the user edit until the text is whole.
    ///
    /// The terminal is in raw mode only meanwhile, so that Ctrl+C ends a query that runs.
    func edit(_ editor: inout LineEditor) -> Line {
        guard let mode = RawMode() else { return .ended }
        defer { mode.restore() }
        write("\u{1b}[?2004h")
        defer { write("\u{1b}[?2004l") }
        var shown: LineEditorScreen?
        func draw(_ editor: LineEditor) {
            let screen = editor.screen(columns: Self.columnCount())
            write(screen.drawing(over: shown))
            shown = screen
        }
        func end(_ line: Line) -> Line {
            if let shown { write(shown.ending) }
            return line
        }
        draw(editor)
        while true {
            guard let key = nextKey() else { return end(.ended) }
            switch editor.step(key) {
            case .editing: break
            case .submitted(let text):
                draw(editor)
                return end(.text(text))
            case .cleared: return end(.cleared)
            case .left: return end(.ended)
            case .choices(let choices):
                if let shown { write(shown.ending) }
                write(Self.columns(choices, width: Self.columnCount()))
                shown = nil
            case .redraw:
                write("\u{1b}[H\u{1b}[2J")
                shown = nil
            }
            // What comes in one piece is drawn once.
            if waiting.isEmpty { draw(editor) }
        }
    }

    private func write(_ text: String) { console.writeOutput(Array(text.utf8)) }

    private func nextKey() -> LineEditorKey? {
        while waiting.isEmpty {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe read(0, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return nil }
            waiting = keys.read(Array(bytes.prefix(count)))
            // An escape alone is a key; one that begins a sequence has the rest behind it already.
            if waiting.isEmpty, bytes[0] == 0x1b, count == 1, !Self.hasInput(milliseconds: 50) {
                waiting = keys.flush()
            }
        }
        return waiting.removeFirst()
    }

    private static func hasInput(milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&descriptor, 1, milliseconds) > 0
    }

    private static func columnCount() -> Int {
        var size = winsize()
        guard unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Words side by side.
    static func columns(_ words: [String], width: Int) -> String {
        let cell = (words.map(\.count).max() ?? 0) + 2
        let perRow = max(1, width / cell)
        var text = ""
        for start in stride(from: 0, to: words.count, by: perRow) {
            let row = words[start..<min(start + perRow, words.count)]
            text += row.map { $0 + String(repeating: " ", count: cell - $0.count) }.joined() + "\r\n"
        }
        return text
    }

    /// The terminal's mode before it was made raw.
    private struct RawMode {
        private let before: termios

        /// `nil` where standard input is no terminal.
        init?() {
            var mode = termios()
            guard unsafe tcgetattr(0, &mode) == 0 else { return nil }
            before = mode
            mode.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
            mode.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
            guard unsafe tcsetattr(0, TCSADRAIN, &mode) == 0 else { return nil }
        }

        func restore() {
            var mode = before
            unsafe tcsetattr(0, TCSADRAIN, &mode)
        }
    }
}
