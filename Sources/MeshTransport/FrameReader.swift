/// Cuts a stream of bytes from a peer into frames.
///
/// A frame is a big-endian `u32` length, one type byte and a body; the length counts the type and
/// the body, so it is at least 1. The cap of the type is checked once five bytes are there, before
/// anything is allocated, and the body then grows with what has arrived, never with what was
/// announced. After a refusal the stream has no meaning any more.
public struct FrameReader: Sendable {
    /// What is wrong with a stream.
    public enum Refusal: Sendable, Equatable {
        /// The length is 0: there is not even a type.
        case empty
        /// Nobody knows this type.
        case unknownType(UInt8)
        /// More was announced than the type may have.
        case oversized(type: UInt8, announced: Int, byteCountMax: Int)
    }

    private let byteCountMax: @Sendable (UInt8) -> Int?
    private var header: UInt64 = 0
    private var headerByteCount = 0
    private var missing = 0
    private var body: [UInt8] = []

    /// - Parameter byteCountMax: The cap of a body by its type; `nil` for an unknown type.
    public init(byteCountMax: @escaping @Sendable (UInt8) -> Int?) {
        self.byteCountMax = byteCountMax
    }

    /// Whether a frame was begun and is not complete.
    public var isInsideFrame: Bool { headerByteCount > 0 }

    /// Takes the first `count` of `bytes` and hands every frame they complete to `frame`.
    ///
    /// - Returns: What is wrong, or `nil`; frames before the fault were handed over.
    public mutating func consume(
        _ bytes: [UInt8], count: Int, frame: (_ type: UInt8, _ body: [UInt8]) -> Void
    ) -> Refusal? {
        var offset = 0
        while offset < count {
            if headerByteCount < 5 {
                header = header << 8 | UInt64(bytes[offset])
                headerByteCount += 1
                offset += 1
                guard headerByteCount == 5 else { continue }
                if let refusal = beginBody() { return refusal }
            }
            let take = min(missing, count - offset)
            if take == missing && body.isEmpty {
                // The usual case: the whole body lies in this record, one copy and no growing.
                body = Array(bytes[offset..<offset + take])
            } else {
                body.append(contentsOf: bytes[offset..<offset + take])
            }
            offset += take
            missing -= take
            guard missing == 0 else { continue }
            let finished = body
            body = []
            let type = UInt8(truncatingIfNeeded: header)
            header = 0
            headerByteCount = 0
            frame(type, finished)
        }
        return nil
    }

    private mutating func beginBody() -> Refusal? {
        let type = UInt8(truncatingIfNeeded: header)
        let length = Int(header >> 8)
        guard length > 0 else { return .empty }
        guard let most = byteCountMax(type) else { return .unknownType(type) }
        guard length - 1 <= most else {
            return .oversized(type: type, announced: length - 1, byteCountMax: most)
        }
        missing = length - 1
        return nil
    }
}
