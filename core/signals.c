/* Dispositions of the child, set while every signal is still blocked.
 *
 * Runs in the child, in its parent's memory, but for one question: raw system calls alone. */
#include "plan.h"

enum { HIGHEST_SIGNAL = 64, KILL = 9, STOP = 19 };

/* The kernel's struct sigaction: the handler comes first on every architecture, and all zero is SIG_DFL. */
struct kernel_action {
    uintptr_t handler;
    unsigned long rest[5];
};

static const uintptr_t ignored = 1;

/* What it was before, in *before. */
static long set_default(int signal, struct kernel_action *before) {
    struct kernel_action action = {.handler = 0};
    return raw4(SYS_rt_sigaction, signal, &action, before, sizeof(airlock_signals));
}

/* A handler must be gone before the mask is lifted, or it would run here. The signals that libc keeps for itself (32
 * and 33) are no exception: as SIG_IGN, which musl once left them, the next program would inherit that. */
static long clear_handler(int signal) {
    struct kernel_action action = {.handler = 0};
    long result = raw4(SYS_rt_sigaction, signal, 0, &action, sizeof(airlock_signals));
    if (result < 0)
        return result;
    if (action.handler == 0 || action.handler == ignored)
        return 0;
    return set_default(signal, NULL);
}

/* One call for each signal in the set, none for the others; and it tells what was ignored. */
static long set_defaults(airlock_signals set, int *signal, airlock_signals *reset) {
    for (; set != 0; set &= set - 1) {
        struct kernel_action before = {.handler = 0};
        *signal = __builtin_ctzll(set) + 1;
        long result = set_default(*signal, &before);
        if (result < 0)
            return result;
        if (before.handler == ignored)
            *reset |= AIRLOCK_SIGNAL(*signal);
    }
    return 0;
}

long child_reset_signals(struct plan *plan, int *signal) {
    const airlock_signals fixed = AIRLOCK_SIGNAL(KILL) | AIRLOCK_SIGNAL(STOP);
    airlock_signals wanted = plan->command->default_signals & ~fixed;
    if (!plan->clear_handlers) {
        for (*signal = 1; *signal <= HIGHEST_SIGNAL; ++*signal) {
            if ((wanted | fixed) & AIRLOCK_SIGNAL(*signal))
                continue;
            long result = clear_handler(*signal);
            if (result < 0)
                return result;
        }
    }
    return set_defaults(wanted, signal, &plan->report->reset);
}

airlock_signals ignored_among(airlock_signals set) {
    airlock_signals found = 0;
    for (; set != 0; set &= set - 1) {
        int signal = __builtin_ctzll(set) + 1;
        struct kernel_action action = {.handler = 0};
        if (raw4(SYS_rt_sigaction, signal, 0, &action, sizeof(airlock_signals)) == 0 && action.handler == ignored)
            found |= AIRLOCK_SIGNAL(signal);
    }
    return found;
}
