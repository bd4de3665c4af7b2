/* One spawn, one record. */
#ifndef SHIM_EVENT_H
#define SHIM_EVENT_H

#include "request.h"

#include <sys/resource.h>

/* What is written down about a call when records are wanted. Taken before the spawn, written after it. */
struct event;

/* To be called first: its moment is the record's. NULL when no records are wanted, or there is no memory for one. Looks
 * at the descriptors when they are asked for. */
struct event *event_begin(const struct request *request);

struct event_outcome {
    pid_t child; /* 0: none */
    const struct airlock_error *error;
    const struct airlock_timing *timing;
};

/* Writes the record and gives the event back. */
void event_end(struct event *event, const struct request *request, const struct event_outcome *outcome);

/* The same for a call that libc had to carry out: the reason is request->obstacle. */
void event_passed_through(struct event *event, const struct request *request, pid_t child, int code);

/* For system and popen, when the shell has been reaped. started_ns is CLOCK_MONOTONIC. */
void event_reaped(const char *call, pid_t child, int status, uint64_t started_ns, const struct rusage *usage);

/* CLOCK_MONOTONIC in nanoseconds, when records are wanted; otherwise 0. */
uint64_t event_clock(void);

#endif
