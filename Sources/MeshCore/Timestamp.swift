/// An instant in milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// The pure core never reads a clock: its caller hands it the present as one of these.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }

    /// The instant `milliseconds` later, held at the first or last one there is.
    public static func + (instant: Self, milliseconds: Int64) -> Self {
        let (sum, overflow) = instant.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? (milliseconds < 0 ? .min : .max) : sum)
    }

    /// Milliseconds from `earlier` to `later`; negative when they stand the other way round.
    public static func - (later: Self, earlier: Self) -> Int64 {
        let (difference, overflow) = later.milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return overflow ? (later < earlier ? .min : .max) : difference
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds: `2026-11-21T12:00:00.000Z`.
    ///
    /// Years outside 0000 to 9999 are printed with as many digits as they have; no text names them.
    public var description: String {
        let second = milliseconds.flooredDivision(by: 1000)
        let day = second.flooredDivision(by: 86_400)
        let (year, month, date) = Self.civil(fromDay: day)
        let inDay = second - day * 86_400
        func padded(_ value: Int64, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(date, 2))T\(padded(inDay / 3600, 2)):"
            + "\(padded(inDay / 60 % 60, 2)):\(padded(inDay % 60, 2)).\(padded((milliseconds % 1000 + 1000) % 1000, 3))Z"
    }

    /// Reads RFC 3339 text such as `2026-11-21T12:00:00Z`, with or without a fraction or an offset.
    ///
    /// Digits beyond the millisecond are dropped, and second 60 is the next minute's first.
    ///
    /// - Returns: `nil` for any other form and for days that no calendar has.
    public init?(_ text: String) {
        var reader = DigitReader(rest: Array(text.utf8)[...])
        guard let year = reader.number(4), reader.takes("-"), let month = reader.number(2), reader.takes("-"),
            let date = reader.number(2), reader.takes("T") || reader.takes("t") || reader.takes(" "),
            let hour = reader.number(2), reader.takes(":"), let minute = reader.number(2), reader.takes(":"),
            let second = reader.number(2), hour <= 23, minute <= 59, second <= 60
        else { return nil }
        let day = Self.day(year: year, month: month, date: date)
        // A date that does not come back is one that the calendar does not have.
        guard (1...12).contains(month), Self.civil(fromDay: day) == (year, month, date) else { return nil }
        var fraction: Int64 = 0
        if reader.takes(".") {
            guard let value = reader.thousandths() else { return nil }
            fraction = value
        }
        var offset: Int64 = 0
        if !(reader.takes("Z") || reader.takes("z")) {
            let east = reader.takes("+")
            guard east || reader.takes("-"), let hours = reader.number(2), reader.takes(":"),
                let minutes = reader.number(2), hours <= 23, minutes <= 59
            else { return nil }
            offset = (hours * 60 + minutes) * (east ? 60 : -60)
        }
        guard reader.rest.isEmpty else { return nil }
        self.init(
            milliseconds: (day * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1000 + fraction)
    }

    /// The proleptic Gregorian date of a day counted from 1970-01-01.
    private static func civil(fromDay day: Int64) -> (year: Int64, month: Int64, date: Int64) {
        let shifted = day + 719_468
        let era = shifted.flooredDivision(by: 146_097)
        let inEra = shifted - era * 146_097
        let yearOfEra = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
        let dayOfYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func day(year: Int64, month: Int64, date: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredDivision(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + date - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// Takes fixed runs of ASCII digits from the front of a text.
private struct DigitReader {
    var rest: ArraySlice<UInt8>

    mutating func takes(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int64? {
        let digits = rest.prefix(width)
        guard digits.count == width, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(width)
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    /// A fraction of any length, cut to three digits.
    mutating func thousandths() -> Int64? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        let three = (digits.prefix(3) + [0x30, 0x30]).prefix(3)
        return three.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
}

extension Int64 {
    /// Division rounding towards negative infinity; `divisor` is positive.
    func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
