/* Everything at once: threads spawn, popen and call system, while others open and close descriptors, fork by hand,
 * change dispositions, cancel each other, and signals with handlers arrive at 10 kHz. Every child (glance.c) looks
 * whether it holds a descriptor too many, another mask or an ignored signal, and every exit status is accounted for.
 *
 *     hurricane SPAWNS SECONDS OPEN [FAULT]
 *
 * Starts SPAWNS children, or as many as SECONDS allow, and prints what was counted. In the first quarter who starts a
 * child waits for it; afterwards a handler of SIGCHLD waits for any child, too. OPEN descriptors are there from the
 * start: with many of them, those that a child needs are brought over one by one. FAULT is what the storm itself does
 * wrong now and then (see do_harm). Ends with 1 when anything is wrong, and with 3 when nothing moves any more. */
#define PROBE_HIGHEST 400
#include "hurricane_trouble.h"

#include <spawn.h>

enum { PATIENCE = 120 };

static char child[4096]; /* its path */
static char ignored[24]; /* the signals that it may find ignored */
static _Atomic long by_shell, cut_short, failures, wrong_results;

/* ---- Those who start children. */

static void complain(const char *call, int code) {
    fprintf(say, "%s: %s\n", call, error_name(code));
    wrong_results++;
}

static uint64_t mask_of(int code) {
    return is_exposed(code) ? 0 : (uint64_t)1 << (SIGUSR1 - 1);
}

