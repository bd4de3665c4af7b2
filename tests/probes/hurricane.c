/* Everything at once: threads spawn, popen and call system, while others open and close descriptors, fork by hand,
 * change dispositions, cancel each other, and signals with handlers arrive at 10 kHz. Every child looks whether it
 * holds a descriptor too many, and every exit status is accounted for.
 *
 *     hurricane SPAWNS SECONDS
 *
 * Starts SPAWNS children, or as many as SECONDS allow, and prints what was counted. Ends with 1 when anything is wrong,
 * and with 3 when nothing moves for a minute. */
#define PROBE_HIGHEST 400
#include "probe.h"

#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>

enum {
    WORKERS = 8,
    FIRST_STATUS = 10, /* of the children of worker 0 */
    SHELL_STATUS = 30, /* of those of popen */
    SYSTEM_STATUS = 40,
    VICTIM_STATUS = 50, /* children of threads that are cancelled */
    KILLED_STATUS = 55, /* shells of threads that are cancelled: system kills and reaps them itself */
    FORK_STATUS = 60,
    LEAK_STATUS = 99, /* the witness says so */
    NO_PROGRAM = 127,
    STATUSES = 256,
    PATIENCE = 60,
    PIDS = 1 << 22,
};

static pid_t self;
static char witness[4096];
static _Atomic long goal, done, progress, failures_wanted, failures_seen, wrong_results;
static _Atomic long started[STATUSES], ended[STATUSES], killed, unaccounted, signals;
static _Atomic int stop;
static _Atomic int statuses[PIDS]; /* by process id: what the handler reaped for somebody else, plus one */
static volatile int *in_child, *stop_sending;

static void account(int status) {
    if (WIFEXITED(status))
        ended[WEXITSTATUS(status)]++;
    else if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGUSR1 || WTERMSIG(status) == SIGKILL))
        killed++;
    else
        unaccounted++;
}

/* ---- Handlers. */

static void check_process(void) {
    if (syscall(SYS_getpid) != self)
        __atomic_fetch_add(in_child, 1, __ATOMIC_SEQ_CST);
}

static void count(int number) {
    (void)number;
    check_process();
    signals++;
}

static void reap_all(int number) {
    int saved = errno, status;
    pid_t pid;
    (void)number;
    check_process();
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        account(status);
        if (pid < PIDS)
            atomic_store(&statuses[pid], status + 1);
    }
    errno = saved;
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

/* ---- Those who start children. */

/* The status is seen here or in the handler, and nowhere twice. */
static void collect(pid_t pid) {
    int status;
    if (wait_for(pid, &status) == pid) {
        account(status);
        return;
    }
    while (pid < PIDS && atomic_exchange(&statuses[pid], 0) == 0 && !stop)
        usleep(50);
}

static bool spawn_status(int code, pid_t *pid) {
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    char *arguments[] = {witness, text, (char *)"0-2", NULL};
    int error = posix_spawn(pid, witness, NULL, NULL, arguments, environ);
    if (error == 0)
        started[code]++;
    else
        fprintf(say, "a spawn: %s\n", error_name(error));
    wrong_results += error != 0;
    return error == 0;
}

/* A signal may also end the child when its mask is lifted, before it can fail: then all was well as far as anybody
 * knows. */
static void spawn_missing(void) {
    pid_t pid;
    char *arguments[] = {(char *)"nothing", NULL};
    failures_wanted++;
    int error = posix_spawn(&pid, "/nonexistent/nothing", NULL, NULL, arguments, environ);
    if (error == 0)
        collect(pid);
    if (error == ENOENT || error == 0)
        failures_seen++;
    else
        fprintf(say, "a spawn that has to fail: %s\n", error_name(error));
}

static void shell_line(char *line, size_t size, int code) {
    snprintf(line, size, "exec '%s' %d 0-2", witness, code);
}

/* fclose reaps, too. Through a pointer, because compilers know that it should not have to. */
static int (*volatile finish)(FILE *) = fclose;

