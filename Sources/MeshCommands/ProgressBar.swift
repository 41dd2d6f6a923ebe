/// One line on standard error that is drawn over; nothing where that is no terminal.
final class ProgressBar {
    private let console: Console
    private let label: String
    private var isDrawn = false

    init(_ console: Console, label: String) {
        self.console = console
        self.label = label
    }

    /// Draws how much is done, from 0 to 1.
    func update(_ fraction: Double, _ text: String) {
        guard console.isMessageTerminal else { return }
        isDrawn = true
        console.writeMessage(Array(("\r\u{1b}[K" + Self.line(label, fraction, text)).utf8))
    }

    /// Takes the line away, so that something else can be printed.
    func clear() {
        guard isDrawn else { return }
        isDrawn = false
        console.writeMessage(Array("\r\u{1b}[K".utf8))
    }

    static func line(_ label: String, _ fraction: Double, _ text: String) -> String {
        let width = 24
        let share = min(1, max(0, fraction))
        let full = Int(share * Double(width))
        let bar = String(repeating: "#", count: full) + String(repeating: "·", count: width - full)
        return "\(label) [\(bar)] \(Int(share * 100)) %  \(text)"
    }
}
