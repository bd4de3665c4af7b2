/* The descriptors that a process would pass on now. */
#ifndef AIRLOCK_COMMAND_HELD_H
#define AIRLOCK_COMMAND_HELD_H

#include <limits.h>
#include <stddef.h>

struct held {
    int number;
    char what[PATH_MAX]; /* as in a record: airlock-record(5) */
};

struct held_list {
    struct held *items;
    size_t count;
};

/* Lists those above 2 that exec does not close, in order. Returns 0 or an errno value. */
int held_read(int process, struct held_list *list);
void held_release(struct held_list *list);

#endif
