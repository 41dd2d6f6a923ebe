extension Contract {
    /// Writes a contract in the canonical layout: four spaces, `key: value;`, objects and lists on one line where
    /// 100 columns hold them, at most one blank line between statements, comments as `// …` where they stood.
    ///
    /// What is written reads as the same tree but for the places and for the colons of properties, and is written
    /// the same again.
    ///
    /// - Parameter source: See ``read(_:)``.
    /// - Returns: `nil` for a text with an error, which is among the diagnostics.
    public static func formatted(_ source: [UInt8]) -> (text: String?, diagnostics: [Diagnostic]) {
        let (tree, diagnostics) = read(source)
        guard !diagnostics.contains(where: { $0.severity == .error }) else { return (nil, diagnostics) }
        var printer = Printer(source: source, comments: tree.comments)
        printer.write(contract: tree)
        return (String(decoding: printer.text, as: UTF8.self), diagnostics)
    }
}
