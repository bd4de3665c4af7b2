/* A child as a value: streams, waiting, ending, collecting. Most cases are what Rust's own tests of its process module
 * make sure of. */
#include "library.h"

#include <poll.h>
#include <sys/prctl.h>

static const struct airlock_stream piped[3] = {
    {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_PIPE, 0}};
static const struct airlock_stream piped_in[3] = {
    {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_INHERIT, 0}, {AIRLOCK_STREAM_INHERIT, 0}};
static const struct airlock_stream piped_in_and_out[3] = {
    {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_INHERIT, 0}};

static struct airlock_process start(const struct airlock_stream streams[3], const char *script) {
    struct airlock_command command = {SHELL(script)};
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    struct airlock_error error;
    if (airlock_process_start(&command, streams, &process, &error, NULL) != 0)
        printf("%s\n", text_of(&error, &command));
    return process;
}

static void wait_and_tell(struct airlock_process *process) {
    int status = 0, code = airlock_process_wait(process, &status);
    printf("%s\n", code == 0 ? words(status) : error_name(code));
}

static const char *try_wait(struct airlock_process *process) {
    int status = 0, code = airlock_process_try_wait(process, &status);
    return code == 0 ? words(status) : error_name(code);
}

/* Without reaping: the child has ended when its pidfd can be read. */
static void await_end(const struct airlock_process *process) {
    poll(&(struct pollfd){.fd = process->pidfd, .events = POLLIN}, 1, -1);
}

/* ---- Starting and waiting. */

static void status(void) {
    static const char *const scripts[] = {"true", "false", "exit 255", "kill -TERM $$", "kill -KILL $$"};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        int code;
        struct airlock_command command = {SHELL(scripts[i])};
        airlock_run(&command, &code, NULL);
        printf("%s\n", words(code));
    }
}

static void failure(void) {
    struct airlock_command command = {.argv = (char *[]){"if-this-is-a-binary-then-the-world-has-ended", NULL},
                                      .search = AIRLOCK_SEARCH_CHILD_PATH};
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    struct airlock_output output;
    struct airlock_error error;
    int code = airlock_process_start(&command, piped, &process, &error, NULL);
    printf("start: %s, pid %d\n", error_name(code), process.pid);
    code = airlock_collect(&command, 0, &output, &error);
    printf("collect: %s at %s, %s\n", error_name(code), airlock_step_name(error.step),
           output.out == NULL ? "no output" : "output");
    printf("run: %s\n", error_name(airlock_run(&command, NULL, NULL)));
}

static void twice(void) {
    struct airlock_process process = start(NULL, "exit 3");
    wait_and_tell(&process);
    wait_and_tell(&process);
    printf("try_wait: %s\n", try_wait(&process));
    printf("kill: %s\n", error_name(airlock_process_kill(&process, SIGKILL)));
    airlock_process_close(&process);
    printf("closed: %d %d\n", process.pid, process.pidfd);
}

static void trying(void) {
    struct airlock_process process = start(piped_in, "read line");
    printf("while it runs: %s\n", try_wait(&process));
    airlock_process_kill(&process, SIGKILL);
    await_end(&process);
    printf("after: %s\n", try_wait(&process));
    printf("again: %s\n", try_wait(&process));
    airlock_process_close(&process);
}

/* wait closes the pipe, so a child that reads to its end is not waited for in vain. */
static void closes_input(void) {
    struct airlock_process process = start(piped_in, "cat; exit 5");
    wait_and_tell(&process);
    airlock_process_close(&process);
}

static void signals(void) {
    struct airlock_process process = start(piped_in, "read line");
    printf("kill: %s\n", error_name(airlock_process_kill(&process, SIGTERM)));
    await_end(&process);
    printf("a zombie: %s\n", error_name(airlock_process_kill(&process, SIGTERM)));
    printf("no such signal: %s\n", error_name(airlock_process_kill(&process, 99)));
    wait_and_tell(&process);
    printf("reaped: %s\n", error_name(airlock_process_kill(&process, SIGKILL)));
    airlock_process_close(&process);
}

