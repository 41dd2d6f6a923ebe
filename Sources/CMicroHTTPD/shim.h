// Only what Swift cannot import, each with its reason.
#pragma once
#include <microhttpd.h>

/// `MHD_start_daemon` is variadic, which Swift does not import.
///
/// A thread per connection, because handlers block while they wait for something to happen; `poll`,
/// because `select` ends at descriptor 1023. The escape callback leaves paths as they were sent, so
/// that an escaped slash does not turn into a separator.
static inline struct MHD_Daemon *mesh_httpd_start(
    int socket, MHD_AccessHandlerCallback respond, void *context, MHD_RequestCompletedCallback completed,
    size_t (*unescape)(void *context, struct MHD_Connection *connection, char *text),
    unsigned int connection_count_max, unsigned int idle_seconds_max, size_t stack_bytes) {
    return MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC, 0, NULL,
        NULL, respond, context, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_CONNECTION_LIMIT, connection_count_max,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds_max, MHD_OPTION_THREAD_STACK_SIZE, stack_bytes,
        MHD_OPTION_END);
}
