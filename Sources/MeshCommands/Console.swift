internal import Glibc

/// Where a command reads and writes: the process's own streams, or a test's.
///
/// Standard output carries data only; messages and progress go to standard error.
public struct Console: Sendable {
    let writeOutput: @Sendable ([UInt8]) -> Void
    let writeMessage: @Sendable ([UInt8]) -> Void
    /// Everything on standard input.
    let readInput: @Sendable () -> [UInt8]
    let environment: [String: String]
    let isInputTerminal: Bool
    let isOutputTerminal: Bool
    let isMessageTerminal: Bool
    /// Whether Ctrl+C is this program's to handle.
    let ownsProcess: Bool

    /// A console made of closures, without terminals.
    public init(
        environment: [String: String] = [:], input: [UInt8] = [],
        output: @escaping @Sendable ([UInt8]) -> Void, message: @escaping @Sendable ([UInt8]) -> Void
    ) {
        writeOutput = output
        writeMessage = message
        readInput = { input }
        self.environment = environment
        isInputTerminal = false
        isOutputTerminal = false
        isMessageTerminal = false
        ownsProcess = false
    }

    private init(environment: [String: String]) {
        writeOutput = { Self.write($0, to: 1) }
        writeMessage = { Self.write($0, to: 2) }
        readInput = Self.readAll
        self.environment = environment
        isInputTerminal = isatty(0) == 1
        isOutputTerminal = isatty(1) == 1
        isMessageTerminal = isatty(2) == 1
        ownsProcess = true
    }

    /// The process's own streams.
    public static func process(environment: [String: String]) -> Console { Console(environment: environment) }

    func line(_ text: String = "") { writeOutput(Array((text + "\n").utf8)) }

    func message(_ text: String) { writeMessage(Array((text + "\n").utf8)) }

    /// Whether headings may be coloured (no-color.org).
    var isColourful: Bool { isOutputTerminal && (environment["NO_COLOR"] ?? "").isEmpty }

    /// Whether error words may be coloured.
    var hasColourfulMessages: Bool { isMessageTerminal && (environment["NO_COLOR"] ?? "").isEmpty }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress.map { unsafe $0 + offset }, buffer.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more: there is nobody left to tell.
            if count <= 0 { return }
            offset += count
        }
    }

    @Sendable
    private static func readAll() -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe read(0, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return bytes }
            bytes += piece.prefix(count)
        }
    }
}
