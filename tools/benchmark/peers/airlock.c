/* airlock's library, twice: as it is meant to be used (sealed, handlers reset, SIGPIPE at its default, an empty mask,
 * an error report ready), and with every ignored signal reset, too, as the hardened posix_spawn has it. */
#include "native.h"

#include "airlock.h"

#include <signal.h>

static int spawn(const struct request *request, airlock_signals defaults, pid_t *pid) {
    struct airlock_child child;
    struct airlock_command command = {
        .path = request->file,
        .argv = request->argv,
        .search = request->search ? AIRLOCK_SEARCH_PARENT_PATH : AIRLOCK_SEARCH_NONE,
        .actions = (struct airlock_action[]){AIRLOCK_DUP2(request->output, 1)},
        .action_count = request->output >= 0,
        .seal = AIRLOCK_SEAL,
        .flags = AIRLOCK_SETMASK,
        .default_signals = defaults,
    };
    struct airlock_error error;
    int code = airlock_spawn(&command, &child, &error, NULL);
    if (code == 0)
        *pid = child.pid;
    return code;
}

static int start(const struct request *request, pid_t *pid) {
    return spawn(request, AIRLOCK_SIGNAL(SIGPIPE), pid);
}

static int start_with_all_signals(const struct request *request, pid_t *pid) {
    return spawn(request, ~(airlock_signals)0, pid);
}

const struct peer peer_airlock = {.name = "airlock", .start = start};
const struct peer peer_airlock_all = {.name = "airlock-all", .start = start_with_all_signals};
