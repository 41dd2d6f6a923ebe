/// How much a document may hold; compared with what is there before anything is allocated.
public struct DocumentLimits: Hashable, Sendable {
    /// The longest document, in bytes.
    public var byteCountMax: Int
    /// How many objects and lists may stand within each other.
    public var depthMax: Int
    /// The most values, each member and element counted.
    public var valueCountMax: Int
    /// The longest spelling of a number, in bytes.
    public var numberLengthMax: Int

    public init(
        byteCountMax: Int = 8 << 20, depthMax: Int = 64, valueCountMax: Int = 1 << 18,
        numberLengthMax: Int = 512
    ) {
        self.byteCountMax = byteCountMax
        self.depthMax = depthMax
        self.valueCountMax = valueCountMax
        self.numberLengthMax = numberLengthMax
    }

    /// What every reader uses that is not told otherwise: 8 MiB, 64 levels, 262,144 values.
    public static let standard = DocumentLimits()
}
