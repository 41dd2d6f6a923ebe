internal import Foundation

/// What a thread has found; it is read only after the thread has said that it is done.
private final class Found: @unchecked Sendable {
    var lines: [String] = []
}

/// Runs `body` on a thread with a stack of `kibibytes`, and waits for it.
public func onStack(_ kibibytes: Int, _ body: @escaping @Sendable () -> [String]) -> [String] {
    let found = Found()
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        found.lines = body()
        done.signal()
    }
    thread.stackSize = kibibytes * 1024
    thread.start()
    done.wait()
    return found.lines
}
