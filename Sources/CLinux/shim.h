// Swift's Glibc module leaves out epoll and eventfd, and hides what glibc declares only for GNU sources.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <pthread.h>

extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int syncfs(int descriptor);
extern int pthread_setname_np(pthread_t thread, const char *name);

/// accept4 with the flags every socket of ours has. The function is GNU only, see above.
static inline int mesh_accept(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Names a thread for debuggers. The function is GNU only, see above.
static inline int mesh_thread_set_name(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

/// Writes everything of one file system to its disk. The function is GNU only, see above.
static inline int mesh_sync_file_system(int descriptor) {
    return syncfs(descriptor);
}

/// epoll_ctl with a token. `struct epoll_event` is packed and holds a union, which Swift would make
/// unsafe at every use.
static inline int mesh_epoll_control(int poll, int operation, int descriptor, uint32_t interest, uint64_t token) {
    struct epoll_event event = {.events = interest, .data = {.u64 = token}};
    return epoll_ctl(poll, operation, descriptor, &event);
}

/// One event without the union of `struct epoll_event`.
typedef struct { uint64_t token; uint32_t happened; } mesh_epoll_event;

/// epoll_wait into events without a union.
static inline int mesh_epoll_wait(int poll, mesh_epoll_event *events, int count_max, int milliseconds) {
    struct epoll_event buffer[128];
    int count = epoll_wait(poll, buffer, count_max < 128 ? count_max : 128, milliseconds);
    for (int i = 0; i < count; i++) {
        events[i].token = buffer[i].data.u64;
        events[i].happened = buffer[i].events;
    }
    return count;
}
