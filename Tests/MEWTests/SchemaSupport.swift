import IPLD
import MEW
import MeshCore
import MeshGraph
import Testing

/// What a source declares, and what is wrong with it.
func build(
    _ source: String, sourceLocation: SourceLocation = #_sourceLocation
) throws -> (schema: GraphSchema, diagnostics: [Diagnostic]) {
    let parsed = Parser.ontology(source)
    try #require(parsed.diagnostics.isEmpty, "\(parsed.diagnostics)", sourceLocation: sourceLocation)
    var builder = SchemaBuilder()
    builder.add(try #require(parsed.value, sourceLocation: sourceLocation))
    return builder.finish()
}

/// The schema of a source that has no fault; warnings are allowed.
func schema(_ source: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> GraphSchema {
    let (schema, diagnostics) = try build(source, sourceLocation: sourceLocation)
    let errors = diagnostics.filter { $0.severity == .error }
    try #require(errors.isEmpty, "\(errors)", sourceLocation: sourceLocation)
    return schema
}

/// The diagnostic that `body` throws.
func refusal(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) throws -> Diagnostic {
    var thrown: Diagnostic?
    do { try body() } catch let diagnostic as Diagnostic { thrown = diagnostic }
    return try #require(thrown, "nothing was refused", sourceLocation: sourceLocation)
}

extension Diagnostic {
    /// The words of the source that it points at.
    func words(in source: String) -> String {
        guard let range else { return "" }
        let bytes = Array(source.utf8)
        guard range.end.offset <= bytes.count, range.start.offset <= range.end.offset else {
            return "outside"
        }
        return String(decoding: bytes[range.start.offset..<range.end.offset], as: UTF8.self)
    }
}
