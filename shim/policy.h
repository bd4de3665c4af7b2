/* What this process may pass on to its children, and what it resets in them. */
#ifndef SHIM_POLICY_H
#define SHIM_POLICY_H

#include "airlock.h"

#include <stdbool.h>

enum mode {
    MODE_ENFORCE, /* seal and reset */
    MODE_AUDIT,   /* change nothing */
    MODE_OFF,     /* every call goes to libc untouched */
};

enum signals {
    SIGNALS_PIPE,    /* SIGPIPE and SIGXFSZ become default, unless the caller chose its own set */
    SIGNALS_INHERIT, /* ignored signals stay ignored */
    SIGNALS_ALL,     /* every signal becomes default */
};

enum mask {
    MASK_INHERIT, /* the caller's */
    MASK_CLEAR,   /* empty */
};

enum { KEEP_MAX = 64 };

struct policy {
    enum mode mode;
    enum signals signals;
    enum mask mask;
    bool keep_all;
    size_t keep_count;
    struct airlock_range keep[KEEP_MAX];
};

/* Read from the environment at the first call, or when the library is loaded, and never again. A wrong value is said in
 * one line on stderr and its default used. Thread-safe. */
const struct policy *policy(void);

/* Reads "3,7-9" or "all" into policy. 0, or the length of the part that is right and in *wrong the part that is not. */
bool policy_parse_keep(struct policy *policy, const char *list);

#endif
