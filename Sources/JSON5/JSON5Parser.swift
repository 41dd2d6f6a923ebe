/// Where something stands in a text; both count from 1, columns in characters.
public struct TextPosition: Hashable, Sendable, CustomStringConvertible {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public var description: String { "line \(line), column \(column)" }
}

/// A JSON5 value that remembers where it stands and keeps duplicate keys, so that every fault of a
/// file can be reported at its place.
public struct JSON5Value: Sendable {
    /// What it is.
    public indirect enum Content: Sendable {
        case null
        case boolean(Bool)
        case integer(Int)
        case number(Double)
        case string(String)
        case array([JSON5Value])
        case object([JSON5Member])
    }

    public let content: Content
    public let position: TextPosition

    /// What it is, for messages.
    public var kindName: String {
        switch content {
        case .null: "null"
        case .boolean: "true or false"
        case .integer: "a whole number"
        case .number: "a fraction"
        case .string: "text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// One `key: value` of a JSON5 object.
public struct JSON5Member: Sendable {
    public let key: String
    public let position: TextPosition
    public let value: JSON5Value
}

/// Text that is not JSON5; parsing cannot go on behind it.
public struct JSON5SyntaxError: Error, Sendable {
    public let message: String
    public let position: TextPosition
}

/// Reads JSON5 (json5.org, version 1.0.0): JSON with comments, trailing commas, unquoted keys, single quotes,
/// hexadecimal numbers and a plus sign.
///
/// `Infinity` and `NaN` are refused, since no setting can use them.
public struct JSON5Parser {
    private let characters: [Unicode.Scalar]
    private let lineStarts: [Int]
    private var index = 0
    private static let depthMax = 64

    /// Reads a whole text as one value.
    public static func parse(_ text: String) throws(JSON5SyntaxError) -> JSON5Value {
        var parser = JSON5Parser(text)
        let value = try parser.value(depth: 0)
        try parser.skipBlank()
        if parser.index < parser.characters.count { throw parser.fault("nothing may follow the value") }
        return value
    }

    private init(_ text: String) {
        let characters = Array(text.unicodeScalars)
        lineStarts = [0] + characters.indices.filter { characters[$0] == "\n" }.map { $0 + 1 }
        self.characters = characters
    }

    private var next: Unicode.Scalar? { index < characters.count ? characters[index] : nil }

    private func position(at index: Int) -> TextPosition {
        var low = 0
        var high = lineStarts.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if lineStarts[middle] <= index { low = middle } else { high = middle }
        }
        return TextPosition(line: low + 1, column: index - lineStarts[low] + 1)
    }

    private func fault(_ message: String, at index: Int? = nil) -> JSON5SyntaxError {
        JSON5SyntaxError(message: message, position: position(at: index ?? self.index))
    }

    private mutating func skipBlank() throws(JSON5SyntaxError) {
        while let character = next {
            if character.properties.isWhitespace || character == "\u{feff}" {
                index += 1
            } else if character == "/", index + 1 < characters.count, characters[index + 1] == "/" {
                while let character = next, character != "\n" { index += 1 }
            } else if character == "/", index + 1 < characters.count, characters[index + 1] == "*" {
                let start = index
                index += 2
                while index + 1 < characters.count, characters[index] != "*" || characters[index + 1] != "/" {
                    index += 1
                }
                guard index + 1 < characters.count else {
                    throw fault("this comment does not end", at: start)
                }
                index += 2
            } else {
                return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSON5SyntaxError) -> JSON5Value {
        try skipBlank()
        guard depth < Self.depthMax else { throw fault("this is nested too deeply") }
        let start = index
        guard let character = next else { throw fault("a value is missing") }
        let content: JSON5Value.Content
        switch character {
        case "{": content = .object(try object(depth: depth))
        case "[": content = .array(try array(depth: depth))
        case "\"", "'": content = .string(try string())
        case "0"..."9", "-", "+", ".": content = try number()
        default:
            let word = identifier()
            switch word {
            case "true": content = .boolean(true)
            case "false": content = .boolean(false)
            case "null": content = .null
            case "": throw fault("“\(character)” cannot start a value")
            default: throw fault("“\(word)” is not a value; text needs quotes", at: start)
            }
        }
        return JSON5Value(content: content, position: position(at: start))
    }

    private mutating func object(depth: Int) throws(JSON5SyntaxError) -> [JSON5Member] {
        let start = index
        index += 1
        var members: [JSON5Member] = []
        while true {
            try skipBlank()
            guard let character = next else { throw fault("this object does not end", at: start) }
            if character == "}" {
                index += 1
                return members
            }
            let place = position(at: index)
            let key = character == "\"" || character == "'" ? try string() : identifier()
            if key.isEmpty { throw fault("a key is missing before “\(character)”") }
            try skipBlank()
            guard next == ":" else { throw fault("a colon is missing after “\(key)”") }
            index += 1
            members.append(JSON5Member(key: key, position: place, value: try value(depth: depth + 1)))
            try separator(closing: "}")
        }
    }

    private mutating func array(depth: Int) throws(JSON5SyntaxError) -> [JSON5Value] {
        let start = index
        index += 1
        var elements: [JSON5Value] = []
        while true {
            try skipBlank()
            guard let character = next else { throw fault("this list does not end", at: start) }
            if character == "]" {
                index += 1
                return elements
            }
            elements.append(try value(depth: depth + 1))
            try separator(closing: "]")
        }
    }

    private mutating func separator(closing: Unicode.Scalar) throws(JSON5SyntaxError) {
        try skipBlank()
        if next == "," {
            index += 1
        } else if next != closing {
            throw fault("a comma or “\(closing)” is missing")
        }
    }

    private mutating func identifier() -> String {
        var text = String.UnicodeScalarView()
        while let character = next,
            character.properties.isAlphabetic || character == "_" || character == "$"
                || (!text.isEmpty && ("0"..."9").contains(character))
        {
            text.append(character)
            index += 1
        }
        return String(text)
    }

    private mutating func number() throws(JSON5SyntaxError) -> JSON5Value.Content {
        let start = index
        var text = ""
        while let character = next, character.isASCII,
            character.properties.isAlphabetic
                || ("0"..."9").contains(character) || "+-.".unicodeScalars.contains(character)
        {
            text.unicodeScalars.append(character)
            index += 1
        }
        let isNegative = text.first == "-"
        let unsigned = text.first == "-" || text.first == "+" ? String(text.dropFirst()) : text
        let lowered = unsigned.lowercased()
        if lowered.hasPrefix("0x"), let value = Int(lowered.dropFirst(2), radix: 16),
            lowered.dropFirst(2).first != "-"
        {
            return .integer(isNegative ? -value : value)
        }
        let isDecimal = !unsigned.isEmpty && unsigned.allSatisfy { "0123456789.eE+-".contains($0) }
        if isDecimal, unsigned.allSatisfy(\.isNumber), let value = Int(unsigned) {
            return .integer(isNegative ? -value : value)
        }
        let padded = unsigned.first == "." ? "0" + unsigned : unsigned
        if isDecimal, let value = Double(padded.last == "." ? padded + "0" : padded), value.isFinite {
            return .number(isNegative ? -value : value)
        }
        throw fault("“\(text)” is not a number", at: start)
    }

    private mutating func string() throws(JSON5SyntaxError) -> String {
        let start = index
        let quote = next
        index += 1
        var text = String.UnicodeScalarView()
        while let character = next {
            index += 1
            if character == quote { return String(text) }
            if character == "\n" { break }
            if character != "\\" {
                text.append(character)
                continue
            }
            guard let escaped = next else { break }
            index += 1
            switch escaped {
            case "n": text.append("\n")
            case "t": text.append("\t")
            case "r": text.append("\r")
            case "b": text.append("\u{8}")
            case "f": text.append("\u{c}")
            case "v": text.append("\u{b}")
            case "0": text.append("\0")
            case "x": text.append(try scalar(try code(2)))
            case "u": text.append(try unicodeEscape())
            case "\n": break
            case "\r": if next == "\n" { index += 1 }
            default: text.append(escaped)
            }
        }
        throw fault("this text does not end on its line", at: start)
    }

    private mutating func unicodeEscape() throws(JSON5SyntaxError) -> Unicode.Scalar {
        let high = try code(4)
        guard (0xd800..<0xdc00).contains(high) else { return try scalar(high) }
        guard next == "\\", index + 1 < characters.count, characters[index + 1] == "u" else {
            throw fault("this escape is half a character")
        }
        index += 2
        let low = try code(4)
        guard (0xdc00..<0xe000).contains(low) else { throw fault("this escape is half a character") }
        return try scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }

    private mutating func code(_ digits: Int) throws(JSON5SyntaxError) -> UInt32 {
        let end = index + digits
        guard end <= characters.count,
            let value = UInt32(String(String.UnicodeScalarView(characters[index..<end])), radix: 16)
        else { throw fault("this escape needs \(digits) hexadecimal digits") }
        index = end
        return value
    }

    private func scalar(_ value: UInt32) throws(JSON5SyntaxError) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(value) else { throw fault("this escape is no character") }
        return scalar
    }
}
