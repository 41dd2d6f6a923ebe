/// What the sources `file` and `blob` read out of bytes, wherever the bytes come from.
public enum SourceValues {
    /// The longest text between two separators that can be a number, in bytes.
    static let tokenByteCountMax = 1_024

    /// The text, the numbers in it, and the size.
    ///
    /// Bytes that are no UTF-8 become U+FFFD. A number is whatever stands between blanks, line ends, commas or
    /// semicolons of ASCII and reads as a finite one; the first ``GraphLimits/seriesMax`` and one more are taken, which
    /// makes a series that no port carries.
    public static func values(of bytes: [UInt8]) -> [PortValue] {
        [
            PortValue("text", .string(String(decoding: bytes, as: UTF8.self))),
            PortValue("numbers", .series(numbers(in: bytes))),
            PortValue("size", .number(Double(bytes.count))),
        ]
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09...0x0d, 0x20, UInt8(ascii: ","), UInt8(ascii: ";"): true
        default: false
        }
    }

    private static func numbers(in bytes: [UInt8]) -> [Double] {
        var numbers: [Double] = []
        var index = 0
        while index < bytes.count, numbers.count <= GraphLimits.seriesMax {
            let start = index
            while index < bytes.count, !isSeparator(bytes[index]) { index += 1 }
            if index > start, let number = number(bytes[start..<index]) { numbers.append(number) }
            index += 1
        }
        return numbers
    }

    /// The finite number that `bytes` spell, or `nil`.
    static func number(_ bytes: ArraySlice<UInt8>) -> Double? {
        // Most words are none; those that begin with a letter could be `nan` and `inf` only.
        guard bytes.count <= tokenByteCountMax, let first = bytes.first,
            (0x30...0x39).contains(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
                || first == UInt8(ascii: "."),
            let number = Double(String(decoding: bytes, as: UTF8.self)), number.isFinite
        else { return nil }
        return number
    }
}
