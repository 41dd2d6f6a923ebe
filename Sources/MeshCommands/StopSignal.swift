internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import MeshCore
internal import Synchronization

/// Lets Ctrl+C end a run after what is at hand; a second one ends the process at once.
final class StopSignal {
    private final class State: Sendable {
        let isRequested = Atomic<Bool>(false)
        let wake = DispatchSemaphore(value: 0)
    }

    private let state = State()
    private let source: (any DispatchSourceSignal)?

    /// Begins to listen, where the console owns the process; `notice` goes to standard error when it is heard.
    init(_ console: Console, notice: String) {
        guard console.ownsProcess else {
            source = nil
            return
        }
        // The default action would end the process before the source sees the signal.
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { [state] in
            guard !state.isRequested.exchange(true, ordering: .sequentiallyConsistent) else { return }
            signal(SIGINT, SIG_DFL)
            console.message("\n\(notice)")
            state.wake.signal()
        }
        source.resume()
        self.source = source
    }

    /// Whether the run is to end.
    var isRequested: Bool { state.isRequested.load(ordering: .sequentiallyConsistent) }

    /// Waits until `time` by the system's clock, or until the run is to end; may return before either.
    func wait(until time: Timestamp) {
        let milliseconds = min(max(0, time - Self.now()), 3_600_000)
        _ = state.wake.wait(timeout: .now() + .milliseconds(Int(milliseconds)))
    }

    /// The system's clock.
    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    deinit {
        guard let source else { return }
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