static void run_popen(int code) {
    char line[4200];
    shell_line(line, sizeof line, code);
    FILE *stream = popen(line, code % 2 ? "r" : "we");
    if (stream == NULL) {
        fprintf(say, "a popen: %s\n", error_name(errno));
        wrong_results++;
        return;
    }
    started[code]++;
    int status = code % 3 ? pclose(stream) : finish(stream);
    if (status != -1) /* otherwise the handler has it */
        account(status);
}

static void run_system(int code) {
    char line[4200];
    shell_line(line, sizeof line, code);
    started[code]++;
    int status = system(line);
    if (status != -1)
        account(status);
}

static void *work(void *argument) {
    int number = (int)(intptr_t)argument;
    pid_t pid;
    for (unsigned round = (unsigned)number; !stop && done < goal; round++) {
        if (round % 32 == 0)
            run_popen(SHELL_STATUS + number);
        else if (round % 32 == 16)
            run_system(SYSTEM_STATUS + number);
        else if (round % 8 == 3)
            spawn_missing();
        else if (spawn_status(FIRST_STATUS + number, &pid))
            collect(pid);
        done++;
        progress++;
    }
    return NULL;
}

/* ---- Those who make trouble. */

static void *victim(void *unused) {
    pid_t pid;
    char line[4200];
    shell_line(line, sizeof line, KILLED_STATUS);
    for (int i = 0; !stop; i++) {
        int status = 0;
        if (i % 4 == 3)
            status = system(line);
        else if (spawn_status(VICTIM_STATUS, &pid) && wait_for(pid, &status) != pid)
            status = -1;
        if (status != -1)
            account(status);
        pthread_testcancel();
    }
    return unused;
}

static void *cancel_victims(void *unused) {
    while (!stop && done < goal) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, victim, NULL) != 0)
            continue;
        usleep(3000);
        pthread_cancel(thread);
        pthread_join(thread, &result);
    }
    return unused;
}

/* No dup2 and no fcntl: those would be signs that the program means to pass a descriptor on. */
static void *open_and_close(void *unused) {
    while (!stop && done < goal) {
        int ends[2] = {-1, -1}, file = open("/dev/null", O_RDONLY), copy = dup(file);
        if (pipe(ends) != 0)
            ends[0] = ends[1] = -1;
        usleep(100);
        close(file);
        close(copy);
        close(ends[0]);
        close(ends[1]);
    }
    return unused;
}

/* With all signals blocked: a handler in this child would be right, and counted as wrong. */
static void *fork_by_hand(void *unused) {
    uint64_t all = ~(uint64_t)0, old;
    while (!stop && done < goal) {
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
        pid_t pid = fork();
        if (pid == 0)
            _exit(FORK_STATUS);
        if (pid > 0)
            started[FORK_STATUS]++;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof old);
        if (pid > 0)
            collect(pid);
        usleep(2000);
    }
    return unused;
}

static void *change_dispositions(void *unused) {
    void (*const handlers[])(int) = {SIG_IGN, count, SIG_DFL, count};
    for (unsigned i = 0; !stop && done < goal; i++) {
        handle(SIGPIPE, handlers[i % 2]);
        handle(SIGURG, handlers[i % 4]);
        handle(SIGWINCH, handlers[(i + 1) % 4]);
        usleep(200);
    }
    return unused;
}

/* To the whole group now and then, which ends children whose mask is lifted already; to this process all the time. */
static void send_signals(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    for (long i = 0; !*stop_sending; i++) {
        kill(getppid(), i % 2 ? SIGUSR2 : SIGRTMIN + 1);
        if (i % 50 == 0)
            kill(0, SIGUSR1);
        usleep(150);
    }
    _exit(FORK_STATUS + 1);
}

/* ---- The whole. */

struct use {
    long resident; /* pages */
    int descriptors;
};

static struct use measure(void) {
    struct use use = {0, 0};
    long size;
    FILE *in = fopen("/proc/self/statm", "re");
    if (in == NULL || fscanf(in, "%ld %ld", &size, &use.resident) != 2)
        die("/proc/self/statm");
    fclose(in);
    for (int fd = 0; fd < HIGHEST; fd++)
        use.descriptors += fcntl(fd, F_GETFD) >= 0;
    return use;
}

