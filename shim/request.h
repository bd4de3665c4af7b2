/* One intercepted call on its way to the core. */
#ifndef SHIM_REQUEST_H
#define SHIM_REQUEST_H

#include "airlock.h"

#include <spawn.h>
#include <stdbool.h>

enum { SMALL_ACTIONS = 16 };

struct request {
    const char *call;   /* the function that the program called, by name */
    const void *caller; /* where it was called from */
    struct airlock_command command;
    bool signals_chosen; /* the caller named the signals to be reset (POSIX_SPAWN_SETSIGDEF) */

    /* Why the call has to go to libc instead, or NULL. */
    const char *obstacle;

    struct airlock_action small_actions[SMALL_ACTIONS];
    size_t mapped; /* bytes mapped for more actions than that; 0: none */
};

/* attributes.c, file_actions.c: read libc's objects into the command. When something in them is not understood,
 * request->obstacle says what. 0 or an errno value. */
int request_read_attributes(struct request *request, const posix_spawnattr_t *attributes);
int request_read_file_actions(struct request *request, const posix_spawn_file_actions_t *actions);

/* Room for count actions in command.actions: the small array, or a mapping. NULL: no memory. */
struct airlock_action *request_action_room(struct request *request, size_t count);

/* Applies the policy and starts the child. 0 or an errno value. */
int request_spawn(struct request *request, struct airlock_child *child, struct airlock_error *error);

/* Gives back what the reading took. */
void request_release(struct request *request);

#endif
