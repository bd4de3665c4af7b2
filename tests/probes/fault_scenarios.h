/* The ways of starting a child that the harness of failing calls tries: how the process is arranged, what it calls, and
 * what the caller learns. */
#ifndef FAULT_SCENARIOS_H
#define FAULT_SCENARIOS_H

#include "fault_supervisor.h"

#include <airlock.h>
#include <dlfcn.h>
#include <spawn.h>
#include <sys/mman.h>

enum { GOOD = 7, NO_STEP = -1, CGROUP = 11, HIGH = 310, SCRIPT = 311 };

enum need { NOTHING, ROOT, A_CGROUP };

struct outcome {
    bool started;
    int status;
    int code;
    int step;
    bool told; /* a record says the same, or none is expected */
};

struct scenario {
    const char *family, *name;
    void (*arrange)(void);
    void (*run)(struct outcome *outcome);
    bool in_short;
    enum need needs;
};

static char witness[4096];
static char status_word[] = "7";

static void arrange_leaks(void) {
    have_descriptor(7, "/dev/null", false);
    have_descriptor(8, "/", false);
    have_descriptor(12, "/dev/null", true);
}

static void arrange_high(void) {
    arrange_leaks();
    have_descriptor(HIGH, "/dev/null", false);
}

static void arrange_ignored(void) {
    arrange_leaks();
    set_disposition(SIGPIPE, SIG_IGN);
    set_disposition(SIGUSR1, count_signal);
    block_signals("USR2,HUP");
}

static void arrange_ids(void) {
    arrange_leaks();
    differ_in_ids();
}

static void *stay(void *unused) {
    pause();
    return unused;
}

/* The folder of a version 2 cgroup in which nothing runs. */
static const char *cgroup_folder(void) {
    return getenv("AIRLOCK_FAULTS_CGROUP");
}

static void arrange_cgroup(void) {
    arrange_leaks();
    have_descriptor(CGROUP, cgroup_folder(), false);
}

/* Two threads: a descriptor of one must not reach a child of the other even for a moment. */
static void arrange_threads(void) {
    pthread_t thread;
    arrange_leaks();
    if (pthread_create(&thread, NULL, stay, NULL) != 0)
        die("pthread_create");
}

/* A file that only a shell can run, as a descriptor: nothing has to be made or removed. */
static char script[64];

static void arrange_script(void) {
    char line[4200];
    int fd = (int)syscall(SYS_memfd_create, "script", 0);
    arrange_leaks();
    int length = snprintf(line, sizeof line, "exec '%s' %d 0-2\n", witness, GOOD);
    if (fd < 0 || write(fd, line, (size_t)length) != length || fcntl(fd, F_DUPFD_CLOEXEC, SCRIPT) != SCRIPT)
        die("script");
    close(fd);
    snprintf(script, sizeof script, "/proc/%d/fd/%d", (int)getpid(), SCRIPT);
}

/* ---- Scenarios of the library. */

static void learn_end(pid_t pid, struct outcome *outcome) {
    shared->phase = IDLE;
    outcome->started = true;
    if (wait_for(pid, &outcome->status) != pid)
        outcome->status = -1;
}

/* Also of a child that has ended and was not waited for. */
static bool is_in_cgroup(pid_t pid) {
    char path[64], line[4200];
    const char *name = strrchr(cgroup_folder(), '/');
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        die(path);
    while (!found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, "0::", 3) == 0 && is(strrchr(line, '/'), name);
    }
    fclose(file);
    return found;
}

static void learn_end_in_cgroup(pid_t pid, struct outcome *outcome) {
    shared->phase = IDLE;
    bool right = is_in_cgroup(pid);
    learn_end(pid, outcome);
    if (!right)
        outcome->status = -1;
}

