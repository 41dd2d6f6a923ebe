// Computes for ever: only the limits on fuel or time end it.
#include <stdint.h>

static volatile uint32_t state = 1;

__attribute__((export_name("run"))) void run(void) {
    for (;;) {
        uint32_t next = state;
        next ^= next << 13;
        next ^= next >> 17;
        next ^= next << 5;
        state = next;
    }
}