/* The number of an ended child is given to another process; the handle must not reach it. */
static void recycled(void) {
    struct airlock_process process = start(NULL, "exit 0"), other;
    int status;
    wait_for(process.pid, &status); /* behind the handle's back */
    other = start(piped_in, "read line");
    process.pid = other.pid; /* as if the number had come round */
    printf("kill: %s\n", error_name(airlock_process_kill(&process, SIGTERM)));
    printf("wait: %s\n", try_wait(&process));
    printf("the other: %s\n", try_wait(&other));
    airlock_process_kill(&other, SIGKILL);
    wait_and_tell(&other);
    airlock_process_close(&process);
    airlock_process_close(&other);
}

static void ignored(void) {
    save_dispositions();
    signal(SIGCHLD, SIG_IGN);
    struct airlock_process process = start(NULL, "exit 3");
    wait_and_tell(&process);
    wait_and_tell(&process);
    printf("kill: %s\n", error_name(airlock_process_kill(&process, SIGKILL)));
    airlock_process_close(&process);
    struct airlock_command failing = {.path = "/nowhere", .argv = (char *[]){"x", NULL}};
    spawn_and_tell(&failing);
    restore_dispositions();
    errno = 4711;
}

/* ---- Streams. */

static void streams(void) {
    struct airlock_process process = start(piped_in_and_out, "read line; echo $line");
    char text[64] = "";
    if (write(process.in, "foobar\n", 7) != 7)
        die("write");
    ssize_t length = read(process.out, text, sizeof text - 1);
    printf("%zd bytes: %s", length, text);
    wait_and_tell(&process);
    airlock_process_close(&process);
}

