/* The classic: fork and exec, without any preparation. */
#include "native.h"

#include <errno.h>
#include <unistd.h>

/* Nothing tells the parent why exec failed, so the child ends with errno as its status. */
static int start(const struct request *request, pid_t *pid) {
    pid_t child = fork();
    if (child == 0) {
        if (request->output >= 0)
            dup2(request->output, 1);
        if (request->search)
            execvp(request->file, request->argv);
        else
            execve(request->file, request->argv, environ);
        _exit(errno);
    }
    if (child < 0)
        return errno;
    *pid = child;
    return 0;
}

const struct peer peer_fork = {.name = "fork", .start = start};