static void spawn_core(const struct airlock_command *command, struct outcome *outcome) {
    struct airlock_child child;
    struct airlock_error error;
    struct airlock_timing timing;
    outcome->code = airlock_spawn(command, &child, &error, &timing);
    outcome->step = (int)error.step;
    shared->phase = IDLE;
    if (outcome->code != 0)
        return;
    if (command->flags & AIRLOCK_SETCGROUP)
        learn_end_in_cgroup(child.pid, outcome);
    else
        learn_end(child.pid, outcome);
    if (child.pidfd >= 0)
        close(child.pidfd);
}

#define WITNESS(...) .argv = (char *[]){witness, status_word, __VA_ARGS__, NULL}, .seal = AIRLOCK_SEAL
#define LIST(kind, ...) (kind[]){__VA_ARGS__}, sizeof((kind[]){__VA_ARGS__}) / sizeof(kind)

static void core_plain(struct outcome *outcome) {
    spawn_core(&(struct airlock_command){WITNESS((char *)"0-2")}, outcome);
}

static void core_missing(struct outcome *outcome) {
    struct airlock_command command = {WITNESS((char *)"0-2")};
    command.path = "/nonexistent/program";
    spawn_core(&command, outcome);
}

static void core_search(struct outcome *outcome) {
    struct airlock_command command = {WITNESS((char *)"0-2"), .search = AIRLOCK_SEARCH_CHILD_PATH};
    char path[4200];
    snprintf(path, sizeof path, "PATH=/nonexistent:%.*s", (int)(strrchr(witness, '/') - witness), witness);
    command.path = "witness";
    command.envp = (char *[]){path, NULL};
    spawn_core(&command, outcome);
}

static void core_descriptors(struct outcome *outcome) {
    struct airlock_action actions[] = {
        AIRLOCK_DUP2(7, 9),
        AIRLOCK_OPEN(10, "/dev/null", O_RDONLY, 0),
        AIRLOCK_CLOSE(8),
        AIRLOCK_CLOSE(60),
        AIRLOCK_DUP2(9, 9),
        AIRLOCK_CHDIR("/"),
        AIRLOCK_OPEN(8, "/", O_RDONLY | O_DIRECTORY, 0),
        AIRLOCK_FCHDIR(8),
        AIRLOCK_CLOSEFROM(11),
    };
    struct airlock_command command = {WITNESS((char *)"0-2,7-10"), .keep = (int[]){7}, .keep_count = 1};
    command.actions = actions;
    command.action_count = sizeof actions / sizeof actions[0];
    command.stdio = (int[]){1, 0, 2};
    spawn_core(&command, outcome);
}

/* Nothing is sealed: what an action closes is closed all the same. */
static void core_unsealed(struct outcome *outcome) {
    struct airlock_action actions[] = {AIRLOCK_CLOSE(7), AIRLOCK_OPEN(9, "/dev/null", O_RDONLY, 0),
                                       AIRLOCK_CLOSEFROM(10)};
    struct airlock_command command = {WITNESS((char *)"0-2,8,9"), .actions = actions, .action_count = 3};
    command.seal = AIRLOCK_SEAL_NONE;
    spawn_core(&command, outcome);
}

static void core_keep(struct outcome *outcome) {
    struct airlock_command command = {WITNESS((char *)"0-2,7,12"), .keep = (int[]){7, 12}, .keep_count = 2};
    command.flags = AIRLOCK_MAKE_INHERITABLE;
    spawn_core(&command, outcome);
}

static void core_high(struct outcome *outcome) {
    struct airlock_action action = AIRLOCK_DUP2(HIGH, 9);
    struct airlock_command command = {WITNESS((char *)"0-2,9"), .actions = &action, .action_count = 1};
    spawn_core(&command, outcome);
}

