/* One intercepted call on its way to the core. */
#ifndef SHIM_REQUEST_H
#define SHIM_REQUEST_H

#include "airlock.h"
#include "policy.h"

#include <spawn.h>
#include <stdbool.h>

enum { SMALL_ACTIONS = 16, KEPT_MAX = 96 };

/* What the child may keep besides 0 to 2 and the targets of file actions, and why: ranges[i] by rule rules[i]. The
 * rules are static strings, worded for a reader: "AIRLOCK_KEEP", "argument --status-fd", "variable LISTEN_FDS". */
struct kept {
    struct airlock_range ranges[KEPT_MAX];
    const char *rules[KEPT_MAX];
    size_t count;
    const char *all; /* the rule that keeps everything, or NULL */
};

struct request {
    const char *call;   /* the function that the program called, by name */
    const void *caller; /* where it was called from */
    struct airlock_command command;
    const char *shell_line;          /* system, popen: what the shell is to run; NULL otherwise */
    bool signals_chosen;             /* the caller named the signals to be reset (POSIX_SPAWN_SETSIGDEF) */
    airlock_signals ignored_by_call; /* system: what it ignores itself for the while, and the program does not */

    /* Why the call has to go to libc instead, or NULL. */
    const char *obstacle;

    /* What the policy makes of it (decision.c). */
    enum mode mode;
    struct kept kept;

    struct airlock_action small_actions[SMALL_ACTIONS];
    size_t mapped; /* bytes mapped for more actions than that; 0: none */
};

/* attributes.c, file_actions.c: read libc's objects into the command. When something in them is not understood,
 * request->obstacle says what. The actions need memory when there are many: 0 or an errno value. */
void request_read_attributes(struct request *request, const posix_spawnattr_t *attributes);
int request_read_file_actions(struct request *request, const posix_spawn_file_actions_t *actions);

/* Room for count actions in command.actions: the small array, or a mapping. NULL: no memory. */
struct airlock_action *request_action_room(struct request *request, size_t count);

/* decision.c: what the child may keep and what is reset in it, by the policy of this process. */
void request_decide(struct request *request);

/* Adds descriptors first to last to what is kept. When there is no room for one more, everything is kept and the rule
 * says so: a program that works comes before a seal that is complete. */
void kept_add(struct kept *kept, int first, int last, const char *rule);

/* Takes descriptors first to last out of what is kept, whichever rule kept them. */
void kept_remove(struct kept *kept, int first, int last);

/* Decides, and starts the child. 0 or an errno value. */
int request_spawn(struct request *request, struct airlock_child *child, struct airlock_error *error);

/* Gives back what the reading took. */
void request_release(struct request *request);

#endif
