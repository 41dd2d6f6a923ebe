internal import IPLD
internal import Synchronization

/// The modules that have been found fit to run, so that the same one is not checked for every job.
///
/// What a module is follows from its CID, so a good verdict never changes; refusals are not kept, because
/// some of them (a worker that died) may.
final class CheckedModules: Sendable {
    private struct Question: Hashable {
        let code: CID
        let entry: String?
        let memoryBytes: UInt64
    }

    private static let countMax = 1024
    private let good = Mutex<Set<Question>>([])

    func isGood(_ code: CID, entry: String?, memoryBytes: UInt64) -> Bool {
        good.withLock { $0.contains(Question(code: code, entry: entry, memoryBytes: memoryBytes)) }
    }

    func noteGood(_ code: CID, entry: String?, memoryBytes: UInt64) {
        good.withLock { known in
            if known.count >= Self.countMax { known.removeAll() }
            known.insert(Question(code: code, entry: entry, memoryBytes: memoryBytes))
        }
    }
}
