/// What `format:` may ask of a string.
public enum ValueFormat: String, Sendable, Hashable, CaseIterable {
    /// `local@domain.tld`: letters, digits and `.!#$%&'*+/=?^_{|}~-` and the backquote before the sign, 254 at most.
    case email
    /// `scheme://host…`, or `mailto:` and `urn:` with something behind; visible ASCII only.
    case url
    /// Eight, four, four, four and twelve hexadecimal digits.
    case uuid
    /// Small letters and digits in groups joined by single `-`.
    case slug
    /// Seven to fifteen digits, a `+` before them or not; spaces, `-`, `.` and one pair of brackets between.
    case phone
    /// `2026-11-21`, a day that there is.
    case isoDate = "iso_date"
    /// `2026-11-21T12:00:00Z`, with or without a fraction, with `Z` or an offset.
    case isoDatetime = "iso_datetime"
    /// Four numbers up to 255, without leading zeros.
    case ipv4
    /// Eight groups of hexadecimal digits, one run of zeros as `::`; the last two may be written as IPv4.
    case ipv6

    /// Whether `text` has the format.
    public func describes(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        // No format has anything as long; what is longer is not looked at.
        guard !bytes.isEmpty, bytes.count <= 8192 else { return false }
        switch self {
        case .email: return isEmail(bytes)
        case .url: return isURL(bytes)
        case .uuid: return isUUID(bytes)
        case .slug: return isSlug(bytes)
        case .phone: return isPhone(bytes)
        case .isoDate: return bytes.count == 10 && isDate(bytes[...])
        case .isoDatetime: return isDateTime(bytes)
        case .ipv4: return isIPv4(bytes[...])
        case .ipv6: return isIPv6(bytes)
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private func isLower(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7A }
    private func isLetter(_ byte: UInt8) -> Bool { isLower(byte | 0x20) }
    private func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66)
    }

