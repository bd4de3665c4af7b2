/* What this process may pass on, read once from the environment into memory of fixed size.
 *
 * A program that runs with more rights than its caller (set-user-id and the like) must not be steered by its caller's
 * environment: there the mode is off, whatever the variables say. */
#include "policy.h"

#include "syscall.h"
#include "text.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static struct policy current;

enum { UNREAD, BEING_READ, READ };
static _Atomic int state;

static const char *const mode_names[] = {"enforce", "audit", "off", NULL};
static const char *const signals_names[] = {"pipe", "inherit", "all", NULL};
static const char *const mask_names[] = {"inherit", "clear", NULL};

/* One line, one write. */
static void complain(const char *variable, const char *value, const char *accepted, const char *used) {
    char line[400];
    struct text text = {.to = line, .size = sizeof line - 1};
    text_string(&text, "airlock: ");
    text_string(&text, variable);
    text_char(&text, '=');
    for (size_t i = 0; value[i] != '\0' && i < 80; i++)
        text_char(&text, (unsigned char)value[i] < ' ' || value[i] == 127 ? '?' : value[i]);
    text_string(&text, ": accepted is ");
    text_string(&text, accepted);
    text_string(&text, "; using ");
    text_string(&text, used);
    text_char(&text, '\n');
    size_t length = text.length < sizeof line ? text.length : sizeof line;
    raw3(SYS_write, STDERR_FILENO, line, length);
}

/* The index of value among names; when it is none of them, says so and answers 0, the default. */
static int choose(const char *variable, const char *value, const char *const *names, const char *accepted) {
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    complain(variable, value, accepted, names[0]);
    return 0;
}

/* A number up to INT_MAX without sign; moves *text behind it. */
static bool read_number(const char **text, int *number) {
    long long value = 0;
    const char *digit = *text;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        value = value * 10 + (*digit - '0');
        if (value > INT_MAX)
            return false;
    }
    bool some = digit != *text;
    *text = digit;
    *number = (int)value;
    return some;
}

static bool read_range(const char **text, struct airlock_range *range) {
    if (!read_number(text, &range->first))
        return false;
    range->last = range->first;
    if (**text != '-')
        return true;
    ++*text;
    return read_number(text, &range->last) && range->first <= range->last;
}

bool policy_parse_keep(struct policy *to, const char *list) {
    struct policy parsed = *to;
    parsed.keep_count = 0;
    parsed.keep_all = strcmp(list, "all") == 0;
    while (!parsed.keep_all) {
        if (parsed.keep_count == KEEP_MAX || !read_range(&list, &parsed.keep[parsed.keep_count]))
            return false;
        parsed.keep_count++;
        if (*list == '\0')
            break;
        if (*list++ != ',')
            return false;
    }
    *to = parsed;
    return true;
}

static void read_variable(struct policy *to, const char *entry) {
    const char *value = strchr(entry, '=');
    if (value == NULL)
        return;
    size_t length = (size_t)(value++ - entry);
#define IS(name) (length == sizeof(name) - 1 && memcmp(entry, name, length) == 0)
    if (IS("AIRLOCK_MODE"))
        to->mode = (enum mode)choose("AIRLOCK_MODE", value, mode_names, "enforce, audit or off");
    else if (IS("AIRLOCK_SIGNALS"))
        to->signals = (enum signals)choose("AIRLOCK_SIGNALS", value, signals_names, "inherit, pipe or all");
    else if (IS("AIRLOCK_MASK"))
        to->mask = (enum mask)choose("AIRLOCK_MASK", value, mask_names, "inherit or clear");
    else if (IS("AIRLOCK_KEEP") && !policy_parse_keep(to, value))
        complain("AIRLOCK_KEEP", value, "all, or up to 64 numbers and ranges like 3,7-9", "none");
#undef IS
}

static void read_environment(struct policy *to) {
    *to = (struct policy){0};
    if (getauxval(AT_SECURE)) {
        to->mode = MODE_OFF;
        return;
    }
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (strncmp(*entry, "AIRLOCK_", 8) == 0)
            read_variable(to, *entry);
}

/* The copy into place is short and runs with signals blocked, so that nobody waits for it in a handler. */
static void publish(const struct policy *fresh) {
    int expected = UNREAD;
    if (atomic_compare_exchange_strong(&state, &expected, BEING_READ)) {
        current = *fresh;
        atomic_store(&state, READ);
    }
    while (atomic_load(&state) != READ)
        sched_yield();
}

const struct policy *policy(void) {
    if (atomic_load_explicit(&state, memory_order_acquire) != READ) {
        struct policy fresh;
        sigset_t all, old;
        read_environment(&fresh);
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        publish(&fresh);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    return &current;
}

__attribute__((constructor)) static void read_early(void) {
    policy();
}
