/* popen, pclose, and fclose for the streams of popen.
 *
 * The stream is an ordinary one over a pipe; which child belongs to it stands in the table of streams. glibc reaps in
 * fclose as well as in pclose, and programs rely on it, so both do here. */
#include "event.h"
#include "export.h"
#include "libc.h"
#include "policy.h"
#include "shell.h"
#include "streams.h"
#include "syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

struct popen_mode {
    bool reads;
    bool close_on_exec;
};

/* musl: the first letter counts, and an e anywhere. */
static bool read_lax_mode(const char *text, struct popen_mode *mode) {
    mode->reads = *text == 'r';
    mode->close_on_exec = strchr(text, 'e') != NULL;
    return mode->reads || *text == 'w';
}

/* r or w, exactly one of them, however often, with e anywhere (glibc). */
static bool read_mode(const char *text, struct popen_mode *mode) {
    bool reads = false, writes = false;
    if (!LIBC_POPEN_IS_STRICT)
        return read_lax_mode(text, mode);
    mode->close_on_exec = false;
    for (; *text != '\0'; text++) {
        reads = reads || *text == 'r';
        writes = writes || *text == 'w';
        mode->close_on_exec = mode->close_on_exec || *text == 'e';
        if (*text != 'r' && *text != 'w' && *text != 'e')
            return false;
    }
    mode->reads = reads;
    return reads != writes;
}

/* The child's end becomes its standard input or output. Earlier streams are closed in the child (POSIX), also one that
 * sits on 0, 1 or 2, and also where nothing is sealed. */
static int add_actions(struct request *request, int child_end, int target) {
    size_t room = 1 + stream_count() + 8; /* some to spare for the streams of other threads */
    struct airlock_action *actions = request_action_room(request, room);
    if (actions == NULL)
        return ENOMEM;
    actions[0] = AIRLOCK_DUP2(child_end, target);
    actions[0].flags = target == STDIN_FILENO ? AIRLOCK_SOURCE_FRESH_READ_END : AIRLOCK_SOURCE_FRESH_WRITE_END;
    request->command.action_count = 1 + stream_close_actions(actions + 1, room - 1, target);
    return 0;
}

static int start(const char *line, const void *caller, int child_end, int target, pid_t *pid) {
    struct shell_call shell;
    struct airlock_child child;
    struct airlock_error error;
    shell_prepare(&shell, "popen", caller, line);
    int code = add_actions(&shell.request, child_end, target);
    if (code == 0)
        code = request_spawn(&shell.request, &child, &error);
    request_release(&shell.request);
    if (code == 0)
        *pid = child.pid;
    return code;
}

static FILE *open_stream(const char *line, const struct popen_mode *mode, const void *caller) {
    int ends[2] = {-1, -1};
    FILE *file = NULL;
    pid_t pid = -1;
    uint64_t started_ns = event_clock();
    struct stream *stream = stream_reserve();
    int code = stream == NULL ? ENOMEM : 0;
    if (code == 0)
        code = (int)-raw2(SYS_pipe2, ends, O_CLOEXEC);
    if (code != 0)
        goto out;
    int own_end = mode->reads ? ends[0] : ends[1];
    int child_end = mode->reads ? ends[1] : ends[0];
    file = fdopen(own_end, mode->reads ? "r" : "w");
    if (file == NULL) {
        code = errno;
        raw_close(own_end);
    } else {
        code = start(line, caller, child_end, mode->reads ? STDOUT_FILENO : STDIN_FILENO, &pid);
        /* The record has the step and its errno. */
        if (code != 0 && LIBC_POPEN_SAYS_ENOMEM)
            code = ENOMEM;
    }
    raw_close(child_end);
out:
    if (code != 0) {
        if (file != NULL)
            libc_fclose(file);
        if (stream != NULL)
            stream_cancel(stream);
        errno = code;
        return NULL;
    }
    stream_publish(stream, file, own_end, pid, started_ns);
    /* Without e the program's end is inheritable, and the program can see that. */
    if (!mode->close_on_exec)
        raw3(SYS_fcntl, own_end, F_SETFD, 0);
    return file;
}

/* The child's wait status; -1 where the stream's descriptor is not open. A failed flush only counts when the child
 * itself reports nothing (glibc). */
static int close_stream(FILE *file, pid_t pid, uint64_t started_ns) {
    int status = 0;
    struct rusage usage;
    /* Then EBADF is about what could not be written. */
    bool open = __fpending(file) > 0 && raw2(SYS_fcntl, fileno(file), F_GETFD) != -EBADF;
    int closed = libc_fclose(file);
    if (closed != 0 && errno == EBADF && !open)
        return -1;
    long waited;
    do
        waited = raw4(SYS_wait4, pid, &status, 0, &usage);
    while (waited == -EINTR);
    if (waited < 0) {
        errno = (int)-waited;
        return -1;
    }
    event_reaped("popen", pid, status, started_ns, &usage);
    return status != 0 ? status : closed;
}

EXPORT FILE *popen(const char *line, const char *text) {
    struct popen_mode mode;
    if (policy()->mode == MODE_OFF)
        return libc_popen(line, text);
    if (!read_mode(text, &mode)) {
        errno = EINVAL;
        return NULL;
    }
    return open_stream(line, &mode, __builtin_return_address(0));
}

EXPORT int pclose(FILE *file) {
    pid_t pid;
    uint64_t started_ns;
    return stream_take(file, &pid, &started_ns) ? close_stream(file, pid, started_ns) : libc_pclose(file);
}

EXPORT int fclose(FILE *file) {
    pid_t pid;
    uint64_t started_ns;
    bool ours = stream_take(file, &pid, &started_ns);
    return ours && LIBC_FCLOSE_REAPS ? close_stream(file, pid, started_ns) : libc_fclose(file);
}
