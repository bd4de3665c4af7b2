/* The child of the storm: looks at itself and says by its exit status whether all is as it was told to expect. It has
 * no libc, whose start alone takes longer than everything here, for it is started hundreds of thousands of times.
 *
 *     glance STATUS MASK IGNORED
 *
 * Ends with STATUS; or with 99 and lines on standard error when a descriptor above 2 is open, one of 0 to 2 is not,
 * MASK is not its mask, or a signal that is not in IGNORED is ignored. The sets are hexadecimal numbers. */
#include "syscall.h"

#include <fcntl.h>
#include <stdbool.h>

enum { LOOKED_AT = 400, SIGNALS = 64, IGNORE = 1, LEAK_STATUS = 99 };

__attribute__((used)) _Noreturn void begin(const long *stack);

#if defined __x86_64__
__asm__(".globl _start\n_start:\n\txorl %ebp, %ebp\n\tmovq %rsp, %rdi\n\tandq $-16, %rsp\n\tcall begin\n\thlt\n");
#elif defined __aarch64__
__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tmov x0, sp\n\tbl begin\n\tbrk 0\n");
#elif defined __riscv && __riscv_xlen == 64
__asm__(".globl _start\n_start:\n\tli s0, 0\n\tmv a0, sp\n\tcall begin\n\tebreak\n");
#elif defined __i386__
__asm__(".globl _start\n_start:\n\txorl %ebp, %ebp\n\tmovl %esp, %eax\n\tandl $-16, %esp\n\tsubl $12, %esp\n\t"
        "pushl %eax\n\tcall begin\n\thlt\n");
#endif

/* The kernel's: the handler comes first everywhere. */
struct kernel_action {
    uintptr_t handler;
    unsigned long rest[5];
};

static uint64_t parse(const char *text, unsigned base) {
    uint64_t number = 0;
    for (; *text != '\0'; text++)
        number = number * base + (unsigned)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return number;
}

/* One write, so that lines of several children stay whole. */
static int complain(const char *what, uint64_t number) {
    char line[80];
    int length = 0, digits = 16;
    while (*what != '\0')
        line[length++] = *what++;
    while (digits > 1 && number >> (4 * (digits - 1)) == 0)
        digits--;
    while (digits-- > 0)
        line[length++] = "0123456789abcdef"[number >> (4 * digits) & 15];
    line[length++] = '\n';
    raw3(SYS_write, 2, line, length);
    return 1;
}

static int look_at_descriptors(void) {
    int wrong = 0;
    for (int fd = 0; fd < LOOKED_AT; fd++) {
        bool open = raw2(SYS_fcntl, fd, F_GETFD) >= 0;
        if (open != (fd <= 2))
            wrong += complain(open ? "glance: open is descriptor 0x" : "glance: closed is descriptor 0x", (uint64_t)fd);
    }
    return wrong;
}

static int look_at_signals(uint64_t expected, uint64_t may_be_ignored) {
    uint64_t mask = 0;
    int wrong = 0;
    raw4(SYS_rt_sigprocmask, 0, 0, &mask, sizeof mask);
    if (mask != expected)
        wrong += complain("glance: the mask is 0x", mask);
    for (unsigned number = 1; number <= SIGNALS; number++) {
        struct kernel_action action;
        if (may_be_ignored >> (number - 1) & 1)
            continue;
        action.handler = 0;
        raw4(SYS_rt_sigaction, number, 0, &action, sizeof mask);
        if (action.handler == IGNORE)
            wrong += complain("glance: ignored is signal 0x", number);
    }
    return wrong;
}

void begin(const long *stack) {
    const char *const *arguments = (const char *const *)(stack + 1);
    int status = LEAK_STATUS;
    if (*stack == 4 && look_at_descriptors() + look_at_signals(parse(arguments[2], 16), parse(arguments[3], 16)) == 0)
        status = (int)parse(arguments[1], 10);
    for (;;)
        raw1(SYS_exit_group, status);
}
