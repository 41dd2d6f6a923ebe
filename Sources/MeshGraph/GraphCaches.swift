internal import MeshCore
internal import MeshIdentity
internal import MeshStorage

/// What a writer remembers from one change to the next: numbers that are given once.
///
/// Taking a part of the transaction back may take numbers back too; then everything is forgotten.
final class GraphCaches {
    struct ChangeName: Hashable {
        let author: DID
        let seq: UInt64
    }

    private static let countMax = 1 << 16

    var names: [String: UInt32] = [:]
    var changes: [ChangeName: UInt64] = [:]
    var infos: [UInt64: ChangeInfo] = [:]
    /// The indexes over each type; `nil` while they have not been read.
    var indexes: [UInt32: [GraphFold.TypeIndex]]?

    // What was asked for last is asked for again.
    var lastName = ""
    var lastNameNumber: UInt32 = 0
    var lastChange = ChangeName(author: DID(publicKey: .zero), seq: .max)
    var lastOrdinal: UInt64 = 0

    private let journal: Journal?
    private var rollbackCount = 0

    init(_ storage: any StorageWriter) {
        journal = storage as? Journal
        rollbackCount = journal?.rollbackCount ?? 0
    }

    /// Whether a text is, byte by byte, the name that was asked for last.
    ///
    /// Strings may be equal and differ in their bytes, but not where one is ASCII and both are as long.
    @inline(__always)
    func isLastName(_ text: String) -> Bool {
        lastNameNumber != 0 && text.utf8.count == lastName.utf8.count && text == lastName
    }

    /// Forgets what is no longer so, and what has become too much.
    func prepare() {
        let count = journal?.rollbackCount ?? 0
        if count != rollbackCount || changes.count + infos.count + names.count > Self.countMax {
            rollbackCount = count
            forget()
        }
    }

    func forget() {
        names.removeAll()
        changes.removeAll()
        infos.removeAll()
        indexes = nil
        lastName = ""
        lastNameNumber = 0
        lastChange = ChangeName(author: DID(publicKey: .zero), seq: .max)
        lastOrdinal = 0
    }
}
