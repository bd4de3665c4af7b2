/* The baseline: vfork, exec, and nothing else. Descriptors, signals and handlers are whatever the parent has. */
#include "native.h"

#include <errno.h>
#include <unistd.h>

static int start(const struct request *request, pid_t *pid) {
    volatile int code = 0; /* the child's memory is ours */
    pid_t child = vfork();
    if (child == 0) {
        if (request->output >= 0)
            dup2(request->output, 1);
        if (request->search)
            execvpe(request->file, request->argv, environ);
        else
            execve(request->file, request->argv, environ);
        code = errno;
        _exit(0);
    }
    if (child < 0)
        return errno;
    *pid = child;
    return code;
}

const struct peer peer_vfork = {.name = "vfork", .start = start};
