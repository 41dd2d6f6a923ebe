// Stops at once: what a failing assertion looks like from outside.
__attribute__((export_name("_start"))) void start(void) {
    __builtin_trap();
}
