/* Spawns from threads.
 *
 *     threads small            a thread with the smallest stack spawns
 *     threads two COUNT        two threads spawn COUNT children each at once; each child says which it is by its status
 *     threads pending          posix_spawn in a thread that has a cancellation request waiting
 *     threads setuid COUNT     one thread changes ids (libc signals all threads with 33) while another spawns
 *     threads cancel COUNT     threads are cancelled (libc's signal 32) while they spawn
 *     threads popen COUNT      one thread calls popen and pclose, another forks
 *     threads streams COUNT    four threads call popen: no child may hold the stream of another thread */
#include "probe.h"

#include <limits.h>
#include <spawn.h>

static int count;
static volatile int finished;

static int spawn_and_wait(char *const *arguments, int *status) {
    pid_t pid;
    int error = posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ);
    if (error == 0)
        wait_for(pid, status);
    return error;
}

static void *spawn_small(void *unused) {
    pid_t pid;
    int status = 0;
    char *arguments[] = {"true", NULL};
    int error = posix_spawnp(&pid, "true", NULL, NULL, arguments, environ);
    if (error == 0)
        wait_for(pid, &status);
    fprintf(say, "spawnp: %s\n", error_name(error));
    print_status("child", status);
    return unused;
}

static void small(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
    if (pthread_create(&thread, &attributes, spawn_small, NULL) != 0)
        die("pthread_create");
    pthread_join(thread, NULL);
}

static void *spawn_many(void *code) {
    char text[32];
    intptr_t right = 0;
    snprintf(text, sizeof text, "exit %d", (int)(intptr_t)code);
    char *arguments[] = {"/bin/sh", "-c", text, NULL};
    for (int i = 0; i < count; i++) {
        int status = 0;
        if (spawn_and_wait(arguments, &status) == 0 && WIFEXITED(status) && WEXITSTATUS(status) == (intptr_t)code)
            right++;
    }
    return (void *)right;
}

static void two(void) {
    pthread_t threads[2];
    for (intptr_t i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, spawn_many, (void *)(i + 11)) != 0)
            die("pthread_create");
    for (int i = 0; i < 2; i++) {
        void *right;
        pthread_join(threads[i], &right);
        fprintf(say, "thread %d: %d right\n", i, (int)(intptr_t)right);
    }
    report_children();
}

static void *spawn_cancelled(void *unused) {
    char *arguments[] = {"/bin/true", NULL};
    pid_t pid;
    pthread_cancel(pthread_self());
    int error = posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ);
    fprintf(say, "posix_spawn returned: %s\n", error_name(error));
    pthread_testcancel();
    fputs("the request was lost\n", say);
    return unused;
}

static void pending(void) {
    pthread_t thread;
    void *result;
    int status;
    if (pthread_create(&thread, NULL, spawn_cancelled, NULL) != 0)
        die("pthread_create");
    pthread_join(thread, &result);
    fprintf(say, "the thread was cancelled: %s\n", result == PTHREAD_CANCELED ? "yes" : "no");
    wait_for(-1, &status);
    report_children();
}

static void *change_ids(void *unused) {
    while (!finished) {
        if (setuid(getuid()) != 0)
            die("setuid");
        usleep(100);
    }
    return unused;
}

static void *fork_often(void *unused) {
    int status;
    while (!finished) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        waitpid(pid, &status, 0);
    }
    return unused;
}

static void *popen_often(void *unused) {
    intptr_t right = 0;
    for (int i = 0; i < count; i++) {
        FILE *stream = popen("exit 5", i % 2 == 0 ? "r" : "we");
        int status = stream == NULL ? -1 : pclose(stream);
        right += WIFEXITED(status) && WEXITSTATUS(status) == 5;
    }
    (void)unused;
    return (void *)right;
}

/* One thread does something of its own while another spawns. */
static void beside(void *(*other)(void *), void *(*spawner)(void *)) {
    pthread_t thread, spawning;
    void *right;
    if (pthread_create(&thread, NULL, other, NULL) != 0 || pthread_create(&spawning, NULL, spawner, (void *)7) != 0)
        die("pthread_create");
    pthread_join(spawning, &right);
    finished = 1;
    pthread_join(thread, NULL);
    fprintf(say, "right: %d\n", (int)(intptr_t)right);
    report_children();
}

/* A deferred request: it may only be acted upon in wait_for, when the child runs already. */
static void cancel_while_spawning(void) {
    int ended = 0, status;
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, spawn_many, (void *)7) != 0)
            die("pthread_create");
        usleep((useconds_t)(i % 20) * 100);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        while (waitpid(-1, &status, 0) > 0)
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
                print_status("a child ended otherwise", status);
        ended++;
    }
    fprintf(say, "threads that ended: %d\n", ended);
}

/* The other threads' streams become inheritable when their popen returns. */
static void *count_sealed(void *unused) {
    const char *command = "for n in 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/self/fd/$n ] && exit 1; done; exit 7";
    intptr_t right = 0;
    for (int i = 0; i < count; i++) {
        FILE *stream = popen(command, "r");
        int status = stream == NULL ? -1 : pclose(stream);
        right += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    (void)unused;
    return (void *)right;
}

static void streams(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, count_sealed, NULL) != 0)
            die("pthread_create");
    intptr_t sum = 0;
    for (int i = 0; i < 4; i++) {
        void *right;
        pthread_join(threads[i], &right);
        sum += (intptr_t)right;
    }
    fprintf(say, "children without another's stream: %d\n", (int)sum);
}

int main(int argc, char **argv) {
    start_reporting();
    count = argc > 2 ? atoi(argv[2]) : 1;
    if (is(argv[1], "small"))
        small();
    else if (is(argv[1], "two"))
        two();
    else if (is(argv[1], "pending"))
        pending();
    else if (is(argv[1], "setuid"))
        beside(change_ids, spawn_many);
    else if (is(argv[1], "popen"))
        beside(fork_often, popen_often);
    else if (is(argv[1], "streams"))
        streams();
    else if (is(argv[1], "cancel"))
        cancel_while_spawning();
    else
        return 99;
    return 0;
}
