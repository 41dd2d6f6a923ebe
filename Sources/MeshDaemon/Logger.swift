internal import MeshCore
internal import MeshEngine
internal import Synchronization

import Foundation

/// Writes the daemon's log to standard error, one line for each event.
///
/// Text from peers is escaped, so that nobody writes lines of their own into it.
final class Logger: Sendable {
    private let level: LogLevel
    private let isJSON: Bool
    private let name: String
    private let lock = Mutex(())

    init(level: LogLevel, isJSON: Bool, name: String) {
        self.level = level
        self.isJSON = isJSON
        self.name = name
    }

    func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String) {
        guard level >= self.level else { return }
        let time = SystemClock.now
        let text = Self.escape(message())
        let line =
            isJSON
            ? "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"node\":\"\(Self.escape(name))\",\"message\":\"\(text)\"}\n"
            : "\(time) \(level.rawValue) \(name): \(text)\n"
        lock.withLock { _ in FileHandle.standardError.write(Data(line.utf8)) }
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars.prefix(4096) {
            switch scalar {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f || (0x80...0x9f).contains(scalar.value):
                escaped += "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// The wall clock, in milliseconds; the one place where the daemon reads it.
enum SystemClock {
    static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}