static void core_attributes(struct outcome *outcome) {
    struct airlock_limit limits[] = {{RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 600, 700}};
    struct airlock_command command = {WITNESS((char *)"0-2", (char *)"4", (char *)"0")};
    command.flags = AIRLOCK_SETSID | AIRLOCK_SETMASK | AIRLOCK_SETSCHEDPARAM | AIRLOCK_SETUMASK;
    command.mask = AIRLOCK_SIGNAL(3);
    command.default_signals = AIRLOCK_SIGNAL(SIGPIPE) | AIRLOCK_SIGNAL(SIGTERM);
    command.umask = 022;
    command.death_signal = SIGKILL;
    command.cwd = "/";
    command.limits = limits;
    command.limit_count = 2;
    spawn_core(&command, outcome);
}

static void core_group(struct outcome *outcome) {
    struct airlock_command command = {WITNESS((char *)"0-2"), .flags = AIRLOCK_SETPGROUP | AIRLOCK_SETSCHEDULER};
    spawn_core(&command, outcome);
}

static void core_pidfd(struct outcome *outcome) {
    spawn_core(&(struct airlock_command){WITNESS((char *)"0-2"), .flags = AIRLOCK_WANT_PIDFD}, outcome);
}

static void core_cgroup(struct outcome *outcome) {
    spawn_core(&(struct airlock_command){WITNESS((char *)"0-2"), .flags = AIRLOCK_SETCGROUP, .cgroup = CGROUP},
               outcome);
}

static void core_user(struct outcome *outcome) {
    struct airlock_command command = {
        WITNESS((char *)"0-2", (char *)"0", (char *)"0", (char *)"65534", (char *)"65534")};
    command.flags = AIRLOCK_SETUID | AIRLOCK_SETGID;
    command.uid = command.gid = 65534;
    spawn_core(&command, outcome);
}

static int do_nothing(void *unused) {
    (void)unused;
    return 0;
}

static void core_callback(struct outcome *outcome) {
    spawn_core(&(struct airlock_command){WITNESS((char *)"0-2"), .before_exec = do_nothing}, outcome);
}

/* So many arguments and descriptors that room for them has to be mapped. */
static void core_shell(struct outcome *outcome) {
    char *arguments[64] = {(char *)"script"};
    int keep[60];
    for (int i = 1; i < 60; i++)
        arguments[i] = (char *)"x";
    for (int i = 0; i < 60; i++)
        keep[i] = 13 + 2 * i;
    struct airlock_command command = {.argv = arguments, .seal = AIRLOCK_SEAL, .keep = keep, .keep_count = 60};
    command.path = script;
    command.flags = AIRLOCK_SHELL_FALLBACK;
    spawn_core(&command, outcome);
}

/* The calling process is one that vfork made, and counts as the child. */
static void core_exec(struct outcome *outcome) {
    struct airlock_command command = {WITNESS((char *)"0-2,9"), .cwd = "/", .flags = AIRLOCK_SETUMASK};
    struct airlock_action actions[] = {AIRLOCK_DUP2(7, 9), AIRLOCK_CLOSE(8)};
    static struct outcome said;
    int phase = shared->phase;
    shared->phase = IDLE;
    command.actions = actions;
    command.action_count = 2;
    said = *outcome;
    pid_t pid = vfork();
    if (pid < 0)
        die("vfork");
    if (pid == 0) {
        struct airlock_error error;
        shared->phase = phase;
        said.code = airlock_exec(&command, &error);
        shared->phase = IDLE;
        said.step = (int)error.step;
        _exit(0);
    }
    learn_end(pid, outcome);
    if (said.code != 0)
        *outcome = said;
}

/* The child says what it was given, and adds something on standard error. */
static char echo_line[] = "read line; echo \"$line\"; echo error >&2; exit 7";

