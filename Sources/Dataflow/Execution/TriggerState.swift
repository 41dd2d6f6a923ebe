/// What the triggers of a graph remember from pass to pass within one lifecycle.
///
/// It follows from the passes since the last reset, and has no other source.
public struct TriggerState: Sendable, Hashable {
    var values: [Double]
    /// How many lifecycles came before this one.
    public private(set) var lifecycle = 0

    init(count: Int) {
        values = [Double](repeating: 0, count: count)
    }

    /// The state as numbers, in the order of the graph's triggers, for the document of a pass.
    ///
    /// What each means is its trigger's own; ``PreparedGraph/state(remembering:)`` takes them back.
    public var numbers: [Double] { values }

    /// Begins a new lifecycle: every trigger is as if nothing had been.
    public mutating func reset() {
        for index in values.indices { values[index] = 0 }
        lifecycle += 1
    }
}
