/* Runs a program and looks over its shoulder: every record that it and its descendants write, while they run. */
#ifndef AIRLOCK_COMMAND_WATCH_H
#define AIRLOCK_COMMAND_WATCH_H

#include "record.h"

typedef void watch_record(void *context, const struct record *record);

struct watch {
    watch_record *take;
    void *context;

    /* Filled by the end. */
    bool started;     /* there was a process to become the program */
    uint64_t dropped; /* records that the library could not write */
    uint64_t bad;     /* lines that are no records */
};

/* Runs argv as launch() does, with AIRLOCK_LOG and AIRLOCK_LOG_FDS set, and hands over each record as it comes. Returns
 * when the program has ended, with its exit code, 128 + N after signal N, or launch()'s; all is complained. */
int watch_program(char **argv, struct watch *watch);

#endif
