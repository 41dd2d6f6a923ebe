extension OntologyResolver {
    /// The resolver that reads sources with the language's own parser.
    public static var standard: OntologyResolver {
        OntologyResolver { source in
            if source.isEmpty { return ([], []) }
            let parsed = Parser.ontology(source)
            return (parsed.value.map { [$0] } ?? [], parsed.diagnostics)
        }
    }
}