static void kinds(void) {
    int given = open(case_words[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const struct airlock_stream mixed[3] = {
        {AIRLOCK_STREAM_NULL, 0}, {AIRLOCK_STREAM_GIVEN, given}, {AIRLOCK_STREAM_NULL, 0}};
    struct airlock_process process = start(mixed, "(exec readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); cat; "
                                                  "cd /proc/$$/fd; echo *");
    wait_and_tell(&process);
    printf("given is still %s, no pipes: %d %d %d\n", fcntl(given, F_GETFD) >= 0 ? "open" : "closed", process.in,
           process.out, process.err);
    airlock_process_close(&process);
    close(given);
}

/* Two children at the same time: the second must not hold the first one's pipe, and close-on-exec is set on ours. */
static void pipes_are_private(void) {
    struct airlock_process first = start(piped_in, "cat"), second = start(piped_in, "cat");
    printf("%s\n", fcntl(first.in, F_GETFD) & fcntl(first.pidfd, F_GETFD) & FD_CLOEXEC ? "close-on-exec" : "leaks");
    wait_and_tell(&first);
    wait_and_tell(&second);
    airlock_process_close(&first);
    airlock_process_close(&second);
}

/* This process has closed its own standard streams: no pipe may take their place, in neither process. */
static void without_stdio(void) {
    int saved[3];
    for (int fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 20);
        close(fd);
    }
    struct airlock_output output;
    struct airlock_process process = start(piped, "cd /proc/$$/fd; echo *; cat; echo problem >&2");
    int lowest = process.in < process.out ? process.in : process.out;
    airlock_process_communicate(&process, "input\n", 6, 0, &output);
    airlock_process_close(&process);
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    printf("%s%s%s, ends are %s\n", output.out, output.err, words(output.status), lowest > 2 ? "above 2" : "low");
    airlock_output_free(&output);
}

/* ---- Collecting. */

static void collect(void) {
    collect_and_tell(&(struct airlock_command){SHELL("echo hello")});
    collect_and_tell(&(struct airlock_command){SHELL("echo problem >&2; exit 1")});
    collect_and_tell(&(struct airlock_command){SHELL("cat")});
    struct airlock_output output;
    airlock_collect(&(struct airlock_command){SHELL("printf 'a\\0b'")}, 0, &output, NULL);
    printf("%zu bytes, %zu bytes, NUL behind them: %d %d\n", output.out_length, output.err_length,
           output.out[output.out_length], output.err[output.err_length]);
    airlock_output_free(&output);
}

/* Far more than a pipe holds, on both pipes, in either order, and back what was sent. */
static void large(void) {
    enum { SIZE = 8 * 1024 * 1024 };
    struct airlock_output output;
    struct airlock_command command = {
        SHELL("head -c 5000000 /dev/zero >&2; head -c 3000000 /dev/zero; head -c 5000000 /dev/zero >&2")};
    int code = airlock_collect(&command, 0, &output, NULL);
    printf("%s: %zu and %zu bytes\n", error_name(code), output.out_length, output.err_length);
    airlock_output_free(&output);

    char *input = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        input[i] = (char)(i * 31 >> 3);
    struct airlock_process process = start(piped, "tee /dev/stderr");
    code = airlock_process_communicate(&process, input, SIZE, 0, &output);
    printf("%s: %s and %s\n", error_name(code),
           output.out_length == SIZE && memcmp(input, output.out, SIZE) == 0 ? "the same" : "different",
           output.err_length == SIZE && memcmp(input, output.err, SIZE) == 0 ? "the same" : "different");
    airlock_output_free(&output);
    airlock_process_close(&process);
    free(input);
}

static void limit(void) {
    struct airlock_output output;
    static const size_t limits[] = {1, 5, 6, 7, 100000};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        int code =
            airlock_collect(&(struct airlock_command){SHELL("echo hello; echo hello >&2")}, limits[i], &output, NULL);
        printf("%zu: %s, %zu and %zu bytes\n", limits[i], error_name(code),
               output.out_length < 7 ? output.out_length : 0, code == 0 ? output.err_length : 0);
        airlock_output_free(&output);
    }
    int code = airlock_collect(&(struct airlock_command){SHELL("exec yes")}, 1000000, &output, NULL);
    printf("endless: %s, %zu bytes, %s\n", error_name(code), output.out_length, words(output.status));
    airlock_output_free(&output);
}

/* A child that does not read: no SIGPIPE, no error, and one that was pending before stays pending. */
static void unread_input(void) {
    enum { SIZE = 1024 * 1024 };
    char *input = calloc(1, SIZE);
    struct airlock_output output;
    for (int pending = 0; pending <= 1; pending++) {
        if (pending) {
            block_signals("PIPE");
            raise(SIGPIPE);
        }
        struct airlock_process process = start(piped, "exec <&-; echo done");
        int code = airlock_process_communicate(&process, input, SIZE, 0, &output);
        printf("%s: %s%s\n", error_name(code), output.out, words(output.status));
        airlock_output_free(&output);
        airlock_process_close(&process);
        sigset_t set;
        sigpending(&set);
        printf("SIGPIPE is %spending\n", sigismember(&set, SIGPIPE) ? "" : "not ");
    }
    struct timespec none = {0, 0};
    sigset_t pipe_only;
    parse_signals("PIPE", &pipe_only);
    sigtimedwait(&pipe_only, NULL, &none);
    sigprocmask(SIG_UNBLOCK, &pipe_only, NULL);
    free(input);
}

/* ---- Words. */

