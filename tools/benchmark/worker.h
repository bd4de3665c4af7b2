/* What the programs of the benchmark share. A worker is a process that holds what a case asks for (open descriptors,
 * touched memory), and times spawns on demand; the driver asks several of them in turn. A peer is one way to start a
 * program, through its own interface and nothing else. */
#ifndef AIRLOCK_BENCH_WORKER_H
#define AIRLOCK_BENCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct request {
    const char *file;
    char *const *argv;
    bool search; /* file is a name that has to be found in PATH */
    int output;  /* becomes the child's standard output; -1: the parent's */
};

struct peer {
    const char *name;
    /* Around a batch, in each thread and outside of the times; either may be NULL. */
    void (*begin)(void);
    void (*end)(void);
    /* 0 or an errno value. */
    int (*start)(const struct request *request, pid_t *pid);
    /* Waits for the child; 0 or an errno value. NULL: waitpid, and the exit status counts as an errno value. */
    int (*finish)(pid_t pid);
    bool closes_output; /* start takes request.output over */
};

/* The peers of this program, up to NULL. */
extern const struct peer *const peers[];

enum kind { KIND_EXEC, KIND_SEARCH, KIND_PIPE };

/* measure.c. Each returns 0 or an errno value. */
int time_spawns(const struct peer *peer, enum kind kind, const char *file, int count, uint64_t *times);
int time_threads(const struct peer *peer, const char *file, int threads, int count, uint64_t *elapsed);

/* The clock that all times are taken from, in nanoseconds. */
uint64_t now(void);

/* calls.c: so many calls of fcntl, dup2, dup3 or ioctl, through the way "bound" or "libc". 0 or an errno value. */
int time_calls(const char *name, const char *way, int count, uint64_t *elapsed);

/* calls.c: what a record cannot do without: a file opened, appended to by one write of a record's length, and closed.
 * Once, and so many times. 0 or an errno value. */
int append_once(const char *path);
int time_appends(const char *path, int count, uint64_t *elapsed);

/* busy.c: threads that write, close and execute scripts of their own (golang/go#22315). */
struct busy {
    int text_busy; /* spawns that failed with ETXTBSY */
    int otherwise; /* ... with anything else */
};
int stress_text_busy(const struct peer *peer, enum kind kind, const char *interpreter, const char *directory,
                     int threads, int count, struct busy *busy);

/* measure.c: one spawn and its end. */
int spawn_once(const struct peer *peer, enum kind kind, const struct request *request);

/* holdings.c: what the process holds while it spawns. Each returns 0 or an errno value. */
int hold_descriptors(int count);
int hold_memory(uint64_t bytes);

#endif
