/* The calls that make a descriptor inheritable, or only look like it: carries out its words in their order, and then
 * lists what a child holds.
 *
 *     intent [WORD…]
 *
 * open N PATH             N is PATH, close-on-exec, by no call of libc's that could be a mark
 * leak N PATH             the same, inheritable
 * close N
 * setfd N FLAGS           fcntl(N, F_SETFD, FLAGS)
 * setfd64 N FLAGS         the same through fcntl64
 * setfd-long N            fcntl(N, F_SETFD, 0L)
 * nclex N   clex N        ioctl(N, FIONCLEX) and FIOCLEX, without a third argument
 * dup2 M N                dup2(M, N)
 * dup3 M N   dup3e M N    dup3(M, N, 0) and dup3(M, N, O_CLOEXEC)
 * dupfd M N               fcntl(M, F_DUPFD, N)
 * raw N                   clears close-on-exec with a system call of its own
 * vfork N                 a child of vfork clears it on N
 * fork N                  goes on in a child of fork, which has cleared it on N
 * thread N                a thread clears it on N
 * signal N                a handler clears it on N, while this thread is in the middle of doing the same
 * list                    runs the program of NUMBERS, which prints the descriptors that it has */
#undef _FILE_OFFSET_BITS /* with it, fcntl would be another name of fcntl64 */
#include "probe.h"

#include <spawn.h>
#include <sys/ioctl.h>

static int signalled;

static void check(int result, const char *what) {
    if (result < 0)
        die(what);
}

static void open_as(const char *number, const char *path, int flags) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd, path);
    check((int)syscall(SYS_dup3, fd, atoi(number), flags), "dup3");
    close(fd);
}

static void clear(int fd) {
    check(fcntl(fd, F_SETFD, 0), "F_SETFD");
}

static void *clear_in_thread(void *number) {
    clear(atoi(number));
    return NULL;
}

static void clear_in_handler(int number) {
    (void)number;
    int saved = errno;
    clear(signalled);
    errno = saved;
}

/* Signals arrive all the time while this thread marks and forgets. */
static void clear_under_signals(int fd) {
    struct sigaction action = {.sa_handler = clear_in_handler};
    struct itimerspec often = {.it_interval = {.tv_nsec = 50000}, .it_value = {.tv_nsec = 50000}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    signalled = fd;
    sigaction(SIGUSR1, &action, NULL);
    check(timer_create(CLOCK_MONOTONIC, &event, &timer), "timer_create");
    check(timer_settime(timer, 0, &often, NULL), "timer_settime");
    for (int i = 0; i < 20000; i++) {
        check(fcntl(fd + 1, F_SETFD, FD_CLOEXEC), "F_SETFD");
        check(fcntl(fd + 1, F_SETFD, 0), "F_SETFD");
    }
    timer_delete(timer);
}

static void run_thread(char *number) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, clear_in_thread, number) != 0 || pthread_join(thread, NULL) != 0)
        die("thread");
}

static void run_vfork(int fd) {
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        fcntl(fd, F_SETFD, 0);
        dup2(fd, fd + 1);
        _exit(0);
    }
    wait_for(pid, &status);
}

static void go_on_in_child(int fd) {
    int status = 99 << 8;
    pid_t pid = fork();
    check(pid, "fork");
    if (pid > 0) {
        wait_for(pid, &status);
        exit(WEXITSTATUS(status));
    }
    clear(fd);
}

static void list(void) {
    char *argv[] = {(char *)"numbers", NULL};
    int status;
    pid_t pid;
    fflush(stdout);
    errno = posix_spawn(&pid, getenv("NUMBERS"), NULL, NULL, argv, environ);
    if (errno != 0 || wait_for(pid, &status) != pid || status != 0)
        die("posix_spawn");
}

static bool take_mark(char ***words) {
    char **w = *words;
    int fd = w[1] != NULL ? atoi(w[1]) : -1;
    if (is(w[0], "setfd"))
        check(fcntl(fd, F_SETFD, atoi(w[2])), "F_SETFD"), *words += 3;
    else if (is(w[0], "setfd64"))
        check(fcntl64(fd, F_SETFD, atoi(w[2])), "F_SETFD"), *words += 3;
    else if (is(w[0], "setfd-long"))
        check(fcntl(fd, F_SETFD, 0L), "F_SETFD"), *words += 2;
    else if (is(w[0], "nclex"))
        check(ioctl(fd, FIONCLEX), "FIONCLEX"), *words += 2;
    else if (is(w[0], "clex"))
        check(ioctl(fd, FIOCLEX), "FIOCLEX"), *words += 2;
    else if (is(w[0], "dup2"))
        check(dup2(fd, atoi(w[2])), "dup2"), *words += 3;
    else if (is(w[0], "dup3"))
        check(dup3(fd, atoi(w[2]), 0), "dup3"), *words += 3;
    else if (is(w[0], "dup3e"))
        check(dup3(fd, atoi(w[2]), O_CLOEXEC), "dup3"), *words += 3;
    else if (is(w[0], "dupfd"))
        check(fcntl(fd, F_DUPFD, atoi(w[2])), "F_DUPFD"), *words += 3;
    else
        return false;
    return true;
}

static bool take_place(char ***words) {
    char **w = *words;
    int fd = w[1] != NULL ? atoi(w[1]) : -1;
    if (is(w[0], "vfork"))
        run_vfork(fd), *words += 2;
    else if (is(w[0], "fork"))
        go_on_in_child(fd), *words += 2;
    else if (is(w[0], "thread"))
        run_thread(w[1]), *words += 2;
    else if (is(w[0], "signal"))
        clear_under_signals(fd), *words += 2;
    else if (is(w[0], "list"))
        list(), *words += 1;
    else
        return false;
    return true;
}

int main(int argc, char **argv) {
    char **words = argv + 1;
    while (*words != NULL) {
        if (take_mark(&words) || take_place(&words))
            continue;
        if (is(words[0], "open"))
            open_as(words[1], words[2], O_CLOEXEC), words += 3;
        else if (is(words[0], "leak"))
            open_as(words[1], words[2], 0), words += 3;
        else if (is(words[0], "close"))
            close(atoi(words[1])), words += 2;
        else if (is(words[0], "raw"))
            check((int)syscall(SYS_fcntl, atoi(words[1]), F_SETFD, 0), "fcntl"), words += 2;
        else
            die(words[0]);
    }
    return argc < 1;
}
