/// A key as the line editor understands it.
enum LineEditorKey: Hashable, Sendable {
    case text(String)
    /// Text that was pasted, line ends and all.
    case paste(String)
    case enter, tab, backspace, delete
    case left, right, up, down, home, end
    case wordLeft, wordRight
    /// With a letter, such as `c` for Ctrl+C.
    case control(Character)
    case escape
}

/// Puts the bytes of a terminal together to keys.
struct LineEditorKeyReader {
    private var pending: [UInt8] = []
    /// What is being pasted; nil outside of it.
    private var pasted: [UInt8]?

    /// The keys that end with these bytes; what is half there is kept for the next.
    mutating func read(_ bytes: [UInt8]) -> [LineEditorKey] {
        pending += bytes
        var keys: [LineEditorKey] = []
        while !pending.isEmpty {
            if pasted != nil {
                guard let key = readPaste() else { break }
                keys.append(key)
                continue
            }
            guard let (key, count) = Self.first(pending) else { break }
            pending.removeFirst(count)
            switch key {
            case .key(let key): keys.append(key)
            case .pasteBegins: pasted = []
            case .nothing: break
            }
        }
        return keys
    }

    /// A lone escape waits for more; this says that nothing came.
    mutating func flush() -> [LineEditorKey] {
        guard pasted == nil, pending == [0x1b] else { return [] }
        pending = []
        return [.escape]
    }

    private mutating func readPaste() -> LineEditorKey? {
        let mark = Array("\u{1b}[201~".utf8)
        while !pending.isEmpty {
            if pending.starts(with: mark) {
                pending.removeFirst(mark.count)
                let text = String(decoding: pasted ?? [], as: UTF8.self)
                pasted = nil
                let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                return .paste(lines.joined(separator: "\n"))
            }
            // The mark may be half there.
            if mark.starts(with: pending) { return nil }
            pasted?.append(pending.removeFirst())
        }
        return nil
    }

    private enum Found {
        case key(LineEditorKey)
        case pasteBegins
        case nothing
    }

    /// The first key in the bytes and its length; nil when it is not all there.
    private static func first(_ bytes: [UInt8]) -> (Found, Int)? {
        let byte = bytes[0]
        switch byte {
        case 0x0d, 0x0a: return (.key(.enter), 1)
        case 0x09: return (.key(.tab), 1)
        case 0x7f, 0x08: return (.key(.backspace), 1)
        case 0x1b: return escape(bytes)
        case 0..<0x20:
            return (.key(.control(Character(Unicode.Scalar(byte + 0x60)))), 1)
        default: break
        }
        let length =
            switch byte {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 1
            }
        guard bytes.count >= length else { return nil }
        guard let text = String(validating: bytes[..<length], as: UTF8.self) else { return (.nothing, 1) }
        return (.key(.text(text)), length)
    }

    private static func escape(_ bytes: [UInt8]) -> (Found, Int)? {
        guard bytes.count > 1 else { return nil }
        switch bytes[1] {
        case UInt8(ascii: "b"): return (.key(.wordLeft), 2)
        case UInt8(ascii: "f"): return (.key(.wordRight), 2)
        case 0x1b: return (.key(.escape), 1)
        case UInt8(ascii: "["), UInt8(ascii: "O"): break
        default: return (.key(.escape), 2)
        }
        guard let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7e).contains($0) }) else {
            // A sequence that never ends is not one.
            return bytes.count > 32 ? (.nothing, bytes.count) : nil
        }
        let body = String(decoding: bytes[2..<end], as: UTF8.self)
        let count = end + 1
        switch (bytes[end], body) {
        case (UInt8(ascii: "A"), _): return (.key(.up), count)
        case (UInt8(ascii: "B"), _): return (.key(.down), count)
        case (UInt8(ascii: "C"), "1;5"), (UInt8(ascii: "C"), "1;3"): return (.key(.wordRight), count)
        case (UInt8(ascii: "D"), "1;5"), (UInt8(ascii: "D"), "1;3"): return (.key(.wordLeft), count)
        case (UInt8(ascii: "C"), _): return (.key(.right), count)
        case (UInt8(ascii: "D"), _): return (.key(.left), count)
        case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"):
            return (.key(.home), count)
        case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"):
            return (.key(.end), count)
        case (UInt8(ascii: "~"), "3"): return (.key(.delete), count)
        case (UInt8(ascii: "~"), "200"): return (.pasteBegins, count)
        default: return (.nothing, count)
        }
    }
}
