/// One thing that a watch saw.
public struct GraphWatchEvent: APIRecord, Hashable {
    /// The watch's id: what PAUSE, RESUME, CANCEL and ALTER name.
    public var watch: String
    /// `initial`, `added`, `removed`, `changed`, `consumed`, `overflow` or `cancelled`.
    public var type: String
    /// The match's columns; empty for `overflow` and `cancelled`.
    public var match: [String: JSONValue]
    /// The columns before, for `changed`.
    @Nullable public var prev: [String: JSONValue]?
    /// What ACK and NACK name, for `consumed`.
    @Nullable public var deliveryID: String?
    /// How many changes the replica had taken in.
    public var tick: Int
    /// How many events were dropped, for `overflow`.
    @Nullable public var lost: Int?
    /// Why the watch has ended, for `cancelled`, such as `E8005: …`; absent where somebody asked for it.
    public var reason: String?

    public init(
        watch: String, type: String, match: [String: JSONValue] = [:], prev: [String: JSONValue]? = nil,
        deliveryID: String? = nil, tick: Int, lost: Int? = nil,
        reason: String? = nil
    ) {
        self.watch = watch
        self.type = type
        self.match = match
        self.prev = prev
        self.deliveryID = deliveryID
        self.tick = tick
        self.lost = lost
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case watch
        case type
        case match
        case prev
        case deliveryID = "delivery_id"
        case tick
        case lost
        case reason
    }

    public static let fields: [APIField] = [
        APIField("watch", .string),
        APIField("type", .string),
        APIField("match", .map(.any)),
        APIField("prev", .map(.any), nullable: true),
        APIField("delivery_id", .string, nullable: true),
        APIField("tick", .integer),
        APIField("lost", .integer, nullable: true),
        APIField("reason", .string, optional: true),
    ]
}
