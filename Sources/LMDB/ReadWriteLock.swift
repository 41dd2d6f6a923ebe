internal import Glibc

/// A lock that many may share and one may hold alone; those who wait to hold it alone go first.
///
/// Kept on the heap, because the system's lock must not move.
@safe
final class ReadWriteLock: @unchecked Sendable {
    // The pointer never changes, and what it points to is a lock.
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        unsafe lock = .allocate(capacity: 1)
        var attributes = pthread_rwlockattr_t()
        unsafe pthread_rwlockattr_init(&attributes)
        // Otherwise a steady stream of readers would keep the map from ever growing.
        unsafe pthread_rwlockattr_setkind_np(
            &attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        unsafe pthread_rwlock_init(lock, &attributes)
        unsafe pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_rwlock_destroy(lock)
        unsafe lock.deallocate()
    }

    func lockShared() {
        let result = unsafe pthread_rwlock_rdlock(lock)
        precondition(result == 0, "pthread_rwlock_rdlock gave \(result)")
    }

    func lockAlone() {
        let result = unsafe pthread_rwlock_wrlock(lock)
        precondition(result == 0, "pthread_rwlock_wrlock gave \(result)")
    }

    /// Takes the lock alone if nobody has it.
    func tryLockAlone() -> Bool {
        unsafe pthread_rwlock_trywrlock(lock) == 0
    }

    func unlock() {
        let result = unsafe pthread_rwlock_unlock(lock)
        precondition(result == 0, "pthread_rwlock_unlock gave \(result)")
    }
}
