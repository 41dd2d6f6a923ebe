internal import MeshCore

extension Diagnostic {
    /// The diagnostic as people read it (``SourceReport``).
    ///
    /// - Parameters:
    ///   - source: The text that was read; a range beyond it is held at its end.
    ///   - name: What the text is called: a file's name, or words such as `query`.
    /// - Returns: Lines without a line break at the end.
    public func rendered(source: String, name: String) -> String {
        SourceReport.text(
            "\(severity.rawValue)[\(code.rawValue)]: \(message)", at: range, hint: hint, source: source,
            name: name)
    }
}