static void core_communicate(struct outcome *outcome) {
    struct airlock_stream streams[3] = {{.kind = AIRLOCK_STREAM_PIPE}, {.kind = AIRLOCK_STREAM_PIPE}};
    struct airlock_command command = {.argv = (char *[]){(char *)"/bin/sh", (char *)"-c", echo_line, NULL}};
    struct airlock_process process;
    struct airlock_output output;
    struct airlock_error error;
    streams[2] = streams[1];
    command.seal = AIRLOCK_SEAL;
    outcome->code = airlock_process_start(&command, streams, &process, &error, NULL);
    outcome->step = (int)error.step;
    if (outcome->code != 0)
        return;
    outcome->step = NO_STEP;
    outcome->code = airlock_process_communicate(&process, "text\n", 5, 0, &output);
    airlock_process_close(&process);
    outcome->started = outcome->code == 0;
    outcome->status = output.status;
    /* Input that cannot be written is lost without an error. */
    bool complete = is(output.out, "text\n") || is(output.out, "\n");
    if (outcome->started && (!complete || !is(output.err, "error\n")))
        outcome->status = -1;
    airlock_output_free(&output);
}

/* A child that would not end by itself is asked after, killed and waited for. */
static void core_kill(struct outcome *outcome) {
    struct airlock_command command = {.argv = (char *[]){(char *)"/bin/sh", (char *)"-c", (char *)"read line", NULL}};
    struct airlock_stream streams[3] = {{.kind = AIRLOCK_STREAM_PIPE}};
    struct airlock_process process;
    struct airlock_error error;
    int status = -1;
    command.seal = AIRLOCK_SEAL;
    outcome->code = airlock_process_start(&command, streams, &process, &error, NULL);
    outcome->step = (int)error.step;
    if (outcome->code != 0)
        return;
    outcome->step = NO_STEP;
    outcome->code = airlock_process_try_wait(&process, &status);
    if (outcome->code == EAGAIN)
        outcome->code = airlock_process_kill(&process, SIGKILL);
    /* One that was not killed is at the end of its input now, and ends by itself. */
    int waited = airlock_process_wait(&process, &status);
    airlock_process_close(&process);
    outcome->started = outcome->code == 0;
    outcome->status = status == SIGKILL || status == 1 << 8 ? GOOD << 8 : -1;
    outcome->code = outcome->started ? waited : outcome->code;
}

static void core_process(struct outcome *outcome) {
    struct airlock_stream streams[3] = {{.kind = AIRLOCK_STREAM_NULL}, {.kind = AIRLOCK_STREAM_PIPE}};
    struct airlock_process process;
    struct airlock_error error;
    outcome->code =
        airlock_process_start(&(struct airlock_command){WITNESS((char *)"0-2")}, streams, &process, &error, NULL);
    outcome->step = (int)error.step;
    if (outcome->code != 0)
        return;
    outcome->started = true;
    outcome->status = -1;
    outcome->code = airlock_process_wait(&process, &outcome->status);
    airlock_process_close(&process);
}

/* ---- Scenarios of libc's functions. */

static void finish_spawn(int code, pid_t pid, struct outcome *outcome) {
    shared->phase = IDLE;
    outcome->code = code;
    if (code == 0)
        learn_end(pid, outcome);
}

static void libc_plain(struct outcome *outcome) {
    pid_t pid = -1;
    char *arguments[] = {witness, status_word, (char *)"0-2", (char *)"801", (char *)"0", NULL};
    int code = posix_spawn(&pid, witness, NULL, NULL, arguments, environ);
    finish_spawn(code, pid, outcome);
}

/* Found at the second place of PATH. */
static void libc_search(struct outcome *outcome) {
    static char path[4200];
    pid_t pid = -1;
    char *arguments[] = {witness, status_word, (char *)"0-2", NULL};
    snprintf(path, sizeof path, "PATH=/nonexistent:%.*s", (int)(strrchr(witness, '/') - witness), witness);
    putenv(path);
    int code = posix_spawnp(&pid, "witness", NULL, NULL, arguments, environ);
    finish_spawn(code, pid, outcome);
}

