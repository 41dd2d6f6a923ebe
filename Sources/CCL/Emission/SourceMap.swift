internal import MeshCore

/// Where in its text a module's code comes from: JSON, revision 3 of the source map format.
enum SourceMap {
    /// - `mappings`: In the order of the module's bytes.
    /// - `file`: The name of the text.
    static func json(_ mappings: [CodeBuffer.Mark], file: String) -> String {
        var bytes = Array(#"{"version":3,"sources":["#.utf8)
        appendQuoted(file, to: &bytes)
        bytes.append(contentsOf: #"],"names":[],"mappings":""#.utf8)
        var last = (offset: 0, line: 0, column: 0)
        for (index, mapping) in mappings.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            appendVLQ(mapping.offset &- last.offset, to: &bytes)
            last.offset = mapping.offset
            guard let position = mapping.position else { continue }
            // Of one source; lines and columns count from 0.
            appendVLQ(0, to: &bytes)
            appendVLQ(position.line &- 1 &- last.line, to: &bytes)
            appendVLQ(position.column &- 1 &- last.column, to: &bytes)
            last.line = position.line &- 1
            last.column = position.column &- 1
        }
        bytes.append(contentsOf: #""}"#.utf8)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Five bits a digit, the lowest first; the lowest of all is the sign.
    static func appendVLQ(_ value: Int, to bytes: inout [UInt8]) {
        var rest = UInt64(value.magnitude) &<< 1 | (value < 0 ? 1 : 0)
        repeat {
            let digit = Int(rest & 31)
            rest >>= 5
            bytes.append(digits[rest == 0 ? digit : digit | 32])
        } while rest > 0
    }

    private static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                let hexadecimal = Array("0123456789abcdef".utf8)
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexadecimal[Int(byte >> 4)])
                bytes.append(hexadecimal[Int(byte & 15)])
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
