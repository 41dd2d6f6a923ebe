internal import IPLD
internal import Synchronization

/// The modules and graphs that have been found fit to run, so that the same one is not checked for every job.
///
/// What they are follows from its CID, so a good verdict never changes; refusals are not kept, because
/// some of them (a worker that died) may.
final class CheckedModules: Sendable {
    struct Question: Hashable {
        var language: String
        var code: CID
        var entry: String?
        /// Those of a graph; a module is the same whatever its arguments are.
        var arguments: [String]
        var memoryBytes: UInt64
    }

    private static let countMax = 1024
    private let good = Mutex<Set<Question>>([])

    func isGood(_ question: Question) -> Bool {
        good.withLock { $0.contains(question) }
    }

    func noteGood(_ question: Question) {
        good.withLock { known in
            if known.count >= Self.countMax { known.removeAll() }
            known.insert(question)
        }
    }
}