static void libc_attributes(struct outcome *outcome) {
    pid_t pid = -1;
    posix_spawnattr_t attributes;
    sigset_t mask, defaults;
    const struct sched_param priority = {0};
    char *arguments[] = {witness, status_word, (char *)"0-2", (char *)"4", (char *)"0", NULL};
    parse_signals("QUIT", &mask);
    parse_signals("PIPE", &defaults);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_RESETIDS);
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setschedpolicy(&attributes, 0);
    posix_spawnattr_setschedparam(&attributes, &priority);
    int code = posix_spawn(&pid, witness, NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    finish_spawn(code, pid, outcome);
}

/* As glibc 2.39 fills the object: an older one refuses the flag, the preload does not. */
#ifdef __GLIBC__
static void libc_cgroup(struct outcome *outcome) {
    pid_t pid = -1;
    posix_spawnattr_t attributes;
    char *arguments[] = {witness, status_word, (char *)"0-2", NULL};
    posix_spawnattr_init(&attributes);
    attributes.__flags = 0x100;
    (&attributes.__policy)[1] = CGROUP;
    outcome->code = posix_spawn(&pid, witness, NULL, &attributes, arguments, environ);
    shared->phase = IDLE;
    if (outcome->code == 0)
        learn_end_in_cgroup(pid, outcome);
    posix_spawnattr_destroy(&attributes);
}
#endif

static void libc_missing(struct outcome *outcome) {
    pid_t pid = -1;
    char *arguments[] = {(char *)"nosuchprogram", NULL};
    int code = posix_spawnp(&pid, "nosuchprogram", NULL, NULL, arguments, environ);
    finish_spawn(code, pid, outcome);
}

