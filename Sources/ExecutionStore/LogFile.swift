internal import ExecutionDocuments
internal import Glibc
internal import MeshCore

/// The global log in `<root>/.spl/exec`: appended, repaired and compacted under one lock.
///
/// The lock is a file of its own, because compaction puts another file in the log's place.
struct LogFile: Sendable {
    private static let name = "log"
    private static let lockName = ".lock"

    let folder: Folder
    /// Told of each repair, before anything is appended behind it.
    let onRepair: @Sendable (LogRepair) -> Void

    /// Everything in the log; a line that somebody is writing is not cut in two by it.
    func read() throws(ExecutionError) -> [UInt8] {
        let lock = try folder.open(Self.lockName, O_RDONLY)
        try lock?.lock(isShared: true)
        return try withExtendedLifetime(lock) { () throws(ExecutionError) in try readUnlocked() }
    }

    private func readUnlocked() throws(ExecutionError) -> [UInt8] {
        guard let file = try folder.open(Self.name, O_RDONLY) else { return [] }
        let length = try file.length()
        guard length <= ExecutionLog.byteCountMax else {
            throw ExecutionError(.tooLarge, "\(file.path) has \(length) bytes", hint: "compact it")
        }
        return try file.read(0..<length)
    }

    /// Appends lines that `lines` makes, given the log where `isReading`, and returns when they are on the disk.
    ///
    /// - Throws: And then the log is as it was, but for a repair.
    func append(
        isReading: Bool = false, _ lines: (ExecutionLog?) throws(ExecutionError) -> [UInt8]
    ) throws(ExecutionError) {
        let lock = try locked()
        try withExtendedLifetime(lock) { () throws(ExecutionError) in
            let isNew = !folder.has(Self.name)
            guard let file = try folder.open(Self.name, O_RDWR | O_APPEND | O_CREAT) else {
                throw Folder.failure("the log in \(folder.path) cannot be made", ENOENT)
            }
            try repair(file)
            let bytes = try lines(isReading ? try ExecutionLog(try readUnlocked()) : nil)
            guard !bytes.isEmpty else { return }
            let length = try file.length()
            do throws(ExecutionError) {
                try file.append(bytes)
                try file.sync()
            } catch {
                // The lines are taken back whole. If even that fails, the next to append repairs.
                try? file.truncate(to: length)
                throw error
            }
            if isNew { try folder.sync() }
        }
    }

    /// Makes the log whole; what was done is said.
    func repair() throws(ExecutionError) {
        let lock = try locked()
        try withExtendedLifetime(lock) { () throws(ExecutionError) in
            if let file = try folder.open(Self.name, O_RDWR | O_APPEND) { try repair(file) }
        }
    }

    /// Puts a shorter log in the place of the log.
    ///
    /// `prepare` runs before, under the lock.
    func compact(
        _ prepare: (ExecutionLog, LogCompaction) throws(ExecutionError) -> Void
    ) throws(ExecutionError) -> LogCompaction {
        let lock = try locked()
        return try withExtendedLifetime(lock) { () throws(ExecutionError) -> LogCompaction in
            if let file = try folder.open(Self.name, O_RDWR | O_APPEND) { try repair(file) }
            let log = try ExecutionLog(try readUnlocked())
            let compaction = LogCompaction(log)
            guard compaction.droppedLineCount > 0 else { return compaction }
            try prepare(log, compaction)
            try folder.write(Self.name, compaction.bytes, isSynced: true)
            try folder.sync()
            return compaction
        }
    }

    private func locked() throws(ExecutionError) -> OpenFile? {
        let lock = try folder.open(Self.lockName, O_RDWR | O_CREAT)
        try lock?.lock()
        return lock
    }

    private func repair(_ file: OpenFile) throws(ExecutionError) {
        let length = try file.length()
        guard length > 0, try file.read(length - 1..<length) != [0x0A] else { return }
        // From the end backwards, until the beginning of the last line is there.
        var count = min(length, LogEntry.lineLengthMax)
        var tail = try file.read(length - count..<length)
        while count < length, !tail.contains(0x0A) {
            count = min(length, count * 2)
            tail = try file.read(length - count..<length)
        }
        let repair = LogRepair(tail)
        if !repair.cut.isEmpty { try file.truncate(to: length - repair.cut.count) }
        try file.append(repair.added)
        try file.sync()
        onRepair(repair)
    }
}
