/* Existing logs, read from begin to end. */
#ifndef AIRLOCK_COMMAND_LOGS_H
#define AIRLOCK_COMMAND_LOGS_H

#include "record.h"

#include <time.h>

struct logs {
    void (*take)(void *context, const struct record *record);
    void *context;

    /* Filled while they are read: lines that are records, that a newer library wrote, and that are none. */
    uint64_t good, unknown, bad;

    /* How far reading is, for a person who waits. */
    bool progress_shown;
    uint64_t size, done; /* bytes of all logs, 0 when unknown; of those that are finished */
    struct timespec next;
};

/* Reads the logs named, up to a NULL, and hands over each record; "-" is standard input. Complains and returns false
 * when one of them cannot be read. */
bool logs_read(struct logs *logs, char **names);

#endif
