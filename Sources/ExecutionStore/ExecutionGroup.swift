internal import ExecutionDocuments
internal import MeshCore

/// The writing of one group: snapshots first, then one wait for the disk, then the lines.
struct ExecutionGroup {
    /// With more places than this to sync one by one, the whole file system is synced once.
    private static let syncsMax = 8

    let root: Folder
    private(set) var lines: [UInt8] = []
    private var folders: [String: Folder] = [:]
    /// Folders with a new name in them, in the order of the writing, and by path.
    private var changed: [Folder] = []
    private var changedPaths: Set<String> = []
    /// One folder of each file system that is written to: contexts may be on disks of their own.
    private var fileSystems: [(device: UInt64, folder: Folder)] = []
    private let isLarge: Bool

    init(root: Folder, operationCount: Int) {
        self.root = root
        isLarge = operationCount * 2 > Self.syncsMax
    }

    mutating func log(_ entry: LogEntry) { lines.append(contentsOf: entry.line) }

    /// Writes a snapshot; it is on the disk after ``sync()``.
    mutating func write(_ document: ExecutionDocument, _ label: SnapshotLabel) throws(ExecutionError) {
        let store = try made(document.context.storeNames(document.protocolName))
        let (folder, isNew) = try store.made(document.uid.description)
        if isNew { note(store) }
        // A snapshot that takes another's place must be on the disk before it does. A new one that a crash
        // cuts short is in nobody's way, because no line in the log speaks of it yet.
        let replaces = !isNew && folder.has(label.fileName)
        try folder.write(label.fileName, document.bytes, isSynced: !isLarge || replaces)
        note(folder)
    }

    /// Returns when everything that was written is on the disk.
    func sync() throws(ExecutionError) {
        if isLarge {
            for (_, folder) in fileSystems { try folder.syncFileSystem() }
        } else {
            for folder in changed { try folder.sync() }
        }
    }

    private mutating func note(_ folder: Folder) {
        if !isLarge, changedPaths.insert(folder.path).inserted { changed.append(folder) }
    }

    private mutating func noteFileSystem(_ folder: Folder) throws(ExecutionError) {
        guard isLarge else { return }
        let device = try folder.device()
        if !fileSystems.contains(where: { $0.device == device }) { fileSystems.append((device, folder)) }
    }

    private mutating func made(_ names: [String]) throws(ExecutionError) -> Folder {
        let key = names.joined(separator: "/")
        if let folder = folders[key] { return folder }
        var folder = root
        for name in names {
            let (inner, isNew) = try folder.made(name)
            if isNew {
                note(folder)
                try noteFileSystem(folder)
            }
            folder = inner
        }
        try noteFileSystem(folder)
        folders[key] = folder
        return folder
    }
}

extension ContextPath {
    /// The folders from the root to those of a protocol's executions.
    func storeNames(_ protocolName: ProtocolName) -> [String] {
        components + [".spl", "exec", protocolName.description]
    }
}