static void texts(void) {
    static const int statuses[] = {0x000f, 0x008b, 0, 0xff00, 0x137f, 0xffff, 0x00ff, 34, 64, 65};
    char text[64], small[8];
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        airlock_status_text(statuses[i], text, sizeof text);
        printf("%#x: %s\n", (unsigned)statuses[i], text);
    }
    size_t length = airlock_status_text(15, small, sizeof small);
    printf("short of room: %s, %zu\n", small, length);
    printf("no room: %zu\n", airlock_status_text(15, NULL, 0));
    int right = 0;
    for (int number = 1; number < 32; number++) {
        snprintf(text, sizeof text, "SIG%s", number == 29 ? "IO" : sigabbrev_np(number));
        right += strcmp(text, airlock_signal_name(number)) == 0;
    }
    printf("%d names of 31\n", right);
    for (int code = right = 0; code < 200; code++) {
        const char *name = strerrorname_np(code);
        right += strcmp(code == 0 || name == NULL ? "E?" : name, airlock_errno_name(code)) == 0;
    }
    printf("%d errnos of 200\n", right);
}

/* ---- Safety. */

static int allocations;

/* Only glibc offers its malloc by another name, and a sanitizer brings one of its own: then nothing is counted. */
#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
void *__libc_malloc(size_t size);
void *malloc(size_t size) {
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_malloc(size);
}
#endif

static void no_allocation(void) {
    struct airlock_command command = {SHELL("exit 0"),
                                      .search = AIRLOCK_SEARCH_CHILD_PATH,
                                      .actions = (struct airlock_action[]){AIRLOCK_OPEN(5, "/dev/null", O_RDONLY, 0)},
                                      .action_count = 1,
                                      .keep = (int[]){9, 8, 7},
                                      .keep_count = 3};
    int before = allocations;
    for (int i = 0; i < 10; i++) {
        struct airlock_process process = AIRLOCK_PROCESS_NONE;
        airlock_process_start(&command, i % 2 ? piped : NULL, &process, NULL, NULL);
        airlock_process_wait(&process, NULL);
        airlock_process_close(&process);
    }
    printf("%d allocations\n", allocations - before);
}

static int spawned_in_handler;

static void spawn_in_handler(int number) {
    struct airlock_command command = {.path = "/bin/true", .argv = (char *[]){"true", NULL}, .seal = AIRLOCK_SEAL};
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    char text[64];
    int status = -1;
    (void)number;
    if (airlock_process_start(&command, NULL, &process, NULL, NULL) == 0) {
        while (airlock_process_try_wait(&process, &status) == EAGAIN)
            poll(&(struct pollfd){.fd = process.pidfd, .events = POLLIN}, 1, -1);
        airlock_process_close(&process);
    }
    airlock_status_text(status, text, sizeof text);
    spawned_in_handler += status == 0 && strcmp(text, "exited with 0") == 0;
}

/* The main program is all the time inside malloc, whose lock a careless spawn would wait for. */
static void in_handler(void) {
    save_dispositions();
    set_disposition(SIGUSR1, spawn_in_handler);
    pid_t self = getpid();
    pid_t sender = fork();
    if (sender == 0) {
        for (int i = 0; i < 50; i++) {
            kill(self, SIGUSR1);
            poll(NULL, 0, 2);
        }
        _exit(0);
    }
    int status;
    while (waitpid(sender, &status, WNOHANG) != sender)
        free(malloc(100));
    printf("%s\n", spawned_in_handler > 0 ? "children were started in a signal handler" : "none");
    restore_dispositions();
    errno = 4711;
}

enum { THREADS = 4, ROUNDS = 50 };

static void *spawn_in_thread(void *argument) {
    intptr_t right = 0;
    int number = *(int *)argument;
    char script[64];
    snprintf(script, sizeof script, "cat; exit %d", number);
    for (int i = 0; i < ROUNDS; i++) {
        struct airlock_process process = start(piped_in_and_out, script);
        struct airlock_output output;
        int code = airlock_process_communicate(&process, "through", 7, 0, &output);
        right += code == 0 && output.status == number << 8 && strcmp(output.out, "through") == 0;
        airlock_output_free(&output);
        airlock_process_close(&process);
    }
    return (void *)right;
}

static void threads(void) {
    pthread_t thread[THREADS];
    int numbers[THREADS];
    intptr_t right = 0;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i + 1;
        pthread_create(&thread[i], NULL, spawn_in_thread, &numbers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        right += (intptr_t)result;
    }
    printf("%ld of %d\n", (long)right, THREADS * ROUNDS);
}

