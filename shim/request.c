/* What every intercepted call has in common: the policy is applied, the core makes the child. */
#include "request.h"

#include "policy.h"
#include "syscall.h"

#include <signal.h>
#include <sys/mman.h>

struct airlock_action *request_action_room(struct request *request, size_t count) {
    struct airlock_action *room = request->small_actions;
    if (count > SMALL_ACTIONS) {
        size_t size = count * sizeof *room;
        room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (room == MAP_FAILED)
            return NULL;
        request->mapped = size;
    }
    request->command.actions = room;
    return room;
}

void request_release(struct request *request) {
    if (request->mapped > 0)
        munmap((void *)request->command.actions, request->mapped);
    request->mapped = 0;
}

/* SIGPIPE and SIGXFSZ are those that programs ignore for themselves and that their children rarely expect ignored
 * (CPython's restore_signals). Others, like nohup's SIGHUP, are ignored on purpose. */
static airlock_signals signals_to_reset(const struct request *request, enum signals which) {
    if (which == SIGNALS_ALL)
        return ~(airlock_signals)0;
    if (which == SIGNALS_PIPE && !request->signals_chosen)
        return AIRLOCK_SIGNAL(SIGPIPE) | AIRLOCK_SIGNAL(SIGXFSZ);
    return 0;
}

static void apply(const struct policy *policy, struct request *request) {
    struct airlock_command *command = &request->command;
    if (policy->mode != MODE_ENFORCE)
        return;
    command->default_signals |= signals_to_reset(request, policy->signals);
    if (policy->mask == MASK_CLEAR) {
        command->flags |= AIRLOCK_SETMASK;
        command->mask = 0;
    }
    if (policy->keep_all)
        return;
    command->seal = AIRLOCK_SEAL;
    command->keep_ranges = policy->keep;
    command->keep_range_count = policy->keep_count;
}

int request_spawn(struct request *request, struct airlock_child *child, struct airlock_error *error) {
    apply(policy(), request);
    return airlock_spawn(&request->command, child, error, NULL);
}
