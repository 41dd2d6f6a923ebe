// Starting a worker process, the page it shares with its parent, and threads with a known stack.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

enum {
    /// The worker's end of the socket pair, as it finds it.
    MESH_WORKER_SOCKET = 3,
    /// The shared page, as the worker finds it.
    MESH_WORKER_PAGE = 4,
    MESH_WORKER_IDLE = 0,
    MESH_WORKER_COMPILING = 1,
    MESH_WORKER_RUNNING = 2,
};

/// What a worker tells without a message: written by it alone, read by its parent, also after its death.
struct mesh_worker_page {
    uint64_t sequence;
    uint64_t deadline_nanoseconds;
    uint32_t phase;
};

struct mesh_worker_process {
    pid_t pid;
    int socket;
    struct mesh_worker_page *_Nullable page;
};

enum {
    MESH_FRAME_MODULE = 1,
    MESH_FRAME_JOB = 2,
    MESH_FRAME_CHECK = 3,
    MESH_FRAME_HELLO = 4,
    MESH_FRAME_RESULT = 5,
    MESH_FRAME_VERDICT = 6,
};

/// How every frame on the socket starts; `length` counts the whole frame and is a multiple of 8.
struct mesh_frame {
    uint32_t length;
    uint32_t kind;
    uint64_t sequence;
};

/// Puts a module into a slot, in place of what was there; the code follows.
struct mesh_module_frame {
    struct mesh_frame frame;
    uint32_t slot;
    uint32_t code_bytes;
};

/// One job; entry, arguments, environment, files, stdin and the granted resource's name follow in this
/// order. Arguments and environment are strings that end with a zero byte; a file is two 32-bit lengths,
/// name and content.
struct mesh_job_frame {
    struct mesh_frame frame;
    uint64_t fuel, memory_bytes, output_bytes, wall_milliseconds;
    int64_t clock_start_milliseconds;
    uint64_t seed[4];
    uint32_t slot, has_entry, entry_bytes, argument_count, argument_bytes, environment_count,
        environment_bytes, file_count, file_bytes, stdin_bytes;
    uint64_t grant_amount;
    uint32_t has_grant, submission_count_max, resource_bytes, padding;
};

/// Asks whether the module in a slot can be run; the entry follows.
struct mesh_check_frame {
    struct mesh_frame frame;
    uint64_t memory_bytes;
    uint32_t slot, has_entry, entry_bytes, padding;
};

/// A worker's first word: whether it is ready; a sentence follows when it is not.
struct mesh_hello_frame {
    struct mesh_frame frame;
    uint32_t ready, message_bytes;
};

/// What came of a job; stdout, stderr, a message and the run's effects, as a DAG-CBOR list, follow.
struct mesh_result_frame {
    struct mesh_frame frame;
    uint64_t fuel, memory_peak_bytes, host_calls, io_bytes, wall_microseconds;
    uint32_t outcome, has_exit_code;
    int32_t exit_code;
    uint32_t stdout_bytes, stderr_bytes, message_bytes, effects_bytes, padding;
};

/// The answer to a check; the message follows.
struct mesh_verdict_frame {
    struct mesh_frame frame;
    uint64_t offset;
    uint32_t refused, reason, message_bytes, padding;
};

/// Starts `path` with `arguments` (NULL-terminated, argv[0] first) in a process group of its own, with
/// an almost empty environment, no descriptor of ours but its end of the socket pair and the shared
/// page, and default signals. Returns 0 or an errno.
int mesh_worker_spawn(const char *path, char *_Nullable const *_Nonnull arguments,
                      struct mesh_worker_process *out);

/// Kills and reaps the process; its socket and page stay as they are.
void mesh_worker_kill(pid_t pid);

/// Closes the socket and gives back the page.
void mesh_worker_release(struct mesh_worker_process *process);

/// Maps the shared page in the worker; NULL when there is none.
struct mesh_worker_page *_Nullable mesh_worker_page_attach(int descriptor);

/// Prepares the worker's process: no core files, the mask of signals empty.
void mesh_worker_prepare(void);

static inline void mesh_worker_page_begin(
    struct mesh_worker_page *page, uint32_t phase, uint64_t sequence, uint64_t deadline_nanoseconds) {
    __atomic_store_n(&page->sequence, sequence, __ATOMIC_RELAXED);
    __atomic_store_n(&page->deadline_nanoseconds, deadline_nanoseconds, __ATOMIC_RELAXED);
    __atomic_store_n(&page->phase, phase, __ATOMIC_RELEASE);
}

static inline void mesh_worker_page_end(struct mesh_worker_page *page) {
    __atomic_store_n(&page->phase, MESH_WORKER_IDLE, __ATOMIC_RELEASE);
}

static inline uint32_t mesh_worker_page_phase(const struct mesh_worker_page *page) {
    return __atomic_load_n(&page->phase, __ATOMIC_ACQUIRE);
}

static inline uint64_t mesh_worker_page_sequence(const struct mesh_worker_page *page) {
    return __atomic_load_n(&page->sequence, __ATOMIC_RELAXED);
}

static inline uint64_t mesh_worker_page_deadline(const struct mesh_worker_page *page) {
    return __atomic_load_n(&page->deadline_nanoseconds, __ATOMIC_RELAXED);
}

/// The monotonic clock, in nanoseconds.
uint64_t mesh_monotonic_nanoseconds(void);

/// Starts a detached thread with a stack of `stack_bytes`; returns 0 or an errno.
int mesh_thread_start(size_t stack_bytes, void (*body)(void *_Nullable), void *_Nullable argument);

/// Sends without blocking and without SIGPIPE; the count, 0 when it would block, or a negative errno.
ssize_t mesh_socket_send(int socket, const void *bytes, size_t count);

/// Receives without blocking; the count, 0 when it would block, or a negative errno (-EPIPE at the end).
ssize_t mesh_socket_receive(int socket, void *bytes, size_t count);

/// Sends everything, blocking; 0 or a negative errno.
int mesh_socket_send_all(int socket, const void *bytes, size_t count);

/// Receives some bytes, blocking; the count or a negative errno (-EPIPE at the end).
ssize_t mesh_socket_receive_some(int socket, void *bytes, size_t count);

enum { MESH_READABLE = 1, MESH_WRITABLE = 2, MESH_HUNG_UP = 4, MESH_WOKEN = 8 };

/// Waits for what `interest` names on `socket`, or for `wake` (an eventfd, or -1) to be signalled.
int mesh_wait(int socket, int interest, int wake, int timeout_milliseconds);

/// An eventfd, and its signal.
int mesh_wake_new(void);
void mesh_wake_signal(int wake);

/// Sleeps for `milliseconds`.
void mesh_sleep_milliseconds(uint32_t milliseconds);

#pragma clang assume_nonnull end
