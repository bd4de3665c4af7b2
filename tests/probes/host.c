/* The program that is the host of the library: what it finds when main begins, and what each call leaves of it.
 *
 *     host start      prints the state in which main finds the process
 *     host around     makes every call, once with success and once without, and prints what each of them changed
 *     host handlers   prints which of the program's own functions ran in children or at a call: atexit, pthread_atfork
 *     host malloc     counts the calls of malloc during spawns, with an allocator of its own */
#include "probe.h"

#include <spawn.h>

static struct snapshot before, after;
static int errno_at_start;

static void start(void) {
    int code = errno_at_start;
    take_snapshot(&before);
    printf("errno: %s\n", error_name(code));
    printf("mask: %016" PRIx64 " pending: %016" PRIx64 "\n", before.mask, before.pending);
    for (int number = 1; number <= SIGNALS; number++)
        if (before.actions[number].handler != 0)
            printf("signal %d: %s\n", number, before.actions[number].handler == 1 ? "ignored" : "handled");
    /* The one that start_reporting made is not counted: it was not called. */
    for (int fd = 0; fd < HIGHEST; fd++)
        if (before.descriptor_flags[fd] >= 0)
            printf("descriptor %d flags %d\n", fd, before.descriptor_flags[fd]);
    printf("threads: %ju\n", (uintmax_t)before.threads - 2);
    printf("cancellation: %d %d\n", before.cancel_state, before.cancel_type);
    printf("umask: %o\n", before.file_mask);
    printf("alternate stack: %s\n", before.stack.ss_sp == NULL ? "none" : "set");
    printf("children: %s\n", waitpid(-1, NULL, WNOHANG) == -1 ? "none" : "some");
}

static void spawn_call(const char *path, int spawnp) {
    pid_t pid;
    int status, error;
    char *arguments[] = {(char *)path, NULL};
    if (spawnp)
        error = posix_spawnp(&pid, path, NULL, NULL, arguments, environ);
    else
        error = posix_spawn(&pid, path, NULL, NULL, arguments, environ);
    if (error == 0)
        wait_for(pid, &status);
}

static void stream_call(const char *mode) {
    FILE *stream = popen("exit 0", mode);
    if (stream != NULL)
        pclose(stream);
}

static void make_call(int which) {
    switch (which) {
    case 0:
        spawn_call("/bin/true", 0);
        break;
    case 1:
        spawn_call("/nonexistent", 0);
        break;
    case 2:
        spawn_call("true", 1);
        break;
    case 3:
        spawn_call("nosuchprogram", 1);
        break;
    case 4:
        if (system("exit 1") == -1 || system("kill -9 $$") == -1 || system(NULL) == 0)
            fputs("no shell\n", say);
        break;
    case 5:
        stream_call("r");
        break;
    default:
        stream_call("rw");
        break;
    }
}

static void around(void) {
    const char *names[] = {"posix_spawn", "a failing posix_spawn", "posix_spawnp",   "a failing posix_spawnp",
                           "system",      "popen and pclose",      "a failing popen"};
    /* A state that is not the default in every respect. */
    set_disposition(SIGINT, SIG_IGN);
    set_disposition(SIGQUIT, count_signal);
    set_disposition(SIGCHLD, count_signal);
    block_signals("USR1,34,64");
    for (int which = 0; which < 7; which++) {
        for (int state = 0; state < 2; state++) {
            pthread_setcancelstate(state == 0 ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE, NULL);
            pthread_setcanceltype(state == 0 ? PTHREAD_CANCEL_DEFERRED : PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
            take_snapshot(&before);
            make_call(which);
            take_snapshot(&after);
            fprintf(say, "%s:\n", names[which]);
            report_changes(&before, &after);
            report_children();
        }
    }
    fprintf(say, "handlers ran: %s\n", handled > 0 ? "yes" : "no");
}

static void at_exit(void) {
    fputs("atexit\n", stdout);
}

static void at_fork(void) {
    fputs("atfork\n", stdout);
}

/* What is buffered in stdout would be printed twice by a child that runs the parent's exit functions. */
static void handlers(void) {
    atexit(at_exit);
    pthread_atfork(at_fork, at_fork, at_fork);
    setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
    fputs("buffered\n", stdout);
    for (int which = 0; which < 7; which++)
        make_call(which);
}

/* The program's own allocator: never frees, counts, and is small enough to be seen through. */
static _Alignas(16) char arena[4 << 20];
static size_t used;
static volatile int allocations;

static void *take(size_t size) {
    size_t begin = __atomic_fetch_add(&used, (size + 31) & ~(size_t)15, __ATOMIC_RELAXED);
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    if (begin + size + 32 > sizeof arena)
        return NULL;
    memcpy(arena + begin, &size, sizeof size);
    return arena + begin + 16;
}

void *malloc(size_t size) {
    return take(size);
}

void free(void *block) {
    (void)block;
}

void *calloc(size_t count, size_t size) {
    return take(count * size);
}

void *realloc(void *block, size_t size) {
    void *fresh = take(size);
    size_t old = 0;
    if (block != NULL)
        memcpy(&old, (char *)block - 16, sizeof old);
    if (fresh != NULL && block != NULL)
        memcpy(fresh, block, old < size ? old : size);
    return fresh;
}

static void count_allocations(void) {
    const char *names[] = {"posix_spawn", "a failing posix_spawn", "posix_spawnp", "a failing posix_spawnp", "system"};
    for (int which = 0; which < 5; which++) {
        int at_first = allocations;
        make_call(which);
        int now = allocations;
        fprintf(say, "%s: %d allocations\n", names[which], now - at_first);
    }
}

int main(int argc, char **argv) {
    errno_at_start = errno;
    if (argc < 2)
        return 99;
    if (is(argv[1], "start")) {
        start();
        return 0;
    }
    if (is(argv[1], "handlers")) {
        handlers();
        return 0;
    }
    start_reporting();
    if (is(argv[1], "around"))
        around();
    else if (is(argv[1], "malloc"))
        count_allocations();
    return 0;
}
