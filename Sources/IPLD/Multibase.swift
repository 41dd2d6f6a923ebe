/// The two multibase encodings that the project reads and writes: base32 (`b`) and base58btc (`z`).
public enum Multibase {
    private static let alphabet32 = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    private static let alphabet58 = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    /// RFC 4648 base32, lower case, without padding and without the `b` prefix.
    public static func base32(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 8 + 4) / 5)
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet32[Int(buffer >> bits & 31)])
            }
            buffer &= (1 << bits) - 1
        }
        if bits > 0 { text.append(alphabet32[Int(buffer << (5 - bits) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads base32 text; upper case, padding and non-zero spare bits are refused.
    public static func decodeBase32(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for character in text {
            let value: UInt8
            switch character {
            case 0x61...0x7a: value = character - 0x61
            case 0x32...0x37: value = character - 0x32 + 26
            default: return nil
            }
            buffer = buffer << 5 | UInt32(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
                buffer &= (1 << bits) - 1
            }
        }
        return buffer == 0 && bits < 5 ? bytes : nil
    }

    /// Base58 with the Bitcoin alphabet, without the `z` prefix.
    public static func base58(_ bytes: [UInt8]) -> String {
        let zeros = bytes.prefix { $0 == 0 }.count
        var digits: [UInt8] = []
        for byte in bytes.dropFirst(zeros) {
            var carry = Int(byte)
            for index in digits.indices {
                carry += Int(digits[index]) << 8
                digits[index] = UInt8(carry % 58)
                carry /= 58
            }
            while carry > 0 {
                digits.append(UInt8(carry % 58))
                carry /= 58
            }
        }
        let text =
            [UInt8](repeating: alphabet58[0], count: zeros) + digits.reversed().map { alphabet58[Int($0)] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads base58 text of at most 128 characters.
    ///
    /// - Returns: `nil` for a foreign character or longer text: the work grows with the square of the length.
    public static func decodeBase58(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count <= 128 else { return nil }
        let zeros = text.prefix { $0 == alphabet58[0] }.count
        var bytes: [UInt8] = []
        for character in text.dropFirst(zeros) {
            guard let digit = alphabet58.firstIndex(of: character) else { return nil }
            var carry = digit
            for index in bytes.indices {
                carry += Int(bytes[index]) * 58
                bytes[index] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            while carry > 0 {
                bytes.append(UInt8(truncatingIfNeeded: carry))
                carry >>= 8
            }
        }
        return [UInt8](repeating: 0, count: zeros) + bytes.reversed()
    }
}
