/// What bounds the work that a text can cause, whoever wrote it.
public enum Limits {
    /// Bytes of a contract's text.
    public static let sourceByteCountMax = 4 << 20
    /// How deeply blocks, lists and parentheses may stand in each other.
    public static let nestingMax = 64
    /// How high operators, signs and `else if` may pile up a tree, with what nests in them.
    ///
    /// With the brackets around, no tree is more than about 500 nodes high: whoever walks one may do so by
    /// recursion.
    public static let chainMax = 200
    /// Diagnostics of one run; what comes after is not looked for.
    public static let diagnosticCountMax = 100
    /// Bytes of one string.
    public static let stringByteCountMax = 64 << 10
    /// How often the body of one loop may run.
    public static let loopCountMax: Int64 = 100_000
    /// Bytes of a compiled module.
    public static let moduleByteCountMax = 4 << 20
}
