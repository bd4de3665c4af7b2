/* posix_spawn with an object that libc's functions would not make: what a later libc, or a program that writes into the
 * object, may hand over.
 *
 *     stranger WHAT
 *
 * WHAT is flag (an attribute that nobody knows), cgroup (glibc 2.39's, with a descriptor that is not open), kind (an
 * action that nobody knows), count (fewer than no actions), pidfd-flag (the same as flag, for pidfd_spawn), no-path
 * (nothing to execute), or no-object (an ordinary call, from code that lies in no file). Prints the error, or how the
 * child ended. */
#include "probe.h"

#include <dlfcn.h>
#include <spawn.h>
#include <sys/mman.h>

#ifdef __GLIBC__
static void make_strange(const char *what, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
    if (is(what, "kind"))
        *(int *)(void *)actions->__actions = 99;
    else if (is(what, "count"))
        actions->__used = -1;
    else if (is(what, "cgroup")) {
        attributes->__flags = 0x100;
        (&attributes->__policy)[1] = -1;
    } else if (is(what, "flag") || is(what, "pidfd-flag"))
        attributes->__flags = 0x4000;
}
#else
static void make_strange(const char *what, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
    (void)actions;
    if (is(what, "flag") || is(what, "pidfd-flag"))
        attributes->__flags = 0x4000;
}
#endif

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                           char *const[], char *const[]);

/* The same function, called from memory that belongs to no file: what a compiler at run time makes. */
static spawn_function *from_nowhere(spawn_function *function) {
#ifdef __x86_64__
    /* sub $8, %rsp; movabs $function, %rax; call *%rax; add $8, %rsp; ret */
    static const unsigned char before[] = {0x48, 0x83, 0xec, 0x08, 0x48, 0xb8};
    static const unsigned char behind[] = {0xff, 0xd0, 0x48, 0x83, 0xc4, 0x08, 0xc3};
    char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        die("mmap");
    memcpy(code, before, sizeof before);
    memcpy(code + sizeof before, &function, sizeof function);
    memcpy(code + sizeof before + sizeof function, behind, sizeof behind);
    return (spawn_function *)(void *)code;
#else
    return function;
#endif
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 99;
    char *const child[] = {(char *)"sh", (char *)"-c", (char *)"exit 7", NULL};
    const char *path = is(argv[1], "no-path") ? NULL : "/bin/sh";
    spawn_function *function = is(argv[1], "no-object") ? from_nowhere(posix_spawn) : posix_spawn;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int status = 0, result = -7;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, 9);
    posix_spawnattr_init(&attributes);
    make_strange(argv[1], &actions, &attributes);
    if (is(argv[1], "pidfd-flag"))
        function = (spawn_function *)dlsym(RTLD_DEFAULT, "pidfd_spawn");
    if (function == NULL) {
        puts("there is no pidfd_spawn");
        return 0;
    }
    /* Without a place for the pid; for the pidfd there has to be one. */
    int code = function(is(argv[1], "pidfd-flag") ? &result : NULL, path, &actions, &attributes, child, environ);
    if (code != 0)
        printf("%s\n", error_name(code));
    else if (waitpid(-1, &status, 0) > 0)
        printf("the child ended with %d\n", WEXITSTATUS(status));
    return 0;
}