static void libc_actions(struct outcome *outcome) {
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    char *arguments[] = {witness, status_word, (char *)"0-2,9,10", NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 7, 9);
    posix_spawn_file_actions_addopen(&actions, 10, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addclose(&actions, 8);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    int code = posix_spawn(&pid, witness, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    finish_spawn(code, pid, outcome);
}

static void libc_resetids(struct outcome *outcome) {
    pid_t pid = -1;
    posix_spawnattr_t attributes;
    char *arguments[] = {witness, status_word, (char *)"0-2", (char *)"0", (char *)"0", (char *)"0", (char *)"0", NULL};
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_RESETIDS);
    int code = posix_spawn(&pid, witness, NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    finish_spawn(code, pid, outcome);
}

/* Where this libc has no such function the preload offers it all the same. */
static void libc_pidfd(struct outcome *outcome) {
    typedef int function(int *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                         char *const[], char *const[]);
    static function *pidfd_spawn_of_preload;
    int pidfd = -1;
    siginfo_t info = {0};
    char *arguments[] = {witness, status_word, (char *)"0-2", NULL};
    if (pidfd_spawn_of_preload == NULL)
        pidfd_spawn_of_preload = (function *)dlsym(RTLD_DEFAULT, "pidfd_spawn");
    outcome->code = pidfd_spawn_of_preload(&pidfd, witness, NULL, NULL, arguments, environ);
    shared->phase = IDLE;
    if (outcome->code != 0)
        return;
    outcome->started = true;
    outcome->status = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0 ? info.si_status << 8 : -1;
    close(pidfd);
}

static void shell_line(char *line, size_t size) {
    snprintf(line, size, "exec '%s' %d 0-2", witness, GOOD);
}

static void libc_system(struct outcome *outcome) {
    char line[4200];
    shell_line(line, sizeof line);
    errno = 0;
    outcome->status = system(line);
    shared->phase = IDLE;
    outcome->started = outcome->status == GOOD << 8;
    outcome->code = outcome->started ? 0 : errno;
}

/* What the child prints is read to the end: an end of the pipe that is left open somewhere is noticed. The other way
 * round the child reads a line alone, for where the close of libc's own fclose is refused the pipe has no end. */
static void run_popen(const char *mode, int (*finish)(FILE *), struct outcome *outcome) {
    char line[4200] = "read line; ";
    size_t before = *mode == 'w' ? strlen(line) : 0;
    shell_line(line + before, sizeof line - before);
    FILE *stream = popen(line, mode);
    if (stream == NULL) {
        outcome->code = errno;
        return;
    }
    outcome->started = true;
    if (*mode == 'w')
        fputs("text\n", stream);
    while (*mode == 'r' && getc(stream) != EOF)
        continue;
    errno = 0;
    outcome->status = finish(stream);
    outcome->code = outcome->status == -1 ? errno : 0;
    shared->phase = IDLE;
}

static void libc_popen_r(struct outcome *outcome) {
    run_popen("r", pclose, outcome);
}

static void libc_popen_w(struct outcome *outcome) {
    run_popen("we", fclose, outcome);
}

/* An earlier stream is there, which the child must not hold. Its own child has ended and been waited for. */
static void arrange_stream(void) {
    static FILE *earlier;
    int status;
    arrange_leaks();
    earlier = popen("exit 0", "w");
    if (earlier == NULL || wait_for(-1, &status) < 0)
        die("popen");
}

static const struct scenario scenarios[] = {
    {"core", "plain", arrange_leaks, core_plain, true, NOTHING},
    {"core", "missing program", arrange_leaks, core_missing, true, NOTHING},
    {"core", "search", arrange_leaks, core_search, false, NOTHING},
    {"core", "descriptors", arrange_leaks, core_descriptors, true, NOTHING},
    {"core", "unsealed", arrange_leaks, core_unsealed, false, NOTHING},
    {"core", "inheritable", arrange_leaks, core_keep, false, NOTHING},
    {"core", "high descriptor", arrange_high, core_high, true, NOTHING},
    {"core", "attributes", arrange_ignored, core_attributes, true, NOTHING},
    {"core", "process group", arrange_leaks, core_group, false, NOTHING},
    {"core", "pidfd", arrange_leaks, core_pidfd, true, NOTHING},
    {"core", "cgroup", arrange_cgroup, core_cgroup, true, A_CGROUP},
    {"core", "user", arrange_leaks, core_user, false, ROOT},
    {"core", "callback", arrange_leaks, core_callback, false, NOTHING},
    {"core", "a program with threads", arrange_threads, core_plain, true, NOTHING},
    {"core", "shell fallback", arrange_script, core_shell, false, NOTHING},
    {"core", "exec", arrange_ignored, core_exec, true, NOTHING},
    {"core", "process", arrange_leaks, core_process, false, NOTHING},
    {"core", "communicate", arrange_leaks, core_communicate, true, NOTHING},
    {"core", "kill", arrange_leaks, core_kill, false, NOTHING},
    {"libc", "posix_spawn", arrange_ignored, libc_plain, true, NOTHING},
    {"libc", "missing program", arrange_leaks, libc_missing, false, NOTHING},
    {"libc", "posix_spawnp", arrange_leaks, libc_search, false, NOTHING},
    {"libc", "attributes", arrange_ignored, libc_attributes, true, NOTHING},
    {"libc", "file actions", arrange_leaks, libc_actions, true, NOTHING},
#ifdef __GLIBC__
    {"libc", "SETCGROUP", arrange_cgroup, libc_cgroup, true, A_CGROUP},
#endif
    {"libc", "RESETIDS", arrange_ids, libc_resetids, false, ROOT},
    {"libc", "pidfd_spawn", arrange_leaks, libc_pidfd, false, NOTHING},
    {"libc", "system", arrange_leaks, libc_system, true, NOTHING},
    {"libc", "popen r, pclose", arrange_leaks, libc_popen_r, true, NOTHING},
    {"libc", "popen w, fclose", arrange_leaks, libc_popen_w, false, NOTHING},
    {"libc", "a second popen", arrange_stream, libc_popen_r, false, NOTHING},
};

#endif
