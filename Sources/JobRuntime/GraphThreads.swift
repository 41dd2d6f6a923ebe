internal import Dispatch
internal import Synchronization

/// A bounded number of threads for work that takes long and waits for others.
///
/// What comes while all are busy waits in its order and holds no thread.
final class GraphThreads: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        /// Where the oldest of ``waiting`` stands; what is before it has begun.
        var next = 0
        var busy = 0
    }

    private let countMax: Int
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "mesh.graphs", attributes: .concurrent)

    init(countMax: Int) {
        self.countMax = countMax
    }

    /// Does `work` when its turn has come.
    func run(_ work: @escaping @Sendable () -> Void) {
        let begins = state.withLock { state in
            state.waiting.append(work)
            guard state.busy < countMax else { return false }
            state.busy += 1
            return true
        }
        guard begins else { return }
        queue.async { [self] in
            while let work = take() { work() }
        }
    }

    private func take() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard state.next < state.waiting.count else {
                state.waiting = []
                state.next = 0
                state.busy -= 1
                return nil
            }
            state.next += 1
            let work = state.waiting[state.next - 1]
            // What has begun is not held any longer than it takes.
            state.waiting[state.next - 1] = {}
            if state.next > 1_024 {
                state.waiting.removeFirst(state.next)
                state.next = 0
            }
            return work
        }
    }
}
