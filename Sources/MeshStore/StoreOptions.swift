/// How a ``Store`` is opened; the defaults are right for a node.
public struct StoreOptions: Sendable {
    /// How far the map of the records may grow, in bytes of address space; likewise that of the blobs.
    public var mapBytesMax: Int
    /// The size of each map to begin with, in bytes.
    public var mapBytes: Int
    /// How many places of new blocks gather in memory before they are merged into the index.
    ///
    /// More make merging cheaper, because neighbours share pages, and opening slower, because
    /// their log is read again. Memory is about 200 bytes each, for up to twice as many.
    public var mergeThreshold: Int
    /// The least number of places that a commit merges while there are some to merge.
    public var mergeSlice: Int

    public init(
        mapBytesMax: Int = 64 << 30, mapBytes: Int = 64 << 20, mergeThreshold: Int = 16_384,
        mergeSlice: Int = 64
    ) {
        self.mapBytesMax = mapBytesMax
        self.mapBytes = mapBytes
        self.mergeThreshold = mergeThreshold
        self.mergeSlice = mergeSlice
    }
}

/// What a ``Store`` tells about itself.
public struct StoreStatistics: Sendable, Hashable {
    /// The reach of the records' data file, in bytes.
    public let usedBytes: Int
    /// The present size of the records' map, in bytes of address space.
    public let mapBytes: Int
    /// The reach of the blobs' data file, in bytes.
    public let blobBytes: Int
    /// How many commits have been made since the store was opened.
    public let commitCount: Int
    /// How long the last commit took, from the end of the writing to the disk's answer.
    public let lastCommit: Duration
    /// How many blocks' places are in memory only, and are merged by and by.
    public let unmergedCount: Int
}
