internal import Glibc

/// Makes writers take turns; a thread that takes its turn twice is stopped instead of hanging.
///
/// Not `Mutex`, because what runs while it is held is a caller's closure with any result.
@safe
final class WriteLock: @unchecked Sendable {
    // The pointer never changes, and what it points to is a lock.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        unsafe lock = .allocate(capacity: 1)
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ERRORCHECK))
        unsafe pthread_mutex_init(lock, &attributes)
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }

    func acquire() {
        let result = unsafe pthread_mutex_lock(lock)
        precondition(result == 0, "write transactions do not nest (pthread_mutex_lock gave \(result))")
    }

    func release() {
        let result = unsafe pthread_mutex_unlock(lock)
        precondition(result == 0, "pthread_mutex_unlock gave \(result)")
    }
}
