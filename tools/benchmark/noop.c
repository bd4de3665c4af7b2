/* The child of the benchmark: a static program that ends at once, so that what is measured is the spawn. */
#include "syscall.h"

_Noreturn void _start(void);

_Noreturn void _start(void) {
    for (;;)
        raw1(SYS_exit_group, 0);
}
