/* Raw system calls. Both halves of a spawn use them: they touch no errno (which the child would share with its
 * parent), take no lock and are no cancellation point. A result of -4095 to -1 is a negative errno.
 *
 * Nothing here may call into libc. */
#ifndef AIRLOCK_SYSCALL_H
#define AIRLOCK_SYSCALL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Numbers that older kernel headers lack; they are the same on every architecture. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#if defined __x86_64__

static inline long raw6(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined __aarch64__

static inline long raw6(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
    return x0;
}

#elif defined __riscv && __riscv_xlen == 64

static inline long raw6(long number, long a, long b, long c, long d, long e, long f) {
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
    return a0;
}

#elif defined __i386__

/* ebp carries the sixth argument and may be the frame pointer, ebx the first and may be the address of the global
 * offset table: both are saved by hand and loaded from a block of memory. */
static inline long raw6(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    long block[3] = {a, f, number};
    __asm__ volatile("pushl %%ebx\n\t"
                     "pushl %%ebp\n\t"
                     "movl (%%eax), %%ebx\n\t"
                     "movl 4(%%eax), %%ebp\n\t"
                     "movl 8(%%eax), %%eax\n\t"
                     "int $0x80\n\t"
                     "popl %%ebp\n\t"
                     "popl %%ebx"
                     : "=a"(result)
                     : "a"(block), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory", "cc");
    return result;
}

#else
#error "core/syscall.h has no system call sequence for this architecture yet"
#endif

#define raw0(n) raw6((n), 0, 0, 0, 0, 0, 0)
#define raw1(n, a) raw6((n), (long)(a), 0, 0, 0, 0, 0)
#define raw2(n, a, b) raw6((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define raw3(n, a, b, c) raw6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define raw4(n, a, b, c, d) raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define raw5(n, a, b, c, d, e) raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* The calls with 32-bit ids, where the plain name still means 16 bits. */
#ifdef SYS_setresuid32
#define SYS_AIRLOCK_getuid SYS_getuid32
#define SYS_AIRLOCK_geteuid SYS_geteuid32
#define SYS_AIRLOCK_getgid SYS_getgid32
#define SYS_AIRLOCK_getegid SYS_getegid32
#define SYS_AIRLOCK_setresuid SYS_setresuid32
#define SYS_AIRLOCK_setresgid SYS_setresgid32
#define SYS_AIRLOCK_setgroups SYS_setgroups32
#else
#define SYS_AIRLOCK_getuid SYS_getuid
#define SYS_AIRLOCK_geteuid SYS_geteuid
#define SYS_AIRLOCK_getgid SYS_getgid
#define SYS_AIRLOCK_getegid SYS_getegid
#define SYS_AIRLOCK_setresuid SYS_setresuid
#define SYS_AIRLOCK_setresgid SYS_setresgid
#define SYS_AIRLOCK_setgroups SYS_setgroups
#endif

/* Architectures without the old call have a newer one that can do the same. */
static inline long raw_dup2(int from, int to) {
#ifdef SYS_dup2
    return raw2(SYS_dup2, from, to);
#else
    return raw3(SYS_dup3, from, to, 0);
#endif
}

/* A filter may refuse close and nothing else, and some refuse a call only now and then. An end of a pipe that stays
 * open would keep the other side waiting. Any other error means that the descriptor is gone. */
static inline long raw_close(int fd) {
    long result = -ENOSYS;
    for (int i = 0; i < 2 && (result == -ENOSYS || result == -EPERM); i++) {
        result = raw1(SYS_close, fd);
        if (result == -ENOSYS || result == -EPERM)
            result = raw3(SYS_close_range, fd, fd, 0);
    }
    return result;
}

/* A new anonymous mapping: kind is MAP_PRIVATE or MAP_SHARED, with more flags if need be. NULL when there is none. */
static inline void *raw_map(size_t size, int protection, int kind) {
#ifdef SYS_mmap2
    long result = raw6(SYS_mmap2, 0, (long)size, protection, kind | MAP_ANONYMOUS, -1, 0);
#else
    long result = raw6(SYS_mmap, 0, (long)size, protection, kind | MAP_ANONYMOUS, -1, 0);
#endif
    return result < 0 && result >= -4095 ? 0 : (void *)result;
}

static inline long raw_clock_gettime_ns(uint64_t *nanoseconds) {
    struct {
        int64_t seconds;
        int64_t nanoseconds;
    } now = {0, 0};
    const int monotonic = 1;
#ifdef SYS_clock_gettime64
    long result = raw2(SYS_clock_gettime64, monotonic, &now);
#else
    long result = raw2(SYS_clock_gettime, monotonic, &now);
#endif
    *nanoseconds = (uint64_t)now.seconds * 1000000000U + (uint64_t)now.nanoseconds;
    return result;
}

#endif