static void *wait_in_thread(void *argument) {
    int status = -1;
    int code = airlock_process_wait(argument, &status);
    return (void *)(intptr_t)(code == 0 && status == SIGKILL);
}

/* All who wait for one child learn how it ended. */
static void many_wait(void) {
    intptr_t right = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct airlock_process process = start(NULL, "exec sleep 60");
        pthread_t thread[THREADS];
        for (int t = 0; t < THREADS; t++)
            pthread_create(&thread[t], NULL, wait_in_thread, &process);
        airlock_process_kill(&process, SIGKILL);
        for (int t = 0; t < THREADS; t++) {
            void *result;
            pthread_join(thread[t], &result);
            right += (intptr_t)result;
        }
        airlock_process_close(&process);
    }
    printf("%ld of %d\n", (long)right, THREADS * ROUNDS);
}

/* ---- The pidfd. */

static void pidfd(void) {
    struct airlock_command command = {SHELL("exit 7"), .flags = AIRLOCK_WANT_PIDFD};
    struct airlock_child child;
    struct airlock_error error;
    struct airlock_timing timing;
    int status;
    save_dispositions();
    for (int ignored = 0; ignored <= 1; ignored++) {
        if (ignored)
            signal(SIGCHLD, SIG_IGN);
        int code = airlock_spawn(&command, &child, &error, &timing);
        if (code != 0) {
            printf("%s\n", text_of(&error, &command));
            continue;
        }
        poll(&(struct pollfd){.fd = child.pidfd, .events = POLLIN}, 1, -1);
        bool close_on_exec = fcntl(child.pidfd, F_GETFD) & FD_CLOEXEC;
        printf("%s%s, %s", airlock_primitive_name(timing.primitive), ignored ? ", SIGCHLD ignored" : "",
               close_on_exec ? "close-on-exec" : "leaks");
        printf(", %s\n", wait_for(child.pid, &status) == child.pid ? words(status) : "reaped by the kernel");
        close(child.pidfd);
    }
    restore_dispositions();
    command.path = "/nowhere";
    spawn_and_tell(&command);
    errno = 4711;
}

static void no_pidfd_left(void) {
    struct airlock_command command = {SHELL("exit 7"), .flags = AIRLOCK_WANT_PIDFD};
    struct airlock_child child;
    struct airlock_error error;
    struct rlimit limit;
    airlock_run(&(struct airlock_command){SHELL("exit 0")}, NULL, NULL);
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &limit);
    int code = airlock_spawn(&command, &child, &error, NULL);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
    printf("%s, %s\n", error_name(code), text_of(&error, &command));
}

static void *nothing(void *argument) {
    return argument;
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {{"status", status},
                                             {"failure", failure},
                                             {"twice", twice},
                                             {"trying", trying},
                                             {"closes-input", closes_input},
                                             {"signals", signals},
                                             {"recycled", recycled},
                                             {"ignored", ignored},
                                             {"streams", streams},
                                             {"kinds", kinds},
                                             {"private", pipes_are_private},
                                             {"without-stdio", without_stdio},
                                             {"collect", collect},
                                             {"large", large},
                                             {"limit", limit},
                                             {"unread-input", unread_input},
                                             {"texts", texts},
                                             {"no-allocation", no_allocation},
                                             {"in-handler", in_handler},
                                             {"threads", threads},
                                             {"many-wait", many_wait},
                                             {"pidfd", pidfd},
                                             {"no-pidfd-left", no_pidfd_left},
                                             {NULL, NULL}};
    /* With its first thread libc takes a signal for itself. Where there can be none it does not. */
    pthread_t first;
    if (pthread_create(&first, NULL, nothing, NULL) == 0)
        pthread_join(first, NULL);
    return run_case(argc, argv, cases);
}
