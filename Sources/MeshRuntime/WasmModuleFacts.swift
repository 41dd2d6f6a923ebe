/// What a module says about itself, as far as running it needs it.
public struct WasmModuleFacts: Hashable, Sendable {
    /// What calling an exported function without arguments gives back.
    public enum EntryKind: Hashable, Sendable {
        case returnsNothing
        /// A 32-bit integer, taken as the exit status.
        case returnsStatus
    }

    /// An exported function that can be the entry point.
    public struct Entry: Hashable, Sendable {
        public let name: String
        public let kind: EntryKind
    }

    /// One section: its identifier, where its header starts and where its content lies.
    public struct Section: Hashable, Sendable {
        public let identifier: UInt8
        public let start: Int
        public let content: Range<Int>
    }

    /// Exported functions without parameters and with at most one 32-bit result.
    public internal(set) var entries: [Entry] = []
    /// The pages of 64 KiB that the memory starts with; 0 without a memory.
    public internal(set) var memoryMinimumPages: UInt64 = 0
    /// The byte at which the memory is declared.
    public internal(set) var memoryOffset = 0
    public internal(set) var hasMemory = false
    /// The name under which the memory is exported.
    public internal(set) var memoryExport: String?
    public internal(set) var sections: [Section] = []
    public internal(set) var typeCount = 0
    public internal(set) var functionCount = 0
    public internal(set) var importedFunctionCount = 0
    public internal(set) var globalCount = 0
    /// What the module declares as a contract; `nil` for one without the section `ccl`.
    public internal(set) var contract: ContractSection?

    /// The entry that a run with `name` calls; without a name `_start`, then `run`, then `main`.
    public func entry(named name: String?) -> Entry? {
        if let name { return entries.first { $0.name == name } }
        for candidate in ["_start", "run", "main"] {
            guard let entry = entries.first(where: { $0.name == candidate }) else { continue }
            if candidate != "_start" || entry.kind == .returnsNothing { return entry }
        }
        return nil
    }
}
