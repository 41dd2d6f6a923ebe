public import CommandLineArguments
internal import Foundation
internal import Glibc
internal import MeshCore

/// The command `maelstrom`: one node under test, on standard input and output.
public enum MaelstromProgram {
    public static let command = Command(
        "maelstrom", "Be a node that Maelstrom tests (broadcast, g-set)",
        discussion:
            "Reads and writes JSON lines. With Maelstrom: maelstrom test -w broadcast --bin netsim-node --node-count 25, where netsim-node is a script that calls this. `netsim maelstrom-check` is a smaller check of our own.",
        flags: [
            Flag(
                "linger", .duration, "How long frames wait so that several share a message", default: "10ms")
        ])

    /// Runs until standard input ends.
    public static func run(_ arguments: ParsedArguments) {
        let node = MaelstromNode(lingerMilliseconds: Int64(arguments.milliseconds("linger") ?? 10))
        signal(SIGPIPE, SIG_IGN)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var rest: [UInt8] = []
        var last = Timestamp(milliseconds: 0)
        var isOpen = true
        while isOpen {
            var lines: [String] = []
            var entry = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            let wait = node.nextDeadline.map { max(0, min(60_000, $0 - clock())) } ?? -1
            if unsafe poll(&entry, 1, Int32(wait)) > 0 {
                let count = unsafe read(0, &buffer, buffer.count)
                isOpen = count > 0
                rest += buffer[..<max(0, count)]
                lines = takeLines(&rest)
            }
            last = max(last, clock())
            let output = node.receive(lines, now: last)
            if !output.isEmpty { write(output.joined(separator: "\n") + "\n") }
        }
    }

    /// The whole lines at the beginning of `bytes`, which keeps what is behind them.
    static func takeLines(_ bytes: inout [UInt8]) -> [String] {
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = bytes[..<end].split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self)
        }
        bytes.removeFirst(end + 1)
        return lines
    }

    private static func clock() -> Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(1, raw.baseAddress.map { unsafe $0 + start }, raw.count - start)
            }
            if count < 0, errno != EINTR { return }
            start += max(0, count)
        }
    }
}
