/* What one child may keep and what is reset in it: the policy of this process, the conventions by which programs hand
 * descriptors on, and what the program itself has marked. */
#include "request.h"

#include "conventions.h"
#include "program.h"

#include <limits.h>
#include <signal.h>

void kept_add(struct kept *kept, int first, int last, const char *rule) {
    for (size_t i = 0; i < kept->count; i++)
        if (kept->ranges[i].first <= first && last <= kept->ranges[i].last)
            return;
    if (kept->count == KEPT_MAX) {
        kept->all = "more descriptors to keep than can be told apart";
        return;
    }
    kept->ranges[kept->count] = (struct airlock_range){first, last};
    kept->rules[kept->count++] = rule;
}

/* Cuts [first, last] out of the range at index, which may leave two. Answers whether the range is still there. */
static bool cut_out(struct kept *kept, size_t index, int first, int last) {
    struct airlock_range range = kept->ranges[index];
    const char *rule = kept->rules[index];
    if (last < range.first || range.last < first)
        return true;
    if (range.first < first) {
        kept->ranges[index].last = first - 1;
        if (last < range.last)
            kept_add(kept, last + 1, range.last, rule);
        return true;
    }
    kept->ranges[index].first = last < range.last ? last + 1 : range.first;
    return last < range.last;
}

void kept_remove(struct kept *kept, int first, int last) {
    if (kept->all != NULL) {
        const char *rule = kept->all;
        kept->all = NULL;
        kept->count = 0;
        kept_add(kept, 0, INT_MAX, rule);
    }
    for (size_t i = kept->count; i-- > 0;) {
        if (!cut_out(kept, i, first, last)) {
            kept->count--;
            kept->ranges[i] = kept->ranges[kept->count];
            kept->rules[i] = kept->rules[kept->count];
        }
    }
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

static void decide_signals(const struct decision *decision, struct request *request) {
    struct airlock_command *command = &request->command;
    command->default_signals |= signals_to_reset(request, decision->signals);
    if (decision->mask == MASK_CLEAR) {
        command->flags |= AIRLOCK_SETMASK;
        command->mask = 0;
    }
}

/* A search for the program costs some system calls: only where a rule asks for its whole path. */
static void consult(const struct policy *policy, const struct airlock_command *command, struct decision *decision) {
    const char *program = command->path != NULL ? command->path : command->argv[0];
    char room[PATH_MAX];
    if (policy->depends_on_path)
        program = program_of(command, room);
    policy_decide(policy, program, decision);
}

void request_decide(struct request *request) {
    const struct policy *own = policy();
    struct airlock_command *command = &request->command;
    struct decision decision;
    consult(own, command, &decision);
    request->mode = decision.mode;
    request->kept.count = 0;
    request->kept.all = NULL;
    if (request->mode == MODE_OFF)
        return;
    conventions_add(request, decision.switched_off, &request->kept);
    policy_keep(own, &decision, &request->kept);
    if (request->mode == MODE_AUDIT)
        return;
    decide_signals(&decision, request);
    if (request->kept.all != NULL)
        return;
    command->seal = AIRLOCK_SEAL;
    command->keep_ranges = request->kept.ranges;
    command->keep_range_count = request->kept.count;
}

__attribute__((constructor)) static void prepare(void) {
    conventions_prepare(~policy()->conventions);
}
