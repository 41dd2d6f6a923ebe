extension Contract {
    /// Checks a contract: names, types, calls, the ways through it, and what it spends.
    ///
    /// Never traps, whatever the tree; the work grows with the length of the text and not with what the text would
    /// do. A tree that was read with errors may be checked too, to find more of them.
    ///
    /// - Parameters:
    ///   - tree: What ``read(_:)`` made of the text.
    ///   - name: What the text is called; the messages of failing code begin with it.
    /// - Returns: The program, `nil` when there are errors; the diagnostics in the order of the text, at most
    ///   ``Limits/diagnosticCountMax``, errors before warnings where that is too few; and what `run` spends.
    public static func check(
        _ tree: SyntaxTree, name: String = "contract.ccl"
    ) -> (program: Program?, diagnostics: [Diagnostic], spending: Spending) {
        var checker = Checker(tree, name: name)
        let program = checker.check()
        return (program, checker.reported, checker.spending)
    }
}
