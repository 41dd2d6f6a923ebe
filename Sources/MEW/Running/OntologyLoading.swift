public import IPLD
public import MeshGraph

/// Where a transaction finds the ontologies that are in force, and their blocks.
public struct OntologyLoading {
    /// What a new ontology builds on; sorted, none where nothing has been declared.
    public let heads: [CID]
    /// A block's contents; `nil` for one that is not here.
    public let load: (CID) throws -> OntologyBlock?

    public init(heads: [CID], load: @escaping (CID) throws -> OntologyBlock?) {
        self.heads = heads
        self.load = load
    }
}
