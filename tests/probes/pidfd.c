/* pidfd_spawn and pidfd_spawnp, which libc has from 2.39 on: found at run time, so that this is built anywhere.
 *
 *     pidfd PROGRAM [ARG…]        pidfd -p PROGRAM [ARG…]        pidfd full PROGRAM [ARG…]
 *
 * "full": every descriptor is in use. */
#include "probe.h"

#include <dlfcn.h>
#include <spawn.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

typedef int pidfd_function(int *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                           char *const[], char *const[]);

int main(int argc, char **argv) {
    static struct snapshot before, after;
    char **words = argv + 1;
    bool search = is(words[0], "-p"), full = is(words[0], "full");
    words += search || full;
    pidfd_function *function;
    *(void **)&function = dlsym(RTLD_DEFAULT, search ? "pidfd_spawnp" : "pidfd_spawn");
    if (function == NULL || argc < 2) {
        puts("no such function");
        return 0;
    }
    start_reporting();
    if (full) {
        set_limit(RLIMIT_NOFILE, "50");
        use_every_descriptor();
    }
    take_snapshot(&before);
    int pidfd = -12345, error = function(&pidfd, words[0], NULL, NULL, words, environ);
    fprintf(say, "spawn: %s\n", error_name(error));
    if (error == 0) {
        siginfo_t info = {0};
        fprintf(say, "close-on-exec: %s\n", fcntl(pidfd, F_GETFD) == FD_CLOEXEC ? "yes" : "no");
        if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) != 0)
            die("waitid");
        fprintf(say, "child: %s %d\n", info.si_code == CLD_EXITED ? "exit" : "signal", info.si_status);
        close(pidfd);
    } else if (pidfd != -12345)
        fputs("the pidfd was written\n", say);
    take_snapshot(&after);
    report_changes(&before, &after);
    report_children();
    return 0;
}
