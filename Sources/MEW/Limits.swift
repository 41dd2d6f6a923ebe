/// What one program may cost the node that runs it.
public enum Limits {
    /// How many values COLLECT gathers where it does not say.
    public static let collectCount = 10_000
    /// How far `+` and `*` go where they do not say, and at the most.
    public static let transitiveDepth = 100
    /// How many entities one transitive step may meet.
    public static let transitiveCount = 1_000_000
    /// How deep rules may fire one another.
    public static let ruleDepth = 100
    /// How many actions the rules of one transaction may take.
    public static let ruleActionCount = 10_000
    /// How deep, and to how many entities, KILL cascades.
    public static let cascadeDepth = 100
    public static let cascadeCount = 10_000
    /// How many elementary steps (an entity met, a link followed, a condition judged) a reading statement takes.
    public static let readSteps = 200_000_000
    /// The same for a statement that runs inside the engine.
    public static let writeSteps = 20_000_000
    /// How many rows a statement may give.
    public static let rowCount = 1_000_000
}