/* Every other one with a file action, so that sealing is not all that is done to its descriptors. */
static bool spawn_status(int code, bool with_action, pid_t *pid) {
    char status[16], mask[24];
    snprintf(status, sizeof status, "%d", code);
    snprintf(mask, sizeof mask, "%" PRIx64, mask_of(code));
    char *arguments[] = {child, status, mask, ignored, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    int error = posix_spawn(pid, child, with_action ? &actions : NULL, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0)
        books.started[code]++;
    else
        complain("posix_spawn", error);
    return error == 0;
}

/* A signal may end a child that is not sheltered when its mask is lifted, before it can fail: then all was well as far
 * as anybody knows. */
static void spawn_missing(bool sheltered) {
    pid_t pid;
    char *arguments[] = {(char *)"nothing", NULL};
    failures++;
    if (!sheltered)
        books.missing++;
    int error = posix_spawn(&pid, "/nonexistent/nothing", NULL, NULL, arguments, environ);
    if (error == 0 && !sheltered) {
        books.started[MISSING_STATUS]++;
        collect(MISSING_STATUS, pid);
    } else if (error != ENOENT) {
        complain("posix_spawn of a program that is missing", error);
    }
}

static void shell_line(char *line, size_t size, int code) {
    snprintf(line, size, "exec '%s' %d %" PRIx64 " %s", child, code, mask_of(code), ignored);
}

#ifdef __GLIBC__
/* fclose reaps, too. Through a pointer, because compilers know that it should not have to. */
static int (*volatile finish)(FILE *) = fclose;
#else
static int (*volatile finish)(FILE *) = pclose;
#endif

static void run_popen(int code, bool reads) {
    char line[4200];
    shell_line(line, sizeof line, code);
    FILE *stream = popen(line, reads ? "r" : "we");
    if (stream == NULL) {
        complain("popen", errno);
        return;
    }
    books.started[code]++;
    int status = code % 3 ? pclose(stream) : finish(stream);
    if (status != -1) /* otherwise the handler has it */
        account_for(code, status);
}

static void run_system(int code) {
    char line[4200];
    shell_line(line, sizeof line, code);
    books.started[code]++;
    int status = system(line);
    if (status != -1)
        account_for(code, status);
}

static void block_user_signal(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* One child. A shell takes several times as long as the child alone. */
static void start_one(int number, unsigned round) {
    pid_t pid;
    if (round % 32 == 0)
        run_popen(POPEN_STATUS + number, round % 64 == 0);
    else if (round % 32 == 16)
        run_system(SYSTEM_STATUS + number);
    else if (spawn_status(SPAWN_STATUS + number, round % 2, &pid))
        collect(SPAWN_STATUS + number, pid);
    by_shell += round % 16 == 0;
}

static void *work(void *argument) {
    int number = (int)(intptr_t)argument;
    if (number < SHELTERED)
        block_user_signal();
    for (unsigned round = (unsigned)number; goes_on(); round++) {
        start_one(number, round);
        done++;
        progress++;
        if (round % 8 == 3)
            spawn_missing(number < SHELTERED);
    }
    running--;
    return NULL;
}

/* ---- Threads that are cancelled. */

static void note_cancelled_call(void *unused) {
    (void)unused;
    cut_short++;
}

/* system kills and reaps its shell when it is cancelled. */
static void run_system_to_be_cancelled(void) {
    char line[4200];
    int status;
    shell_line(line, sizeof line, CANCELLED_STATUS);
    books.started[CANCELLED_STATUS]++;
    pthread_cleanup_push(note_cancelled_call, NULL);
    status = system(line);
    pthread_cleanup_pop(0);
    if (status != -1)
        account_for(CANCELLED_STATUS, status);
}

static void *victim(void *unused) {
    static _Atomic unsigned rounds;
    pid_t pid;
    while (!stop) {
        unsigned round = rounds++;
        if (round % 4 == 3)
            run_system_to_be_cancelled();
        else if (spawn_status(VICTIM_STATUS, round % 2, &pid))
            collect(VICTIM_STATUS, pid);
        pthread_testcancel();
    }
    return unused;
}

static void *cancel_victims(void *unused) {
    block_user_signal();
    while (goes_on()) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, victim, NULL) != 0)
            continue;
        usleep(3000);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    running--;
    return unused;
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

/* Watches the threads from the side until the last one has ended; whoever hangs is not waited for. */
static void watch(time_t seconds) {
    time_t end = time(NULL) + seconds, moved = time(NULL);
    int left = running;
    for (long last = -1; running > 0;) {
        if (progress != last || running != left)
            moved = time(NULL);
        last = progress;
        left = running;
        if (time(NULL) - moved > PATIENCE) {
            fprintf(say, "nothing moves any more after %ld spawns\n", (long)done);
            *stop_sending = 1;
            _exit(3);
        }
        if (time(NULL) >= end)
            stop = 1;
        usleep(50000);
    }
}

/* How many children are left, although whoever started one has waited for it. */
static long count_zombies(void) {
    long zombies = 0;
    int status;
    while (wait_uncancelled(-1, &status, 0) > 0)
        zombies++;
    return zombies;
}

/* Answers how many zombies there were. */
static long blow(long spawns, time_t seconds, bool reap_by_handler, const char *fault) {
    void *(*const trouble[])(void *) = {open_and_close, open_and_close, fork_by_hand, change_dispositions,
                                        cancel_victims};
    enum { TROUBLES = sizeof trouble / sizeof trouble[0] };
    pthread_t threads[WORKERS + TROUBLES];
    goal = spawns;
    done = 0;
    stop = 0;
    *stop_sending = 0;
    running = WORKERS + TROUBLES;
    handle(SIGCHLD, reap_by_handler ? reap_all : SIG_DFL);
    pid_t sender = fork();
    if (sender == 0)
        send_signals();
    books.started[SENDER_STATUS]++;
    set_timer(1000000 / SIGNALS_A_SECOND);
    for (intptr_t i = 0; i < WORKERS + TROUBLES; i++)
        if (pthread_create(&threads[i], NULL, i < WORKERS ? work : trouble[i - WORKERS], (void *)i) != 0)
            die("pthread_create");
    do_harm(fault);
    watch(seconds);
    for (int i = 0; i < WORKERS + TROUBLES; i++)
        pthread_join(threads[i], NULL);
    set_timer(0);
    *stop_sending = 1;
    collect(SENDER_STATUS, sender);
    long zombies = count_zombies();
    close_books(reap_by_handler);
    return zombies;
}

static bool report(const char *what, long count) {
    fprintf(say, "%s: %ld\n", what, count);
    return count != 0;
}

/* What is ignored from the start, what change_dispositions ignores, and what system does in the whole process. */
static void note_ignored_signals(void) {
    uint64_t set = 0;
    const int by_storm[] = {SIGPIPE, SIGURG, SIGWINCH, SIGINT, SIGQUIT};
    for (int number = 1; number <= SIGNALS; number++) {
        struct kernel_action action = {0};
        syscall(SYS_rt_sigaction, number, NULL, &action, sizeof set);
        if (action.handler == (unsigned long)SIG_IGN)
            set |= (uint64_t)1 << (number - 1);
    }
    for (size_t i = 0; i < sizeof by_storm / sizeof *by_storm; i++)
        set |= (uint64_t)1 << (by_storm[i] - 1);
    snprintf(ignored, sizeof ignored, "%" PRIx64, set);
}

static void prepare(void) {
    if (realpath("/proc/self/exe", child) == NULL)
        die("/proc/self/exe");
    strcpy(strrchr(child, '/') + 1, "glance");
    start_reporting();
    volatile int *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        die("mmap");
    in_child = page, stop_sending = page + 1;
    setpgid(0, 0);
    self = getpid();
    note_ignored_signals();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const int handled_signals[] = {SIGALRM, SIGUSR1, SIGUSR2, SIGRTMIN + 1, SIGURG};
    for (size_t i = 0; i < sizeof handled_signals / sizeof *handled_signals; i++)
        handle(handled_signals[i], count);
}

int main(int argc, char **argv) {
    if (argc < 4)
        return 99;
    prepare();
    have_many(atoi(argv[3]));
    const char *fault = argv[4];
    long spawns = atol(argv[1]), seconds = atol(argv[2]);
    time_t begin = time(NULL);
    long zombies = blow(spawns / 4, seconds / 4 + 1, false, fault), first = done;
    struct use before = measure(); /* what is mapped and read once is there now */
    zombies += blow(spawns - first, seconds - (time(NULL) - begin), true, fault);
    struct use after = measure();
    long growth = (after.resident - before.resident) * sysconf(_SC_PAGESIZE) / 1024;
    fprintf(say, "children: %ld in %ld s, by a shell: %ld\n", first + done, (long)(time(NULL) - begin), (long)by_shell);
    fprintf(say, "calls that had to fail: %ld, children forked by hand: %ld\n", (long)failures, (long)forked);
    fprintf(say, "threads cancelled: %ld, in system: %ld\n", (long)cancelled, (long)cut_short);
    fprintf(say, "signals handled: %ld\n", (long)signals);
    bool bad = report("children that hold too much", leaks);
    bad |= report("exit statuses lost", lost);
    bad |= report("exit statuses doubled", doubled);
    bad |= report("exit statuses of another child", exchanged);
    bad |= report("children that ended in another way", strange);
    bad |= report("handlers that ran in a child", *in_child);
    bad |= report("calls that answered wrongly", wrong_results);
    bad |= report("zombies", zombies);
    bad |= report("descriptors that stayed", after.descriptors - before.descriptors);
    bad |= report("MiB of memory that stayed, of more than two", growth > 2048 ? growth / 1024 : 0);
    return bad;
}
