/* The variables that this process was started with. Most environments of children consist of them, spawn after spawn:
 * what was read once need only be compared with a copy, at a fraction of the cost.
 *
 * The kernel puts the strings one behind the other at the top of the stack, and the name of the executable behind them.
 * That memory stays for as long as the process; a program may write there, though. */
#include "given.h"

#include "syscall.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { COPY_MAX = 16 * 1024 };

enum { UNREAD, BEING_READ, WITHOUT_MEANING, MEANS_SOMETHING };

static struct given found;
static char *copy; /* mapped when it is needed: room for it in the library would cost the start of every program */
static _Atomic int state;

void given_find(void) {
    uintptr_t above = (uintptr_t)getauxval(AT_EXECFN);
    char **last = environ;
    if (last == NULL || *last == NULL)
        return;
    while (last[1] != NULL)
        last++;
    uintptr_t first = (uintptr_t)environ[0];
    uintptr_t end = (uintptr_t)*last + strlen(*last) + 1;
    if (first < end && end <= above && above - first <= COPY_MAX)
        found = (struct given){environ[0], end - first};
}

/* The copy ends with a NUL, for the last variable did. */
static bool copy_and_ask(bool (*matters)(const char *entry)) {
    copy = raw_map(found.length, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (copy == NULL)
        return true;
    memcpy(copy, found.start, found.length - 1);
    for (size_t at = 0; at < found.length; at += strlen(copy + at) + 1)
        if (matters(copy + at))
            return true;
    return false;
}

/* A thread that comes while another one reads does without. So does a child of fork for good, when it was made then. */
struct given given_without_meaning(bool (*matters)(const char *entry)) {
    int seen = atomic_load_explicit(&state, memory_order_acquire);
    if (found.length > 0 && seen == UNREAD && atomic_compare_exchange_strong(&state, &seen, BEING_READ)) {
        seen = copy_and_ask(matters) ? MEANS_SOMETHING : WITHOUT_MEANING;
        atomic_store_explicit(&state, seen, memory_order_release);
    }
    bool same = seen == WITHOUT_MEANING && memcmp(found.start, copy, found.length) == 0;
    return same ? found : (struct given){0};
}
