extension Contract {
    /// What a checked contract does, in plain words: one effect per line in the order in which they happen, indented
    /// under the conditions, loops, events and functions that they belong to; then what it uses in all, what its jobs
    /// ask of a node, and what it keeps as declarations.
    ///
    /// - Parameters:
    ///   - program: A program as ``check(_:name:)`` gave it.
    ///   - spending: What the same check found of its spending.
    /// - Returns: Lines, each ended by a newline. Their number grows with the program's length.
    public static func explanation(_ program: Program, spending: Spending) -> String {
        var explainer = Explainer(program)
        explainer.explain(spending)
        return explainer.text
    }
}
