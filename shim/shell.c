/* The shell as libc's system and popen start it: by its path, with the arguments that this libc gives it. */
#include "shell.h"

#include "libc.h"

#include <stdatomic.h>
#include <unistd.h>

/* "2.36" */
static bool is_at_least_2_38(const char *version) {
    int major = 0, minor = 0;
    for (; *version >= '0' && *version <= '9'; version++)
        major = major * 10 + (*version - '0');
    if (*version++ == '.')
        for (; *version >= '0' && *version <= '9'; version++)
            minor = minor * 10 + (*version - '0');
    return major > 2 || (major == 2 && minor >= 38);
}

/* Since 2.38 glibc ends the options of the shell before the line, so that one that begins with a dash is a command. */
static bool libc_ends_options(void) {
    enum { UNKNOWN, NO, YES };
    static _Atomic int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == UNKNOWN) {
        const char *(*version)(void) = (const char *(*)(void))libc_optional("gnu_get_libc_version");
        answer = version != NULL && is_at_least_2_38(version()) ? YES : NO;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == YES;
}

void shell_prepare(struct shell_call *call, const char *name, const void *caller, const char *line) {
    int used = 0;
    call->argv[used++] = (char *)"sh";
    call->argv[used++] = (char *)"-c";
    if (libc_ends_options())
        call->argv[used++] = (char *)"--";
    call->argv[used++] = (char *)line;
    call->argv[used] = NULL;
    call->request.call = name;
    call->request.caller = caller;
    call->request.signals_chosen = false;
    call->request.ignored_by_call = 0;
    call->request.shell_line = line;
    call->request.obstacle = NULL;
    call->request.mapped = 0;
    call->request.command = (struct airlock_command){.path = "/bin/sh", .argv = call->argv, .envp = environ};
}
