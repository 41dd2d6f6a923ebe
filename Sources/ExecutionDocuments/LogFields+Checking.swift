internal import MeshCore

extension LogFields {
    /// Whether the bytes are a safe file name, as ``ExecutionUID`` and ``ProtocolName`` have them.
    static func isSafeName(_ bytes: [UInt8], _ slice: LogSlice, lengthMax: Int) -> Bool {
        guard slice.count > 0, slice.count <= lengthMax else { return false }
        let first = bytes[Int(slice.start)]
        guard first != 0x2E, first != 0x2D else { return false }
        var index = Int(slice.start)
        while index < Int(slice.end) {
            if !isSafe(bytes[index]) { return false }
            index += 1
        }
        return true
    }

    /// Whether the bytes are a context path.
    static func isContext(_ bytes: [UInt8], _ slice: LogSlice) -> Bool {
        if isPlainContext(bytes, slice) { return true }
        guard let text = text(bytes, slice.range) else { return false }
        return (try? ContextPath(text)) != nil
    }

    /// Whether the bytes are a path of safe names, which is told without making text of them.
    static func isPlainContext(_ bytes: [UInt8], _ slice: LogSlice) -> Bool {
        guard slice.count > 1, slice.count <= 255, bytes[Int(slice.start)] == 0x2F else { return false }
        var atStart = false
        var depth = 0
        var index = Int(slice.start)
        while index < Int(slice.end) {
            let byte = bytes[index]
            if byte == 0x2F {
                if atStart { return false }
                atStart = true
                depth += 1
            } else {
                // A name that begins with a dot may be one of the refused.
                guard isSafe(byte), !(atStart && byte == 0x2E) else { return false }
                atStart = false
            }
            index += 1
        }
        return !atStart && depth <= ContextPath.depthMax
    }

    /// The status that the bytes spell.
    static func status(_ bytes: [UInt8], _ slice: LogSlice) -> ExecutionStatus? {
        for status in ExecutionStatus.allCases {
            let spelled = spelledStatus[status.ordinal]
            if equal(bytes, slice.range, spelled, 0..<spelled.count) { return status }
        }
        return nil
    }

    private static let spelledStatus = ExecutionStatus.allCases.map { Array($0.rawValue.utf8) }

    /// The instant that the bytes spell; the form we write is read without making text of it.
    static func instant(_ bytes: [UInt8], _ slice: LogSlice) -> Timestamp? {
        if let quick = quickInstant(bytes, slice) { return quick }
        return text(bytes, slice.range).flatMap { Timestamp($0) }
    }

    /// `2026-11-21T12:00:00.000Z`, years 1600 to 9999, days up to the 28th of any month; `nil` for others.
    private static func quickInstant(_ bytes: [UInt8], _ slice: LogSlice) -> Timestamp? {
        guard slice.count == 24 else { return nil }
        let start = Int(slice.start)
        var isWrong = false
        func digits(_ offset: Int, _ count: Int) -> Int64 {
            var value: Int64 = 0
            for index in (start + offset)..<(start + offset + count) {
                let digit = bytes[index] &- 0x30
                if digit > 9 { isWrong = true }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        let (year, month, date) = (digits(0, 4), digits(5, 2), digits(8, 2))
        let (hour, minute, second, part) = (digits(11, 2), digits(14, 2), digits(17, 2), digits(20, 3))
        guard !isWrong, bytes[start + 4] == 0x2D, bytes[start + 7] == 0x2D, bytes[start + 10] == 0x54,
            bytes[start + 13] == 0x3A, bytes[start + 16] == 0x3A, bytes[start + 19] == 0x2E,
            bytes[start + 23] == 0x5A, year >= 1600, (1...12).contains(month), (1...28).contains(date),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + date - 1
        let day = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return Timestamp(
            milliseconds: (day * 86_400 + hour * 3600 + minute * 60 + second) * 1000 + part)
    }

    /// The line as a value; `nil` where a field is missing or of the wrong form.
    func entry(_ bytes: [UInt8]) -> LogEntry? {
        guard let (instant, kind) = kind(bytes) else { return nil }
        func name(_ slice: LogSlice) -> String { String(decoding: bytes[slice.range], as: UTF8.self) }
        let uid = ExecutionUID(checked: name(self.uid))
        switch kind {
        case .start(let status):
            guard let context = Self.text(bytes, self.context.range).flatMap({ try? ContextPath($0) }) else {
                return nil
            }
            return .start(
                uid: uid, protocolName: ProtocolName(checked: name(protocolName)), context: context,
                parentUID: parentUID.isPresent ? ExecutionUID(checked: name(parentUID)) : nil,
                timestamp: instant, status: status)
        case .transition(let status):
            return .transition(
                uid: uid, status: status, timestamp: instant,
                error: error.isPresent ? Self.text(bytes, error.range) : nil)
        case .deletion(let deletion): return .deletion(uid: uid, deletion: deletion, timestamp: instant)
        }
    }

    enum Kind {
        case start(ExecutionStatus)
        case transition(ExecutionStatus)
        case deletion(Deletion)
    }

    /// What the line says and when, with every field checked but the text of an error, which was read already.
    func kind(_ bytes: [UInt8]) -> (Timestamp, Kind)? {
        guard Self.isSafeName(bytes, uid, lengthMax: ExecutionUID.lengthMax),
            let instant = Self.instant(bytes, timestamp)
        else { return nil }
        if deletion.isPresent {
            guard let text = Self.text(bytes, deletion.range), let deletion = Deletion(rawValue: text),
                !status.isPresent, !protocolName.isPresent
            else { return nil }
            return (instant, .deletion(deletion))
        }
        guard let status = Self.status(bytes, status) else { return nil }
        guard protocolName.isPresent else {
            return context.isPresent || parentUID.isPresent ? nil : (instant, .transition(status))
        }
        guard !status.isFinal, Self.isProtocol(bytes, protocolName), context.isPresent,
            Self.isContext(bytes, context),
            !parentUID.isPresent || Self.isSafeName(bytes, parentUID, lengthMax: ExecutionUID.lengthMax)
        else { return nil }
        return (instant, .start(status))
    }

    private static func isProtocol(_ bytes: [UInt8], _ slice: LogSlice) -> Bool {
        isSafeName(bytes, slice, lengthMax: ProtocolName.lengthMax)
            && !(slice.count == 3 && text(bytes, slice.range) == "log")
    }
}

extension ExecutionStatus {
    /// Its place in the lifecycle, from 0.
    var ordinal: Int {
        switch self {
        case .created: 0
        case .running: 1
        case .completed: 2
        case .failed: 3
        }
    }
}
