#define _GNU_SOURCE
#include "WorkerProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// Moves `descriptor` above the numbers that the worker expects its own at.
static int lift(int descriptor) {
    int lifted = fcntl(descriptor, F_DUPFD_CLOEXEC, 16);
    close(descriptor);
    return lifted;
}

int mesh_worker_spawn(
    const char *path, char *const *arguments, struct mesh_worker_process *out) {
    int pair[2] = {-1, -1}, memory = -1, result = 0;
    struct mesh_worker_page *page = MAP_FAILED;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return errno;
    pair[1] = lift(pair[1]);
    memory = memfd_create("mesh-worker", MFD_CLOEXEC);
    if (memory >= 0) memory = lift(memory);
    if (pair[1] < 0 || memory < 0 || ftruncate(memory, 4096)) result = errno;
    if (!result) {
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        if (page == MAP_FAILED) result = errno;
    }
    if (!result) {
        int size = 1 << 20;
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, pair[1], MESH_WORKER_SOCKET);
        posix_spawn_file_actions_adddup2(&actions, memory, MESH_WORKER_PAGE);
        posix_spawn_file_actions_addclosefrom_np(&actions, 5);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        // The language's crash handler would fight with the engine's over SIGSEGV.
        char backtrace[] = "SWIFT_BACKTRACE=enable=no";
        char libraries[4096] = "LD_LIBRARY_PATH=";
        const char *search = getenv("LD_LIBRARY_PATH");
        char *environment[] = {backtrace, NULL, NULL};
        if (search) {
            size_t length = 16;
            while (*search && length < sizeof libraries - 1) libraries[length++] = *search++;
            environment[1] = libraries;
        }
        result = posix_spawn(&out->pid, path, &actions, &attributes, (char *const *)arguments, environment);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
    }
    if (pair[1] >= 0) close(pair[1]);
    if (memory >= 0) close(memory);
    if (result) {
        close(pair[0]);
        if (page != MAP_FAILED) munmap(page, 4096);
        return result;
    }
    out->socket = pair[0];
    out->page = page;
    return 0;
}

void mesh_worker_kill(pid_t pid) {
    if (pid <= 0) return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

void mesh_worker_release(struct mesh_worker_process *process) {
    if (process->socket >= 0) close(process->socket);
    if (process->page) munmap(process->page, 4096);
    process->socket = -1;
    process->page = NULL;
    process->pid = 0;
}

struct mesh_worker_page *mesh_worker_page_attach(int descriptor) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return page == MAP_FAILED ? NULL : page;
}

void mesh_worker_prepare(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

uint64_t mesh_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct start {
    void (*body)(void *);
    void *argument;
};

static void *thread_main(void *box) {
    struct start start = *(struct start *)box;
    free(box);
    start.body(start.argument);
    return NULL;
}

int mesh_thread_start(size_t stack_bytes, void (*body)(void *), void *argument) {
    struct start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    *start = (struct start){body, argument};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int result = pthread_create(&thread, &attributes, thread_main, start);
    pthread_attr_destroy(&attributes);
    if (result) free(start);
    return result;
}

ssize_t mesh_socket_send(int socket, const void *bytes, size_t count) {
    for (;;) {
        ssize_t sent = send(socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) return sent;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
        if (errno != EINTR) return -errno;
    }
}

ssize_t mesh_socket_receive(int socket, void *bytes, size_t count) {
    for (;;) {
        ssize_t received = recv(socket, bytes, count, MSG_DONTWAIT);
        if (received > 0) return received;
        if (received == 0) return -EPIPE;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
        if (errno != EINTR) return -errno;
    }
}

int mesh_socket_send_all(int socket, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t sent = send(socket, next, count, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        next += sent;
        count -= (size_t)sent;
    }
    return 0;
}

ssize_t mesh_socket_receive_some(int socket, void *bytes, size_t count) {
    for (;;) {
        ssize_t received = recv(socket, bytes, count, 0);
        if (received > 0) return received;
        if (received == 0) return -EPIPE;
        if (errno != EINTR) return -errno;
    }
}

int mesh_wait(int socket, int interest, int wake, int timeout_milliseconds) {
    struct pollfd polled[2] = {{.fd = socket}, {.fd = wake, .events = POLLIN}};
    if (interest & MESH_READABLE) polled[0].events |= POLLIN;
    if (interest & MESH_WRITABLE) polled[0].events |= POLLOUT;
    if (interest & MESH_HUNG_UP) polled[0].events |= POLLRDHUP;
    if (poll(polled, 2, timeout_milliseconds) <= 0) return 0;
    int seen = 0;
    if (polled[0].revents & POLLIN) seen |= MESH_READABLE;
    if (polled[0].revents & POLLOUT) seen |= MESH_WRITABLE;
    if (polled[0].revents & (POLLHUP | POLLERR | POLLRDHUP | POLLNVAL)) seen |= MESH_HUNG_UP;
    if (polled[1].revents & POLLIN) {
        uint64_t count;
        if (read(wake, &count, sizeof count) > 0) seen |= MESH_WOKEN;
    }
    return seen;
}

int mesh_wake_new(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void mesh_wake_signal(int wake) {
    uint64_t one = 1;
    ssize_t ignored = write(wake, &one, sizeof one);
    (void)ignored;
}

void mesh_sleep_milliseconds(uint32_t milliseconds) {
    struct timespec rest = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&rest, &rest) && errno == EINTR) {}
}
