public import MeshCore
extension Diagnostic {
    /// E1009 for a statement that the grammar names and this implementation does not have.
    ///
    /// The parser reads such statements without a fault, so that a program is judged as a whole; whoever checks or
    /// runs it refuses them with this.
    ///
    /// - Parameters:
    ///   - name: What ``Statement/Kind/unsupported(_:)`` holds.
    ///   - range: The statement's place.
    /// - Returns: The diagnostic, with a hint where something else serves the purpose.
    public static func unsupported(_ name: String, at range: SourceRange) -> Diagnostic {
        let hint: String? =
            switch name {
            case "TICK": "rules fire within each transaction; schedulers create invocations at their times"
            case "SNAPSHOT", "CHECKOUT": "keep a copy with `meshctl graph export`"
            case "SHOW BRANCHES", "SHOW VERSIONS", "VERSIONS", "DIFF":
                "every change is an entry of its author's feed: `meshctl dag log` lists them"
            default: nil
            }
        return Diagnostic(
            .unsupportedStatement, "\(name) is not a statement of this node", at: range, hint: hint)
    }
}
