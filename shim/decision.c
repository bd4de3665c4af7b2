/* What one child may keep and what is reset in it: the policy of this process, the conventions by which programs hand
 * descriptors on, and what the program itself has marked. */
#include "request.h"

#include <signal.h>

void kept_add(struct kept *kept, int first, int last, const char *rule) {
    if (kept->count == KEPT_MAX) {
        kept->all = "more descriptors to keep than can be told apart";
        return;
    }
    kept->ranges[kept->count] = (struct airlock_range){first, last};
    kept->rules[kept->count++] = rule;
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

static void decide_signals(const struct policy *policy, struct request *request) {
    struct airlock_command *command = &request->command;
    command->default_signals |= signals_to_reset(request, policy->signals);
    if (policy->mask == MASK_CLEAR) {
        command->flags |= AIRLOCK_SETMASK;
        command->mask = 0;
    }
}

static void decide_kept(const struct policy *policy, struct kept *kept) {
    if (policy->keep_all)
        kept->all = "AIRLOCK_KEEP";
    for (size_t i = 0; i < policy->keep_count; i++)
        kept_add(kept, policy->keep[i].first, policy->keep[i].last, "AIRLOCK_KEEP");
}

void request_decide(struct request *request) {
    const struct policy *own = policy();
    struct airlock_command *command = &request->command;
    request->mode = own->mode;
    request->kept.count = 0;
    request->kept.all = NULL;
    if (request->mode == MODE_OFF)
        return;
    decide_kept(own, &request->kept);
    if (request->mode == MODE_AUDIT)
        return;
    decide_signals(own, request);
    if (request->kept.all != NULL)
        return;
    command->seal = AIRLOCK_SEAL;
    command->keep_ranges = request->kept.ranges;
    command->keep_range_count = request->kept.count;
}
