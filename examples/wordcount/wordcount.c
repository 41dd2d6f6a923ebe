// Counts the lines, words and bytes of its standard input, as wc does.
#include <stddef.h>
#include <stdint.h>

struct vector {
    const void *bytes;
    size_t count;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_read")))
extern uint32_t fd_read(uint32_t descriptor, const struct vector *vectors, size_t count, size_t *read);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write")))
extern uint32_t fd_write(uint32_t descriptor, const struct vector *vectors, size_t count, size_t *written);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit")))
extern _Noreturn void proc_exit(uint32_t status);

static char buffer[65536];

static char *decimal(uint64_t number, char *end) {
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

__attribute__((export_name("_start"))) void start(void) {
    uint64_t lines = 0, words = 0, bytes = 0;
    int inWord = 0;
    for (;;) {
        struct vector vector = {buffer, sizeof buffer};
        size_t count = 0;
        if (fd_read(0, &vector, 1, &count) != 0) proc_exit(1);
        if (count == 0) break;
        bytes += count;
        for (size_t index = 0; index < count; index++) {
            char byte = buffer[index];
            int isSpace = byte == ' ' || (byte >= '\t' && byte <= '\r');
            if (byte == '\n') lines++;
            if (!isSpace && !inWord) words++;
            inWord = !isSpace;
        }
    }
    char text[80];
    char *next = text + sizeof text;
    *--next = '\n';
    next = decimal(bytes, next);
    *--next = ' ';
    next = decimal(words, next);
    *--next = ' ';
    next = decimal(lines, next);
    struct vector vector = {next, (size_t)(text + sizeof text - next)};
    size_t written = 0;
    if (fd_write(1, &vector, 1, &written) != 0) proc_exit(1);
}
