/* What the parent hands to the child: everything is decided and laid out here before the clone, so that the child
 * only has to carry it out. Shared by the files of core/ and by nobody else. */
#ifndef AIRLOCK_PLAN_H
#define AIRLOCK_PLAN_H

#include "airlock.h"
#include "syscall.h"

#include <stdbool.h>

/* The child's one message to its parent. In shared memory the parent reads it in place; elsewhere it travels through
 * the report descriptor. */
struct report {
    int started; /* the canary: the child's first write, seen by the parent only where memory is shared */
    int step;
    int index;
    int code;
    int table_is_clean; /* the child had reason to look at the table that it was given by the cut, and found it right */
    int pidfd; /* from the kernel, for both: the parent's, and the number that the child must not find; -1: none */
    uint64_t started_ns;
    uint64_t exec_ns;
    airlock_signals reset; /* the signals that were ignored and have their default now */
};

/* A high descriptor that the child brings over after the cut, and the number that it has there. */
struct fetch {
    int number;
    int local;
    int source; /* enum airlock_source: whether it may be opened anew */
    bool keep;  /* it has to end up at its own number, inheritable */
};

/* Which high descriptors can be brought over one by one. */
enum fetching { FETCH_NONE, FETCH_FRESH_PIPES, FETCH_ANY };

enum {
    FETCH_MAX = 16,
    /* A descriptor above this one is fetched rather than copied with everything below it: one fetch costs about as
     * much as copying some dozens of table entries. */
    LOW_DESCRIPTORS = 256,
};

struct plan {
    const struct airlock_command *command;
    struct report *report;

    /* How the child is made. */
    bool share_memory;    /* vfork semantics, on a stack of its own */
    bool cut;             /* share the table at first, then unshare its low end */
    bool check_table;     /* whether this kernel cuts rightly is not known yet */
    bool clear_handlers;  /* the primitive resets the handlers by itself */
    bool measure;         /* take times */
    int parent;           /* its process id, where the child needs it */
    int pidfd_sockets[2]; /* where the primitive gives no pidfd the child sends one from [1]; -1: not needed */

    /* Descriptors. */
    int highest_copied;               /* the cut copies 0 to this one */
    int first_free_number;            /* nothing that the command names is here or above (apart from fetched numbers) */
    int report_read_end;              /* the parent's end of the report pipe, which the child closes; -1: none */
    int report_descriptor;            /* -1: none */
    const struct airlock_range *held; /* like kept: what the steps need of what is copied; the cut closes the rest */
    size_t held_count;                /* 0: nothing is closed in between */
    const struct airlock_range *kept; /* sorted, disjoint, not adjacent; begins with {0, 2} */
    size_t kept_count;
    struct fetch fetches[FETCH_MAX];
    int fetch_count;

    /* Signals. */
    airlock_signals mask; /* of the child */

    /* What to execute. */
    const char *file;
    char *const *argv;
    char *const *envp;
    const char *search_path; /* NULL: file is used as it is */
    char **shell_argv;       /* room for the shell fallback, or NULL */
    int busy_tries;          /* how often a file was found open for writing and tried again */
};

/* child.c: the child's whole life. Never returns. */
_Noreturn void child_main(struct plan *plan);

/* child.c: all the steps up to exec. Returns only when one failed, and the report says which. */
void child_take_steps(struct plan *plan);

/* pidfd.c: the first takes place in the child and returns 0 or a negative errno; the others are the parent's. The last
 * returns the pidfd, or ends and reaps the child and returns a negative errno. */
long child_send_pidfd(const int sockets[2]);
void open_pidfd_sockets(struct plan *plan);
void close_pidfd_sockets(struct plan *plan);
long receive_pidfd(struct plan *plan, long pid);

/* seal.c, in the child. Each returns 0 or a negative errno. */
long child_cut(struct plan *plan);
long child_fetch(struct plan *plan, int *index);
long child_keep(struct plan *plan, int *index);
long child_seal(const struct plan *plan);
long child_close_from(const struct plan *plan, int first);
int child_local_number(const struct plan *plan, int number);

/* candidates.c: in the child, tries to execute; returns the negative errno that the caller should see. */
long child_exec(struct plan *plan, int *index);

/* candidates.c: in the parent, decides what will be tried. 0 or an errno value. */
int plan_candidates(struct plan *plan);

/* signals.c: in the child. 0, or a negative errno with the signal in *signal. */
long child_reset_signals(struct plan *plan, int *signal);

/* signals.c: in the parent. Which of these this process ignores. */
airlock_signals ignored_among(airlock_signals set);

/* check.c: what is wrong with the description in itself. 0 and a clean *error, or an errno value and where. */
int check_command(const struct airlock_command *command, struct airlock_error *error);

/* check.c: what is wrong with it as the process is now. It has to be right in itself. The same result. */
int check_state(const struct airlock_command *command, struct airlock_error *error);

/* descriptors.c: in the parent. ranges has room for plan_range_bound() entries. */
size_t plan_range_bound(const struct airlock_command *command);
void plan_descriptors(struct plan *plan, struct airlock_range *ranges, enum fetching fetching);
bool plan_names_descriptor(const struct plan *plan, int number);
int descriptor_named_by_path(const char *path);

/* clone.c: in the parent. */
struct launch {
    pid_t pid;
    int pidfd;
    enum airlock_primitive primitive;
};
enum { LAUNCH_CANNOT_SHARE = 4096 }; /* no primitive left that shares memory: plan again without */
/* 0 and the child in *launch, an errno value, or LAUNCH_CANNOT_SHARE. */
int launch_child(struct plan *plan, void *stack, size_t stack_size, struct launch *launch);

/* Whether a child made by clone with CLONE_VM and CLONE_VFORK really shares memory and suspends its parent: 1 or 0, or
 * -1 when no such child could be made. */
int probe_sharing(void *stack, size_t stack_size);

/* The same question where memory cannot be shared: whether CLONE_VFORK alone suspends the parent. */
int probe_suspending(void);

/* What this kernel turned out to lack, learned from refusals and remembered for the life of the process. */
enum lack {
    LACK_CLONE3 = 1 << 0,
    LACK_CLONE = 1 << 1,
    LACK_VFORK = 1 << 2,
    LACK_CUT = 1 << 3,
    LACK_FETCH = 1 << 4,  /* pidfd_getfd */
    LACK_REOPEN = 1 << 6, /* /proc/PARENT/fd/N */
    LACK_COPYING_CLONE = 1 << 5,
};
unsigned lacking(void);
void remember_lack(unsigned lack);

#endif
