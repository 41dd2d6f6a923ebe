internal import Dispatch
internal import Glibc

/// Makes Ctrl+C end the watching, and say that what is watched goes on.
final class Interrupt {
    private let source: (any DispatchSourceSignal)?

    /// Begins to listen; `notice` is printed on standard error before the process ends with status 130.
    ///
    /// `finish` is called before that, on another thread, and puts what was printed in order.
    init(_ console: Console, notice: String, finish: @escaping @Sendable () -> Void = {}) {
        guard console.ownsProcess else {
            source = nil
            return
        }
        // The default action would end the process before the source sees the signal.
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            finish()
            console.message("\n\(notice)")
            exit(130)
        }
        source.resume()
        self.source = source
    }

    deinit {
        guard let source else { return }
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
