/* posix_spawn with an object that libc's functions would not make: what a later libc, or a program that writes into the
 * object, may hand over.
 *
 *     stranger WHAT
 *
 * WHAT is flag (an attribute that nobody knows), cgroup (glibc 2.39's, with a descriptor that is not open), kind (an
 * action that nobody knows), count (fewer than no actions), or pidfd-flag (the same as flag, for pidfd_spawn). Prints
 * the error, or how the child ended. */
#include "probe.h"

#include <dlfcn.h>
#include <spawn.h>

#ifdef __GLIBC__
static void make_strange(const char *what, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
    if (is(what, "kind"))
        *(int *)(void *)actions->__actions = 99;
    else if (is(what, "count"))
        actions->__used = -1;
    else if (is(what, "cgroup")) {
        attributes->__flags = 0x100;
        (&attributes->__policy)[1] = -1;
    } else
        attributes->__flags = 0x4000;
}
#else
static void make_strange(const char *what, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
    (void)what, (void)actions;
    attributes->__flags = 0x4000;
}
#endif

int main(int argc, char **argv) {
    if (argc < 2)
        return 99;
    char *const child[] = {(char *)"sh", (char *)"-c", (char *)"exit 7", NULL};
    int (*function)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[],
                    char *const[]) = posix_spawn;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int status = 0, result = -7;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, 9);
    posix_spawnattr_init(&attributes);
    make_strange(argv[1], &actions, &attributes);
    if (is(argv[1], "pidfd-flag"))
        function = (__typeof__(function))dlsym(RTLD_DEFAULT, "pidfd_spawn");
    if (function == NULL) {
        puts("there is no pidfd_spawn");
        return 0;
    }
    /* Without a place for the pid; for the pidfd there has to be one. */
    int code = function(is(argv[1], "pidfd-flag") ? &result : NULL, "/bin/sh", &actions, &attributes, child, environ);
    if (code != 0)
        printf("%s\n", error_name(code));
    else if (waitpid(-1, &status, 0) > 0)
        printf("the child ended with %d\n", WEXITSTATUS(status));
    return 0;
}
