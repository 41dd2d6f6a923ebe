/// An instant in milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// The pure core never reads a clock: its caller hands it the present as one of these.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }

    /// The instant `milliseconds` later, or the last one there is.
    public static func + (instant: Self, milliseconds: Int64) -> Self {
        let (sum, overflow) = instant.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? .max : sum)
    }

    /// Milliseconds from `earlier` to `later`; negative when they stand the other way round.
    public static func - (later: Self, earlier: Self) -> Int64 {
        later.milliseconds.subtractingReportingOverflow(earlier.milliseconds).partialValue
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds: `2026-11-21T12:00:00.000Z`.
    public var description: String {
        let second = milliseconds.flooredDivision(by: 1000)
        let day = second.flooredDivision(by: 86_400)
        let (year, month, date) = Self.civil(fromDay: day)
        let inDay = second - day * 86_400
        func padded(_ value: Int64, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(date, 2))T\(padded(inDay / 3600, 2)):"
            + "\(padded(inDay / 60 % 60, 2)):\(padded(inDay % 60, 2)).\(padded(milliseconds - second * 1000, 3))Z"
    }

    /// Reads RFC 3339 text such as `2026-11-21T12:00:00Z`, with or without a fraction or an offset.
    public init?(_ text: String) {
        let parts = text.split(whereSeparator: { "-:T.Z+ ".contains($0) })
        let characters = Array(text)
        guard parts.count >= 6, characters.count >= 20, characters[10] == "T" || characters[10] == " ",
            parts[0].count == 4, let year = Int64(parts[0]), let month = Int64(parts[1]),
            let date = Int64(parts[2]), let hour = Int64(parts[3]), let minute = Int64(parts[4]),
            let second = Int64(parts[5]), (1...12).contains(month), (1...31).contains(date),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        var tail = characters[19...]
        var fraction: Int64 = 0
        if tail.first == "." {
            tail = tail.dropFirst()
            let digits = tail.prefix { $0.isNumber }
            guard !digits.isEmpty, let value = Int64(String(digits.prefix(3))) else { return nil }
            fraction = value * (digits.count >= 3 ? 1 : digits.count == 2 ? 10 : 100)
            tail = tail.dropFirst(digits.count)
        }
        var offset: Int64 = 0
        if tail != ["Z"] {
            let zone = Array(tail)
            guard zone.count == 6, zone[0] == "+" || zone[0] == "-", zone[3] == ":",
                let hours = Int64(String(zone[1...2])), let minutes = Int64(String(zone[4...5]))
            else { return nil }
            offset = (hours * 60 + minutes) * (zone[0] == "+" ? 60 : -60)
        }
        let day = Self.day(year: year, month: month, date: date)
        self.init(milliseconds: (day * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1000 + fraction)
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

extension Int64 {
    /// Division rounding towards negative infinity; `divisor` is positive.
    func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
