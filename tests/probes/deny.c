/* Becomes a program for which some system calls fail: an old kernel, or a container with a strict seccomp profile.
 *
 *     deny RULE[,RULE…] PROGRAM [ARG…]
 *
 * RULE is CALL=ERROR, or CALL@N&MASK=ERROR (argument N, counted from 0, has a bit of the hexadecimal MASK), or
 * CALL@N:VALUE=ERROR (its low 32 bits are exactly VALUE). */
#include "probe.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined __riscv
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined __i386__
#define ARCHITECTURE AUDIT_ARCH_I386
#endif

static const struct {
    const char *name;
    long number;
} calls[] = {
    {"clone", SYS_clone},
    {"clone3", SYS_clone3},
    {"close", SYS_close},
    {"close_range", SYS_close_range},
    {"dup3", SYS_dup3},
    {"execve", SYS_execve},
    {"fcntl", SYS_fcntl},
    {"getdents64", SYS_getdents64},
#ifdef SYS_mmap2
    {"mmap", SYS_mmap2},
#else
    {"mmap", SYS_mmap},
#endif
    {"openat", SYS_openat},
    {"pidfd_getfd", SYS_pidfd_getfd},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"pipe2", SYS_pipe2},
    {"unshare", SYS_unshare},
    {"waitid", SYS_waitid},
#ifdef SYS_fork
    {"fork", SYS_fork},
    {"vfork", SYS_vfork},
    {"dup2", SYS_dup2},
    {"open", SYS_open},
    {"pipe", SYS_pipe},
#endif
};

static struct sock_filter program[256];
static unsigned short length;

static void emit(struct sock_filter instruction) {
    if (length == 256) {
        fputs("deny: too many rules\n", stderr);
        exit(99);
    }
    program[length++] = instruction;
}

/* False for a call that this architecture does not have: it cannot be made, so it need not be denied. */
static bool find_call(const char *name, unsigned *number) {
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (strcmp(calls[i].name, name) != 0)
            continue;
        *number = (unsigned)calls[i].number;
        return true;
    }
    return false;
}

static unsigned argument_offset(int index) {
    return (unsigned)(offsetof(struct seccomp_data, args) + (size_t)index * sizeof(uint64_t));
}

static void add_rule(char *rule) {
    char *error = strrchr(rule, '=');
    if (error == NULL) {
        fprintf(stderr, "deny: no error in %s\n", rule);
        exit(99);
    }
    *error++ = '\0';
    char *condition = strchr(rule, '@');
    if (condition != NULL)
        *condition++ = '\0';
    unsigned number;
    if (!find_call(rule, &number))
        return;
    emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, condition == NULL ? 1 : 3));
    if (condition != NULL) {
        char *rest;
        int index = (int)strtol(condition, &rest, 10);
        bool masked = *rest == '&';
        unsigned value = (unsigned)strtoul(rest + 1, NULL, masked ? 16 : 10);
        unsigned short test = masked ? BPF_JSET : BPF_JEQ;
        emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument_offset(index)));
        emit((struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | BPF_K | test), value, 0, 1));
    }
    unsigned answer = SECCOMP_RET_ERRNO | (unsigned)error_number(error);
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: deny CALL=ERROR[,CALL=ERROR…] PROGRAM [ARG…]\n", stderr);
        return 99;
    }
    emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    for (char *rest = argv[1], *rule; (rule = strsep(&rest, ",")) != NULL;)
        add_rule(rule);
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog filter = {.len = length, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        die("seccomp");
    /* Not execve: a rule may forbid it to the program. */
    execveat(AT_FDCWD, argv[2], argv + 2, environ, 0);
    die(argv[2]);
}
