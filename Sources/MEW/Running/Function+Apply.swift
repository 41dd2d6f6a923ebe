internal import MeshCore
internal import MeshGraph

extension Function {
    /// The value for arguments that are all there.
    func apply(_ values: [GraphValue], _ range: SourceRange) throws(Diagnostic) -> GraphValue {
        switch (self, values.first, values.dropFirst().first) {
        case (.length, .string(let text)?, _): return .int(Int64(text.unicodeScalars.count))
        case (.length, .list(let list)?, _): return .int(Int64(list.count))
        case (.lower, .string(let text)?, _): return .string(text.lowercased())
        case (.upper, .string(let text)?, _): return .string(text.uppercased())
        case (.trim, .string(let text)?, _): return .string(Self.trimmed(text))
        case (.contains, .string(let text)?, .string(let part)?):
            return .bool(Text.range(of: part, in: text) != nil)
        case (.contains, .list(let list)?, let element?):
            return .bool(list.contains { Comparison.areEqual($0, element) })
        case (.startsWith, .string(let text)?, .string(let part)?):
            return .bool(text.utf8.starts(with: part.utf8))
        case (.endsWith, .string(let text)?, .string(let part)?):
            return .bool(text.utf8.reversed().starts(with: part.utf8.reversed()))
        case (.substring, .string(let text)?, .int(let start)?):
            guard values.count == 3, case .int(let length) = values[2] else { break }
            let scalars = Array(text.unicodeScalars)
            let first = Int(Swift.min(Swift.max(start, 0), Int64(scalars.count)))
            let count = Int(Swift.min(Swift.max(length, 0), Int64(scalars.count - first)))
            return .string(String(String.UnicodeScalarView(scalars[first..<first + count])))
        case (.replace, .string(let text)?, .string(let old)?):
            guard values.count == 3, case .string(let new) = values[2] else { break }
            return .string(try Text.replacing(old, by: new, in: text, range))
        case (.split, .string(let text)?, .string(let separator)?):
            return .list(Text.split(text, at: separator).map { .string($0) })
        case (.abs, .int(let value)?, _): return .int(value < 0 ? 0 &- value : value)
        case (.abs, .float(let value)?, _): return .float(Swift.abs(value))
        case (.floor, let value?, _): return try Self.integer(value, .down, range)
        case (.ceil, let value?, _): return try Self.integer(value, .up, range)
        case (.round, let value?, _): return try Self.integer(value, .toNearestOrAwayFromZero, range)
        case (.isNaN, .float(let value)?, _): return .bool(value.isNaN)
        case (.isNaN, .int?, _): return .bool(false)
        case (.min, let first?, _):
            return values.dropFirst().reduce(first) { Comparison.precedes($1, $0) < 0 ? $1 : $0 }
        case (.max, let first?, _):
            return values.dropFirst().reduce(first) { Comparison.precedes($1, $0) > 0 ? $1 : $0 }
        case (.toMilliseconds, .duration(let value)?, _): return .int(value)
        case (.toSeconds, .duration(let value)?, _): return .int(value / 1_000)
        case (.toMinutes, .duration(let value)?, _): return .int(value / 60_000)
        case (.toHours, .duration(let value)?, _): return .int(value / 3_600_000)
        case (.toDays, .duration(let value)?, _): return .int(value / 86_400_000)
        case (.year, .timestamp(let value)?, _): return .int(CivilTime(milliseconds: value).year)
        case (.month, .timestamp(let value)?, _): return .int(CivilTime(milliseconds: value).month)
        case (.day, .timestamp(let value)?, _): return .int(CivilTime(milliseconds: value).day)
        case (.hour, .timestamp(let value)?, _): return .int(CivilTime(milliseconds: value).hour)
        case (.minute, .timestamp(let value)?, _): return .int(CivilTime(milliseconds: value).minute)
        case (.second, .timestamp(let value)?, _): return .int(CivilTime(milliseconds: value).second)
        default: break
        }
        let kinds = values.map { Compiler.type(of: $0).description }.joined(separator: ", ")
        throw Diagnostic(.typeMismatch, "\(rawValue) has no meaning for (\(kinds))", at: range)
    }

    private static func integer(
        _ value: GraphValue, _ rule: FloatingPointRoundingRule, _ range: SourceRange
    ) throws(Diagnostic) -> GraphValue {
        switch value {
        case .int: return value
        case .float(let value):
            guard let whole = Int64(exactly: value.rounded(rule)) else {
                throw Diagnostic(.typeMismatch, "\(value) is no Int", at: range)
            }
            return .int(whole)
        default: throw Arithmetic.mismatch("rounding", value, range)
        }
    }

    private static func trimmed(_ text: String) -> String {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}

/// Searching in strings by their bytes.
enum Text {
    /// How long a string may get by replacing.
    static let byteCountMax = 1 << 20

    static func range(of part: String, in text: String) -> Range<Int>? {
        range(of: Array(part.utf8), in: Array(text.utf8), from: 0)
    }

    private static func range(of part: [UInt8], in text: [UInt8], from start: Int) -> Range<Int>? {
        guard !part.isEmpty else { return start..<start }
        var index = start
        while index + part.count <= text.count {
            if text[index] == part[0], text[index..<index + part.count].elementsEqual(part) {
                return index..<index + part.count
            }
            index += 1
        }
        return nil
    }

    static func split(_ text: String, at separator: String) -> [String] {
        let bytes = Array(text.utf8)
        let mark = Array(separator.utf8)
        guard !mark.isEmpty else { return text.unicodeScalars.map { String($0) } }
        var parts: [String] = []
        var start = 0
        while let found = range(of: mark, in: bytes, from: start) {
            parts.append(String(decoding: bytes[start..<found.lowerBound], as: UTF8.self))
            start = found.upperBound
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    static func replacing(
        _ old: String, by new: String, in text: String, _ place: SourceRange
    ) throws(Diagnostic) -> String {
        guard !old.isEmpty else { return text }
        let parts = split(text, at: old)
        guard text.utf8.count + parts.count * new.utf8.count <= byteCountMax else {
            throw Diagnostic(.workLimit, "the string would have more than \(byteCountMax) bytes", at: place)
        }
        return parts.joined(separator: new)
    }
}

/// A UTC calendar date and time of day (proleptic Gregorian; Hinnant's days-to-civil).
struct CivilTime {
    let year: Int64
    let month: Int64
    let day: Int64
    let hour: Int64
    let minute: Int64
    let second: Int64

    init(milliseconds: Int64) {
        func floor(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((-a + b - 1) / b) }
        let clamped = Swift.max(milliseconds, -62_135_596_800_000 * 4)
        let days = floor(clamped, 86_400_000)
        let rest = clamped - days * 86_400_000
        hour = rest / 3_600_000
        minute = rest / 60_000 % 60
        second = rest / 1_000 % 60
        let shifted = days + 719_468
        let era = floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
