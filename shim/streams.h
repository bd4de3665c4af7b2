/* The streams that popen has made and nobody has closed yet. */
#ifndef SHIM_STREAMS_H
#define SHIM_STREAMS_H

#include "airlock.h"

#include <stdbool.h>
#include <stdio.h>

struct stream {
    _Atomic(FILE *) file; /* NULL: free */
    int fd;
    pid_t pid;
    uint64_t started_ns; /* CLOCK_MONOTONIC, or 0 without records */
};

/* A free entry that is now the caller's, or NULL without memory. */
struct stream *stream_reserve(void);

/* From now on the entry stands for file, which reads from or writes to the child pid at descriptor fd. */
void stream_publish(struct stream *stream, FILE *file, int fd, pid_t pid, uint64_t started_ns);

/* Gives back an entry that was reserved but not published. */
void stream_cancel(struct stream *stream);

/* Takes the entry of file out: only one caller gets it. False: popen did not make file. */
bool stream_take(FILE *file, pid_t *pid, uint64_t *started_ns);

/* How many there are at this moment. */
size_t stream_count(void);

/* Writes at most size actions that close their descriptors in a child, except for the number that is the child's own
 * by then. Returns how many it wrote. */
size_t stream_close_actions(struct airlock_action *actions, size_t size, int except);

#endif
