/// When passes are run, and what holds them back.
public struct OrchestratorConfiguration: Sendable, Hashable {
    /// Whether ticks ask for passes (`continuous`) or data does (`event`); commands always do.
    public var cadence: Cadence
    /// The most passes under way at once; a graph with state has one at a time in any case.
    public var inFlightMax: Int?
    /// The most passes that begin within ``rateWindow`` milliseconds.
    public var perWindowMax: Int?
    /// In milliseconds.
    public var rateWindow: Int64
    /// How long a pass may take, in milliseconds.
    public var deadline: Int64?
    /// How many more passes an event gets whose pass failed in a way that may pass.
    public var retriesMax: Int
    /// What the adapters call themselves; a replay by others is refused.
    public var adapterVersion: String

    /// Numbers out of their ranges are brought to the nearest that is in.
    public init(
        cadence: Cadence = .event, inFlightMax: Int? = nil, perWindowMax: Int? = nil,
        rateWindow: Int64 = 1_000, deadline: Int64? = nil, retriesMax: Int = 0,
        adapterVersion: String = "0.1.0"
    ) {
        self.cadence = cadence
        self.inFlightMax = inFlightMax.map { max(1, $0) }
        self.perWindowMax = perWindowMax.map { max(1, $0) }
        self.rateWindow = min(max(1, rateWindow), 1 << 40)
        self.deadline = deadline.map { min(max(0, $0), 1 << 40) }
        self.retriesMax = min(max(0, retriesMax), 1_000)
        self.adapterVersion = adapterVersion
    }
}
