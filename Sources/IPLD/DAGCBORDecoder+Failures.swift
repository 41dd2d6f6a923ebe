public import MeshCore

extension DAGCBORDecoder {
    /// The first three bits of an item's head.
    @usableFromInline
    enum Major: UInt8 {
        case unsigned, negative, byteString, text, array, map, tag

        var noun: String {
            switch self {
            case .unsigned, .negative: "a number"
            case .byteString: "a byte string"
            case .text: "text"
            case .array: "an array"
            case .map: "a map"
            case .tag: "a link"
            }
        }
    }

    // Out of line, so that the sentences do not stand in the way of bytes that are in order.

    @usableFromInline @inline(never)
    func trailing() -> IPLDError {
        IPLDError(.trailingBytes, "\(end - position) bytes follow the item that ends at byte \(position)")
    }

    @usableFromInline @inline(never)
    func cutOff() -> IPLDError {
        IPLDError(.truncated, "the item is cut off at byte \(end)")
    }

    @usableFromInline @inline(never)
    func cutOff(_ what: Major, _ count: UInt64) -> IPLDError {
        IPLDError(.truncated, "\(what.noun) of \(count) bytes or items is cut off at byte \(end)")
    }

    @usableFromInline @inline(never)
    func unexpected(_ what: Major) -> IPLDError {
        IPLDError(.schema, "\(what.noun) expected at byte \(position)")
    }

    @usableFromInline @inline(never)
    func aboveLimit(_ value: UInt64, _ limit: UInt64, _ start: Int) -> IPLDError {
        IPLDError(.schema, "the number \(value) at byte \(start) is above \(limit)")
    }

    @usableFromInline @inline(never)
    func tooLong(_ what: Major, _ count: Int, _ limit: Int, _ start: Int) -> IPLDError {
        IPLDError(.tooLarge, "\(what.noun) of \(count) bytes or items at byte \(start); \(limit) are allowed")
    }

    @usableFromInline @inline(never)
    func wrongCount(_ count: Int, _ start: Int) -> IPLDError {
        IPLDError(.schema, "a byte string of \(count) bytes expected at byte \(start)")
    }

    @usableFromInline @inline(never)
    func tooDeep(_ start: Int) -> IPLDError {
        IPLDError(.tooLarge, "nested deeper than \(Self.depthMax) at byte \(start)")
    }

    @usableFromInline @inline(never)
    func missing(_ name: String) -> IPLDError {
        IPLDError(.schema, "the field \"\(name)\" is missing before byte \(position)")
    }
}
