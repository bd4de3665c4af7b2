/* What a report knows of a log after one pass: counts, distributions, the extremes, and a fair sample of single spawns.
 * Its memory does not depend on the length of the log. */
#ifndef AIRLOCK_COMMAND_SUMMARY_H
#define AIRLOCK_COMMAND_SUMMARY_H

#include "histogram.h"
#include "record.h"
#include "tally.h"

#include <stdbool.h>

enum {
    SUMMARY_SLOWEST = 100, /* spawns that are kept because they took longest */
    SUMMARY_SPANS = 5000,  /* spawns that are kept as a sample: all of a smaller log */
    PID_LIMIT = 1 << 22,   /* the kernel's own: PID_MAX_LIMIT on 64 bits */
};

/* One spawn that is kept. */
struct span {
    uint64_t order; /* the how-manieth spawn of the log it is */
    int64_t wall_us, mono_us, pid, tid, ppid, child;
    int64_t ns[PHASE_COUNT];
    int64_t seen_us; /* until when the child is known to have lived (CLOCK_MONOTONIC); 0: nothing known */
    bool ended;      /* seen_us is its end */
    bool failed;
    const char *program, *call, *command, *path, *error, *sealed, *status, *passed_through;
    char text[]; /* where the strings are */
};

struct summary {
    uint64_t good, bad, unknown, dropped; /* lines; records that the library could not write */
    uint64_t spawns, exits, failed, audited, sealed, kept, leaking, cut, copied, fetched, passed;
    int64_t first_wall_us, last_wall_us, first_mono_us, last_mono_us;

    struct histogram phases[PHASE_COUNT];
    struct histogram commands; /* system and popen: from start to reaping */

    struct tally calls;      /* call */
    struct tally primitives; /* primitive */
    struct tally reasons;    /* why a call was passed through */
    struct tally failures;   /* step, errno; example: a text */
    struct tally programs;   /* path; amount: ns */
    struct tally callers;    /* program, object, offset, call; amount: ns */
    struct tally leaks;      /* program, path, kind of descriptor; example: descriptor number */
    struct tally keeps;      /* program, path, kind of descriptor, rule */
    struct tally edges;      /* program, path; amount: ns */
    struct tally becomings;  /* path, program: what a child turned out to be when it spawned itself */
    struct tally statuses;   /* how commands of system and popen ended */
    struct tally outcomes;   /* program, call, "ok" or "failed" */

    struct span *slowest[SUMMARY_SLOWEST]; /* a heap: the fastest of them first */
    size_t slowest_count;
    struct span *spans[SUMMARY_SPANS];
    size_t span_count;

    struct tally names; /* strings that are referred to by number; never full */
    const char **name_of;
    uint32_t *pid_paths; /* by pid: 1 + the number of the path that it was started with; 0 when unknown */
    uint32_t *pid_spans; /* by pid: 1 + the index of its span */
    uint64_t random;
};

/* Returns NULL when memory is out. */
struct summary *summary_new(void);
void summary_free(struct summary *summary);

void summary_add(struct summary *summary, const struct record *record);

/* Puts the slowest in order, slowest first, and the spans in order of time. Nothing may be added after it. */
void summary_finish(struct summary *summary);

#endif