static void set_timer(long microseconds) {
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Reaps what is left when nobody starts anything any more. */
static void reap_rest(void) {
    int status;
    while (wait_for(-1, &status) > 0)
        account(status);
}

/* Watches the threads from the side; whoever hangs is not waited for. */
static void watch(time_t seconds) {
    time_t end = time(NULL) + seconds, moved = time(NULL);
    for (long last = -1; !stop && done < goal;) {
        if (progress != last)
            moved = time(NULL);
        last = progress;
        if (time(NULL) - moved > PATIENCE) {
            fprintf(say, "nothing moves any more after %ld spawns\n", (long)done);
            *stop_sending = 1;
            _exit(3);
        }
        if (time(NULL) >= end)
            stop = 1;
        usleep(100000);
    }
}

static void blow(long spawns, time_t seconds) {
    void *(*const trouble[])(void *) = {open_and_close, open_and_close, fork_by_hand, change_dispositions,
                                        cancel_victims};
    enum { TROUBLES = sizeof trouble / sizeof trouble[0] };
    pthread_t threads[WORKERS + TROUBLES];
    goal = spawns;
    done = 0;
    stop = 0;
    *stop_sending = 0;
    pid_t sender = fork();
    if (sender == 0)
        send_signals();
    started[FORK_STATUS + 1]++;
    set_timer(200);
    for (intptr_t i = 0; i < WORKERS + TROUBLES; i++)
        if (pthread_create(&threads[i], NULL, i < WORKERS ? work : trouble[i - WORKERS], (void *)i) != 0)
            die("pthread_create");
    watch(seconds);
    for (int i = 0; i < WORKERS + TROUBLES; i++)
        pthread_join(threads[i], NULL);
    set_timer(0);
    *stop_sending = 1;
    reap_rest();
}

static int report_statuses(void) {
    long missing = 0, wrong = 0;
    for (int code = 0; code < LEAK_STATUS; code++) {
        if (code == KILLED_STATUS)
            continue;
        missing += started[code] - ended[code];
        if (ended[code] > started[code])
            wrong += ended[code] - started[code];
    }
    /* A failed spawn's child may be reaped by a thread that waits for any. */
    if (ended[NO_PROGRAM] > failures_wanted || missing < 0 || missing > killed)
        wrong++;
    fprintf(say, "exit statuses lost or doubled: %ld (killed by the storm: %ld)\n", wrong + unaccounted, (long)killed);
    return wrong + unaccounted != 0;
}

int main(int argc, char **argv) {
    int bad = 0;
    if (argc < 3 || realpath("/proc/self/exe", witness) == NULL)
        return 99;
    strcpy(strrchr(witness, '/') + 1, "witness");
    start_reporting();
    volatile int *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    in_child = page, stop_sending = page + 1;
    setpgid(0, 0);
    self = getpid();
    handle(SIGALRM, count), handle(SIGUSR1, count), handle(SIGUSR2, count), handle(SIGRTMIN + 1, count);
    handle(SIGCHLD, reap_all);
    long spawns = atol(argv[1]);
    time_t begin = time(NULL);
    blow(spawns / 10, atol(argv[2]) / 5 + 1); /* what is mapped and read once is there now */
    long first = done;
    struct use before = measure();
    blow(spawns - first, atol(argv[2]) - (time(NULL) - begin));
    struct use after = measure();
    fprintf(say, "spawns: %ld in %ld s, signals: %ld\n", first + done, (long)(time(NULL) - begin), (long)signals);
    fprintf(say, "children with a descriptor too many: %ld\n", (long)ended[LEAK_STATUS]);
    bad |= ended[LEAK_STATUS] != 0 || report_statuses();
    fprintf(say, "handlers that ran in a child: %d\n", *in_child);
    fprintf(say, "calls that answered wrongly: %ld\n", wrong_results + failures_wanted - failures_seen);
    fprintf(say, "descriptors that stayed: %d\n", after.descriptors - before.descriptors);
    long growth = (after.resident - before.resident) * sysconf(_SC_PAGESIZE) / 1024;
    fprintf(say, "memory grew by more than 2 MiB: %s\n", growth > 2048 ? "yes" : "no");
    report_children();
    bad |= *in_child != 0 || wrong_results + failures_wanted != failures_seen || growth > 2048;
    return bad || after.descriptors != before.descriptors;
}
