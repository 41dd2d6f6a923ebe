/// How a contract becomes a module.
public struct EmissionOptions: Sendable, Hashable {
    /// Who is to run the module.
    public enum Target: String, Sendable, Hashable, CaseIterable {
        /// The mesh: the host's functions are imported from the module `host`.
        case host
        /// Any runtime with WASI: the host's functions stand in the module, print one line each and answer yes.
        case wasi
    }

    /// Whether the names of functions and local values go into the module.
    public var names: Bool
    public var target: Target
    /// The name of the source file in the source map; without it there is no map.
    public var sourceMap: String?
    /// Where the source map will be found, noted in the module where there is a map.
    public var mapURL: String?

    public init(
        names: Bool = true, target: Target = .host, sourceMap: String? = nil, mapURL: String? = nil
    ) {
        self.names = names
        self.target = target
        self.sourceMap = sourceMap
        self.mapURL = mapURL
    }
}

/// A contract as a WebAssembly module.
public struct EmittedModule: Sendable, Hashable {
    public let bytes: [UInt8]
    /// JSON, revision 3; a generated column is a byte of the module.
    public let sourceMap: String?

    public init(bytes: [UInt8], sourceMap: String?) {
        self.bytes = bytes
        self.sourceMap = sourceMap
    }
}
