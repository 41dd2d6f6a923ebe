/// What a graph that runs as a job is charged, so that its cost is bounded and the same wherever it runs.
///
/// What a module uses is its own affair and comes on top.
public enum FlowFuel {
    /// For each byte of the graph's file, before it is read.
    public static let perFileByte: UInt64 = 50
    /// For each node and edge of the expanded graph, once.
    public static let perElement: UInt64 = 100
    /// For each byte of an input that a source reads, once.
    public static let perInputByte: UInt64 = 20
    /// For each pass.
    public static let perPass: UInt64 = 1_000
    /// For each node in each pass.
    public static let perNode: UInt64 = 10
    /// For each edge in each pass.
    public static let perEdge: UInt64 = 1
    /// For each byte of text and each number that a source gives, in each pass, or a module.
    public static let perGivenUnit: UInt64 = 1
    /// For each call of a module, beside what it uses.
    public static let perCall: UInt64 = 1_000
    /// For each byte that is handed to a module, and once for each byte of a module.
    public static let perHandedByte: UInt64 = 1
    /// For each byte of output, `capture` and stderr included.
    public static let perOutputByte: UInt64 = 10
}

/// What counts against the memory limit of a graph that runs as a job: figures that the true sizes stay below.
public enum FlowMemory {
    /// For each byte of the graph's file.
    public static let perFileByte: UInt64 = 64
    /// For each byte of an input that a source reads: its text, and the numbers in it.
    public static let perInputByte: UInt64 = 8
    /// For each pass, which the capture keeps.
    public static let perPass: UInt64 = 1_024
    /// For each boundary output, action and call of a module in each pass.
    public static let perRecord: UInt64 = 256
    /// For each number that a module gives.
    public static let perNumber: UInt64 = 8
    /// For each number that is handed to a module, while it runs.
    public static let perHandedNumber: UInt64 = 32
    /// For each byte that a module may print, while it is read.
    public static let perPrintedByte: UInt64 = 64
}
