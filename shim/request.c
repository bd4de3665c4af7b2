/* What every intercepted call has in common: the policy is applied, the core makes the child. */
#include "request.h"

#include "event.h"
#include "syscall.h"

struct airlock_action *request_action_room(struct request *request, size_t count) {
    struct airlock_action *room = request->small_actions;
    if (count > SMALL_ACTIONS) {
        size_t size = count * sizeof *room;
        room = raw_map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        if (room == NULL)
            return NULL;
        request->mapped = size;
    }
    request->command.actions = room;
    return room;
}

void request_release(struct request *request) {
    if (request->mapped > 0)
        raw2(SYS_munmap, request->command.actions, request->mapped);
    request->mapped = 0;
}

int request_spawn(struct request *request, struct airlock_child *child, struct airlock_error *error) {
    struct airlock_timing timing;
    request_decide(request);
    struct event *event = event_begin(request);
    request->command.flags |= AIRLOCK_IN_ORDER;
    int code = airlock_spawn(&request->command, child, error, event != NULL ? &timing : NULL);
    if (event != NULL) {
        struct event_outcome outcome = {.child = code == 0 ? child->pid : 0, .error = error, .timing = &timing};
        event_end(event, request, &outcome);
    }
    return code;
}
