/* The child of the heavy tests: small, linked statically where that is possible, so that hundreds of thousands of
 * starts are affordable. Looks at itself and says by its exit status whether all is as it was told to expect.
 *
 *     witness STATUS [FDS [MASK [IGNORED [UID GID]]]]
 *
 * FDS are the numbers that may be open, like 0-2,9; MASK and IGNORED are sets of signals as hexadecimal numbers. Ends
 * with STATUS, or with 99 and a line on standard error for what is not so. */
#define PROBE_HIGHEST 400
#include "probe.h"

enum { LOOKED_AT = 400 };

/* Whether number is in a list like 0-2,9. */
static bool is_listed(const char *list, int number) {
    while (*list != '\0') {
        char *rest;
        long first = strtol(list, &rest, 10), last = first;
        if (*rest == '-')
            last = strtol(rest + 1, &rest, 10);
        if (number >= first && number <= last)
            return true;
        list = *rest == ',' ? rest + 1 : rest;
        if (*rest != ',')
            break;
    }
    return false;
}

static int look_at_descriptors(const char *list) {
    bool open[LOOKED_AT];
    int wrong = 0;
    find_open(open, LOOKED_AT);
    for (int fd = 0; fd < LOOKED_AT; fd++) {
        if (open[fd] == is_listed(list, fd))
            continue;
        dprintf(2, "witness: descriptor %d is %s\n", fd, open[fd] ? "open" : "closed");
        wrong++;
    }
    return wrong;
}

static int look_at_mask(const char *expected) {
    uint64_t mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof mask);
    if (mask == strtoull(expected, NULL, 16))
        return 0;
    dprintf(2, "witness: the mask is %" PRIx64 "\n", mask);
    return 1;
}

/* 32 and 33 are libc's own and differ between its versions. */
static int look_at_ignored(const char *expected) {
    uint64_t ignored = 0, libcs = (uint64_t)3 << 31;
    for (int number = 1; number <= SIGNALS; number++) {
        struct kernel_action action = {0};
        syscall(SYS_rt_sigaction, number, NULL, &action, sizeof ignored);
        if (action.handler == (unsigned long)SIG_IGN)
            ignored |= (uint64_t)1 << (number - 1);
    }
    if ((ignored & ~libcs) == strtoull(expected, NULL, 16))
        return 0;
    dprintf(2, "witness: ignored is %" PRIx64 "\n", ignored);
    return 1;
}

static int look_at_ids(const char *user, const char *group) {
    if (geteuid() == (uid_t)atol(user) && getegid() == (gid_t)atol(group))
        return 0;
    dprintf(2, "witness: user %u, group %u\n", geteuid(), getegid());
    return 1;
}

int main(int argc, char **argv) {
    int wrong = 0;
    if (argc > 2)
        wrong += look_at_descriptors(argv[2]);
    if (argc > 3)
        wrong += look_at_mask(argv[3]);
    if (argc > 4)
        wrong += look_at_ignored(argv[4]);
    if (argc > 6)
        wrong += look_at_ids(argv[5], argv[6]);
    return wrong > 0 || argc < 2 ? 99 : atoi(argv[1]);
}
