/* libuv: uv_spawn, and a loop that runs until the child's exit has been seen. One loop for each thread and batch. */
#include "../worker.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

static _Thread_local uv_loop_t loop;
static _Thread_local uv_process_t process;
static _Thread_local int exit_code;

static void begin(void) {
    if (uv_loop_init(&loop) != 0)
        abort();
}

static void end(void) {
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0)
        abort();
}

static void on_exit_seen(uv_process_t *handle, int64_t status, int signal) {
    exit_code = signal != 0 ? EINTR : (int)status;
    uv_close((uv_handle_t *)handle, NULL);
}

static int finish(pid_t pid) {
    (void)pid;
    uv_run(&loop, UV_RUN_DEFAULT);
    return exit_code;
}

static int start(const struct request *request, pid_t *pid) {
    uv_stdio_container_t stdio[3];
    for (int fd = 0; fd < 3; fd++) {
        stdio[fd].flags = UV_INHERIT_FD;
        stdio[fd].data.fd = fd == 1 && request->output >= 0 ? request->output : fd;
    }
    uv_process_options_t options = {
        .file = request->file,
        .args = (char **)request->argv,
        .exit_cb = on_exit_seen,
        .stdio = stdio,
        .stdio_count = 3,
    };
    int result = uv_spawn(&loop, &process, &options);
    if (result < 0) {
        uv_close((uv_handle_t *)&process, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        return -result;
    }
    *pid = process.pid;
    return 0;
}

static const struct peer peer_libuv = {.name = "libuv", .begin = begin, .end = end, .start = start, .finish = finish};

const struct peer *const peers[] = {&peer_libuv, NULL};
