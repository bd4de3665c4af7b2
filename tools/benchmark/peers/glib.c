/* GLib: g_spawn_async_with_fds with its default, which closes all descriptors but 0 to 2 in the child. */
#include "../worker.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* The code of the error is too coarse for some of its versions (G_SPAWN_ERROR_FAILED for a busy text), the message is
 * not. */
static int errno_of(const GError *error) {
    return strstr(error->message, g_strerror(ETXTBSY)) != NULL ? ETXTBSY : EIO;
}

static int start(const struct request *request, pid_t *pid) {
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD;
    GError *error = NULL;
    GPid child;
    if (request->search)
        flags |= G_SPAWN_SEARCH_PATH;
    if (!g_spawn_async_with_fds(NULL, (char **)request->argv, NULL, flags, NULL, NULL, &child, -1, request->output, -1,
                                &error)) {
        int code = errno_of(error);
        g_error_free(error);
        return code;
    }
    *pid = child;
    return 0;
}

static const struct peer peer_glib = {.name = "glib", .start = start};

const struct peer *const peers[] = {&peer_glib, NULL};
