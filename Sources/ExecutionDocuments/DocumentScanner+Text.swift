internal import MeshCore

extension DocumentScanner {
    /// Reads the text at the index, which is at its quotation mark.
    mutating func text() throws(ExecutionError) -> DocumentText {
        try expect("\"")
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
            try character()
        }
        var read = Array(bytes[start..<index])
        while next == UInt8(ascii: "\\") {
            try escape(into: &read)
            let rest = index
            while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\")
            {
                try character()
            }
            read.append(contentsOf: bytes[rest..<index])
        }
        guard index < bytes.count else { throw wrong("the JSON ends within text") }
        index += 1
        return DocumentText(wellFormed: read)
    }

    /// Passes one character of UTF-8 in its shortest form, no surrogate among them.
    private mutating func character() throws(ExecutionError) {
        let first = bytes[index]
        let second: ClosedRange<UInt8>
        let length: Int
        switch first {
        case 0x20...0x7F:
            advance(1)
            return
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        case 0..<0x20: throw wrong("a control character stands unescaped")
        default: throw wrong("the text is not UTF-8")
        }
        guard bytes.count - index >= length, second.contains(bytes[index + 1]),
            bytes[(index + 2)..<(index + length)].allSatisfy({ (0x80...0xBF).contains($0) })
        else { throw wrong("the text is not UTF-8") }
        advance(length)
    }

    private mutating func escape(into read: inout [UInt8]) throws(ExecutionError) {
        advance(1)
        let letter = next
        advance(index < bytes.count ? 1 : 0)
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): read.append(letter)
        case UInt8(ascii: "b"): read.append(0x08)
        case UInt8(ascii: "f"): read.append(0x0C)
        case UInt8(ascii: "n"): read.append(0x0A)
        case UInt8(ascii: "r"): read.append(0x0D)
        case UInt8(ascii: "t"): read.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourDigits()
            if (0xD800...0xDBFF).contains(code) {
                try expect("\\")
                try expect("u")
                let low = try fourDigits()
                guard (0xDC00...0xDFFF).contains(low) else { throw wrong("half of a surrogate pair stands") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw wrong("half of a surrogate pair stands") }
            read.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw wrong("an unknown escape stands")
        }
    }

    private mutating func fourDigits() throws(ExecutionError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch next {
            case 0x30...0x39: digit = next - 0x30
            case 0x41...0x46: digit = next - 0x41 + 10
            case 0x61...0x66: digit = next - 0x61 + 10
            default: throw wrong("four hexadecimal digits were expected")
            }
            code = code << 4 | UInt32(digit)
            advance(1)
        }
        return code
    }
}
