/* While one thread spawns in every way, another forks by itself, as a program with a library of its own may do at any
 * moment. In each of its children every pipe has to be close-on-exec: one that is not would be held by whatever that
 * child becomes. Prints how many children saw one.
 *
 *     forker COUNT */
#include "probe.h"

#include <spawn.h>

static volatile int finished;

static bool holds_inheritable_pipe(void) {
    for (int fd = 3; fd < 64; fd++) {
        struct stat info;
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC) && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode))
            return true;
    }
    return false;
}

static void *fork_often(void *unused) {
    intptr_t seen = 0;
    while (!finished) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
            _exit(holds_inheritable_pipe());
        wait_for(pid, &status);
        seen += status != 0;
    }
    (void)unused;
    return (void *)seen;
}

static void spawn_one(short flags) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status, ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe2");
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, flags);
    posix_spawn_file_actions_init(&actions);
    /* Becomes descriptor 40 of the child, and only of the child. */
    posix_spawn_file_actions_adddup2(&actions, ends[1], 40);
    if (posix_spawn(&pid, "/bin/true", &actions, &attributes, (char *[]){"true", NULL}, environ) == 0)
        wait_for(pid, &status);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv) {
    pthread_t thread;
    void *seen;
    start_reporting();
    differ_in_ids();
    int count = argc > 1 ? atoi(argv[1]) : 1;
    if (pthread_create(&thread, NULL, fork_often, NULL) != 0)
        die("pthread_create");
    for (int i = 0; i < count; i++) {
        spawn_one(0);
        spawn_one(POSIX_SPAWN_RESETIDS);
        FILE *stream = popen("exit 0", "re");
        if (stream != NULL)
            pclose(stream);
    }
    finished = 1;
    pthread_join(thread, &seen);
    fprintf(say, "children that held an inheritable pipe: %d\n", (int)(intptr_t)seen);
    return 0;
}