    private func isEmail(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= 254, let sign = bytes.lastIndex(of: UInt8(ascii: "@")) else { return false }
        let local = bytes[..<sign]
        guard !local.isEmpty, local.count <= 64 else { return false }
        let marks = Array("!#$%&'*+/=?^_`{|}~-".utf8)
        for part in local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard !part.isEmpty, part.allSatisfy({ isLetter($0) || isDigit($0) || marks.contains($0) }) else {
                return false
            }
        }
        let domain = bytes[(sign + 1)...]
        guard isHostName(domain), let dot = domain.lastIndex(of: UInt8(ascii: ".")) else { return false }
        return domain[(dot + 1)...].contains { !isDigit($0) }
    }

    /// Labels of letters, digits and inner hyphens, joined by dots.
    private func isHostName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 253 else { return false }
        let hyphen = UInt8(ascii: "-")
        for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard !label.isEmpty, label.count <= 63, label.first != hyphen, label.last != hyphen,
                label.allSatisfy({ isLetter($0) || isDigit($0) || $0 == hyphen })
            else { return false }
        }
        return true
    }

    private func isURL(_ bytes: [UInt8]) -> Bool {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0, isLetter(bytes[0]),
            bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) })
        else { return false }
        let scheme = bytes[..<colon]
        guard scheme.allSatisfy({ isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }) else {
            return false
        }
        let rest = bytes[(colon + 1)...]
        guard rest.starts(with: "//".utf8) else {
            let name = String(decoding: scheme, as: UTF8.self).lowercased()
            return ["mailto", "urn", "data", "did"].contains(name) && !rest.isEmpty
        }
        var authority = rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) }
        if let sign = authority.lastIndex(of: UInt8(ascii: "@")) { authority = authority[(sign + 1)...] }
        if authority.first == UInt8(ascii: "[") {
            guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { return false }
            return isIPv6(Array(authority[(authority.startIndex + 1)..<end]))
                && isPort(authority[(end + 1)...])
        }
        let host = authority.prefix { $0 != UInt8(ascii: ":") }
        return isHostName(host) && isPort(authority[host.endIndex...])
    }

    /// Nothing, or `:` and a number up to 65535.
    private func isPort(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first else { return true }
        let digits = bytes.dropFirst()
        guard first == UInt8(ascii: ":"), !digits.isEmpty, digits.count <= 5, digits.allSatisfy(isDigit)
        else {
            return false
        }
        return digits.reduce(0) { $0 * 10 + Int($1) - 0x30 } <= 65535
    }

    private func isUUID(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 36 else { return false }
        for (index, byte) in bytes.enumerated() {
            let isDash = index == 8 || index == 13 || index == 18 || index == 23
            guard isDash ? byte == UInt8(ascii: "-") : isHexadecimal(byte) else { return false }
        }
        return true
    }

    private func isSlug(_ bytes: [UInt8]) -> Bool {
        bytes.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).allSatisfy { group in
            !group.isEmpty && group.allSatisfy { isLower($0) || isDigit($0) }
        }
    }

    private func isPhone(_ bytes: [UInt8]) -> Bool {
        var digits = 0
        var bracket: Int?
        var hasBrackets = false
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case _ where isDigit(byte): digits += 1
            case UInt8(ascii: "+"): if index != 0 { return false }
            case UInt8(ascii: "("):
                if hasBrackets { return false }
                hasBrackets = true
                bracket = digits
            case UInt8(ascii: ")"):
                guard let opened = bracket, digits > opened else { return false }
                bracket = nil
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."):
                // One at a time, and never at an end.
                guard index > 0, index + 1 < bytes.count else { return false }
                let previous = bytes[index - 1]
                guard isDigit(previous) || previous == UInt8(ascii: ")") else { return false }
            default: return false
            }
        }
        return bracket == nil && digits >= 7 && digits <= 15
    }

    /// The number that `bytes` from `start` spell; `nil` where they are not all digits.
    private func number(_ bytes: ArraySlice<UInt8>, _ start: Int, _ count: Int) -> Int? {
        guard start + count <= bytes.count else { return nil }
        let digits = bytes.dropFirst(start).prefix(count)
        guard digits.allSatisfy(isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }

    private func isDate(_ bytes: ArraySlice<UInt8>) -> Bool {
        let first = bytes.startIndex
        guard bytes.count >= 10, bytes[first + 4] == UInt8(ascii: "-"), bytes[first + 7] == UInt8(ascii: "-"),
            let year = number(bytes, 0, 4), let month = number(bytes, 5, 2), let day = number(bytes, 8, 2),
            month >= 1, month <= 12, day >= 1
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day <= lengths[month - 1]
    }

    private func isDateTime(_ bytes: [UInt8]) -> Bool {
        let all = bytes[...]
        guard bytes.count >= 17, isDate(all), bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
            let hour = number(all, 11, 2), let minute = number(all, 14, 2), hour <= 23, minute <= 59
        else { return false }
        var rest = bytes[16...]
        if rest.first == UInt8(ascii: ":") {
            guard let second = number(rest, 1, 2), second <= 59 else { return false }
            rest = rest.dropFirst(3)
            if rest.first == UInt8(ascii: ".") {
                let digits = rest.dropFirst().prefix(while: isDigit)
                guard !digits.isEmpty, digits.count <= 9 else { return false }
                rest = rest.dropFirst(1 + digits.count)
            }
        }
        guard let sign = rest.first else { return false }
        if sign == UInt8(ascii: "Z") { return rest.count == 1 }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), rest.count == 6,
            rest[rest.startIndex + 3] == UInt8(ascii: ":"),
            let hours = number(rest, 1, 2), let minutes = number(rest, 4, 2)
        else { return false }
        return hours <= 23 && minutes <= 59
    }

    private func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard part.count >= 1, part.count <= 3, part.allSatisfy(isDigit),
                    part.count == 1 || part.first != UInt8(ascii: "0")
                else { return false }
                return part.reduce(0) { $0 * 10 + Int($1) - 0x30 } <= 255
            }
    }

    private func isIPv6(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 2, bytes.count <= 45 else { return false }
        let colon = UInt8(ascii: ":")
        var halves: [ArraySlice<UInt8>] = []
        var start = 0
        var index = 0
        while index + 1 < bytes.count {
            if bytes[index] == colon, bytes[index + 1] == colon {
                halves.append(bytes[start..<index])
                start = index + 2
                index += 2
            } else {
                index += 1
            }
        }
        halves.append(bytes[start...])
        guard halves.count <= 2 else { return false }
        var groups = 0
        for (place, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: colon, omittingEmptySubsequences: false)
            for (number, part) in parts.enumerated() {
                let isLast = place == halves.count - 1 && number == parts.count - 1
                if isLast, part.contains(UInt8(ascii: ".")) {
                    guard isIPv4(part) else { return false }
                    groups += 2
                } else {
                    guard part.count >= 1, part.count <= 4, part.allSatisfy(isHexadecimal) else {
                        return false
                    }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }
}
