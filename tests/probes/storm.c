/* A signal with a handler storms the process group while children are started, every other one of a program that does
 * not exist. Prints how many spawns did what they should, and how often the handler ran in a process that is not this
 * one.
 *
 *     storm SIGNAL COUNT */
#include "probe.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static pid_t self;
static volatile int *wrong, *stop;

static void handler(int number) {
    (void)number;
    /* Not getpid(): the answer has to be the kernel's. */
    if (syscall(SYS_getpid) != self)
        __atomic_fetch_add(wrong, 1, __ATOMIC_SEQ_CST);
}

/* Sends until told to stop, and no longer than its parent lives. */
static void send_until_stopped(int number) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(number, SIG_IGN);
    struct timespec pause = {.tv_nsec = 20000};
    for (long sent = 0; !*stop && sent < 3000000; sent++) {
        kill(0, number);
        if (sent % 4 == 0)
            nanosleep(&pause, NULL);
    }
    _exit(0);
}

/* The signal may also end a child before its exec: then posix_spawn cannot know better than that all was well. */
static bool spawn_one(const char *path, int expected) {
    pid_t pid;
    int status = 0, error = posix_spawn(&pid, path, NULL, NULL, (char *[]){(char *)path, NULL}, environ);
    if (error == 0)
        wait_for(pid, &status);
    return error == expected || (error == 0 && WIFSIGNALED(status));
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 99;
    int number = signal_number(argv[1]), good = 0, count = atoi(argv[2]);
    start_reporting();
    volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap");
    wrong = shared, stop = shared + 1;
    setpgid(0, 0);
    self = getpid();
    set_disposition(number, handler);
    pid_t sender = fork();
    if (sender == 0)
        send_until_stopped(number);
    for (int i = 0; i < count; i++)
        good += i % 2 == 0 ? spawn_one("/bin/true", 0) : spawn_one("/nonexistent", ENOENT);
    *stop = 1;
    int status;
    wait_for(sender, &status);
    fprintf(say, "spawns that did what they should: %d\n", good);
    fprintf(say, "handlers that ran in a child: %d\n", *wrong);
    return 0;
}
