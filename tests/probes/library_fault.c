/* Every system call of a spawn fails once, with every error that it can have: what does the caller get, and what is
 * left behind?
 *
 *     library_fault FAMILY [short]
 *
 * FAMILY is core (the library) or libc (libc's functions, with the preload). Each scenario is run once to see which
 * system calls parent and child make, and then once for each use of each call and each error. Prints one line for each
 * run: scenario, primitive, warm or cold, parent or child, call, use, error, and what came of it:
 *
 *     works            the same as without the failure
 *     STEP             the caller was told the error, and where a record or the library says so, the step
 *     exit 127         the child could not be told about, and ended as POSIX has it
 *     stays: WHAT      what nobody can undo once the call is refused (a descriptor that cannot be closed)
 *     WRONG: WHAT
 *
 * With "short" only the first use of each call fails, in the scenarios that stand for the others, and with every error
 * only where the kernel lacks nothing. */
#define PROBE_HIGHEST 400
#include "fault_errors.h"
#include "fault_supervisor.h"

#include <airlock.h>
#include <dlfcn.h>
#include <spawn.h>

enum { GOOD = 7, NO_STEP = -1, HIGH = 310 };

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
    bool in_short, needs_root;
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

/* ---- Scenarios of the library. */

static void learn_end(pid_t pid, struct outcome *outcome) {
    shared->phase = IDLE;
    outcome->started = true;
    if (wait_for(pid, &outcome->status) != pid)
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

static void libc_missing(struct outcome *outcome) {
    pid_t pid = -1;
    char *arguments[] = {(char *)"nosuchprogram", NULL};
    finish_spawn(posix_spawnp(&pid, "nosuchprogram", NULL, NULL, arguments, environ), pid, outcome);
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

static void run_popen(const char *mode, int (*finish)(FILE *), struct outcome *outcome) {
    char line[4200];
    shell_line(line, sizeof line);
    FILE *stream = popen(line, mode);
    if (stream == NULL) {
        outcome->code = errno;
        return;
    }
    outcome->started = true;
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

/* An earlier stream is there, which the child must not hold. */
static void libc_popen_second(struct outcome *outcome) {
    static FILE *earlier;
    int phase = shared->phase;
    shared->phase = IDLE;
    if (earlier == NULL)
        earlier = popen("read line", "w");
    shared->phase = phase;
    run_popen("r", pclose, outcome);
}

static const struct scenario scenarios[] = {
    {"core", "plain", arrange_leaks, core_plain, true, false},
    {"core", "missing program", arrange_leaks, core_missing, true, false},
    {"core", "search", arrange_leaks, core_search, false, false},
    {"core", "descriptors", arrange_leaks, core_descriptors, true, false},
    {"core", "inheritable", arrange_leaks, core_keep, false, false},
    {"core", "high descriptor", arrange_high, core_high, true, false},
    {"core", "attributes", arrange_ignored, core_attributes, true, false},
    {"core", "process group", arrange_leaks, core_group, false, false},
    {"core", "pidfd", arrange_leaks, core_pidfd, true, false},
    {"core", "user", arrange_leaks, core_user, false, true},
    {"core", "callback", arrange_leaks, core_callback, false, false},
    {"core", "process", arrange_leaks, core_process, false, false},
    {"libc", "posix_spawn", arrange_ignored, libc_plain, true, false},
    {"libc", "missing program", arrange_leaks, libc_missing, false, false},
    {"libc", "file actions", arrange_leaks, libc_actions, true, false},
    {"libc", "RESETIDS", arrange_ids, libc_resetids, false, true},
    {"libc", "pidfd_spawn", arrange_leaks, libc_pidfd, false, false},
    {"libc", "system", arrange_leaks, libc_system, true, false},
    {"libc", "popen r, pclose", arrange_leaks, libc_popen_r, true, false},
    {"libc", "popen w, fclose", arrange_leaks, libc_popen_w, false, false},
    {"libc", "a second popen", arrange_leaks, libc_popen_second, false, false},
};

/* ---- What a kernel may lack. */

#define NEVER(call)                                                                                                    \
    { SYS_##call, ENOSYS, 0, 0 }
#define END                                                                                                            \
    { -1, 0, 0, 0 }

static const struct kernel {
    const char *name;
    struct rule rules[RULES_MAX];
    bool in_short;
} kernels[] = {
    {"clone3", {END}, true},
    {"clone", {NEVER(clone3), END}, false},
#ifdef SYS_fork
    {"vfork", {NEVER(clone3), NEVER(clone), END}, true},
    {"fork", {NEVER(clone3), NEVER(clone), NEVER(vfork), END}, true},
    {"clone that copies", {{SYS_clone3, EPERM, 0, 0}, {SYS_clone, EPERM, 0, 0x100}, NEVER(vfork), END}, false},
#endif
    {"no cut", {{SYS_close_range, EINVAL, 2, 2}, END}, false},
    {"no close_range", {NEVER(close_range), END}, true},
    {"no mark", {{SYS_close_range, EINVAL, 2, 4}, END}, false},
    {"no pidfd_getfd", {{SYS_pidfd_getfd, EPERM, 0, 0}, END}, false},
};

/* ---- What came of it. */

/* The steps of the child that a call may belong to. */
static const struct {
    long number;
    enum airlock_step steps[6]; /* ends with NONE */
} steps_of[] = {
    {SYS_close_range, {AIRLOCK_STEP_UNSHARE, AIRLOCK_STEP_ACTION, AIRLOCK_STEP_SEAL}},
    {SYS_fcntl, {AIRLOCK_STEP_FETCH, AIRLOCK_STEP_STDIO, AIRLOCK_STEP_ACTION, AIRLOCK_STEP_KEEP, AIRLOCK_STEP_SEAL}},
#ifdef SYS_dup2
    {SYS_dup2, {AIRLOCK_STEP_STDIO, AIRLOCK_STEP_ACTION, AIRLOCK_STEP_KEEP}},
#endif
    {SYS_dup3, {AIRLOCK_STEP_STDIO, AIRLOCK_STEP_ACTION, AIRLOCK_STEP_KEEP}},
    {SYS_openat, {AIRLOCK_STEP_ACTION, AIRLOCK_STEP_SEAL}},
    {SYS_getdents64, {AIRLOCK_STEP_ACTION, AIRLOCK_STEP_SEAL}},
    {SYS_close, {AIRLOCK_STEP_ACTION, AIRLOCK_STEP_SEAL}},
    {SYS_chdir, {AIRLOCK_STEP_ACTION, AIRLOCK_STEP_CHDIR}},
    {SYS_fchdir, {AIRLOCK_STEP_ACTION}},
    {SYS_prlimit64, {AIRLOCK_STEP_LIMIT}},
    {SYS_rt_sigaction, {AIRLOCK_STEP_SIGNALS}},
    {SYS_rt_sigprocmask, {AIRLOCK_STEP_MASK, AIRLOCK_STEP_CALLBACK}},
    {SYS_sched_setparam, {AIRLOCK_STEP_SCHEDULING}},
    {SYS_sched_setscheduler, {AIRLOCK_STEP_SCHEDULING}},
    {SYS_setsid, {AIRLOCK_STEP_SESSION}},
    {SYS_setpgid, {AIRLOCK_STEP_PROCESS_GROUP}},
    {SYS_getuid, {AIRLOCK_STEP_RESET_IDS}},
    {SYS_getgid, {AIRLOCK_STEP_RESET_IDS}},
    {SYS_geteuid, {AIRLOCK_STEP_GROUPS}},
    {SYS_setresuid, {AIRLOCK_STEP_RESET_IDS, AIRLOCK_STEP_UID}},
    {SYS_setresgid, {AIRLOCK_STEP_RESET_IDS, AIRLOCK_STEP_GID}},
    {SYS_setgroups, {AIRLOCK_STEP_GROUPS}},
    {SYS_umask, {AIRLOCK_STEP_UMASK}},
    {SYS_prctl, {AIRLOCK_STEP_DEATH_SIGNAL}},
    {SYS_getppid, {AIRLOCK_STEP_DEATH_SIGNAL}},
    {SYS_pidfd_open, {AIRLOCK_STEP_CLONE, AIRLOCK_STEP_FETCH}},
    {SYS_pidfd_getfd, {AIRLOCK_STEP_FETCH, AIRLOCK_STEP_ACTION}}, /* EBADF: the action that uses it says so */
    {SYS_getpid, {AIRLOCK_STEP_CLONE}},
    {SYS_sendmsg, {AIRLOCK_STEP_CLONE}},
    {SYS_execve, {AIRLOCK_STEP_EXEC}},
};

static bool is_right_step(const struct fault *fault, int step) {
    if (step == NO_STEP)
        return true;
    if (fault->who == PARENT)
        return step == AIRLOCK_STEP_PREPARE || step == AIRLOCK_STEP_CLONE || step == AIRLOCK_STEP_STDIO;
    for (size_t i = 0; i < sizeof steps_of / sizeof steps_of[0]; i++)
        for (size_t k = 0; k < 6 && steps_of[i].number == fault->number; k++)
            if (step != AIRLOCK_STEP_NONE && (int)steps_of[i].steps[k] == step)
                return true;
    return false;
}

static bool same_outcome(const struct outcome *one, const struct outcome *other) {
    if (one->started != other->started)
        return false;
    return one->started ? one->status == other->status && one->code == other->code : one->code == other->code;
}

/* popen of glibc has one error for everything. Where a fallback fails, the first refusal is as true as the second. */
static bool is_error_of(const struct scenario *scenario, const struct fault *fault, int code) {
    bool is_popen = strstr(scenario->name, "popen") != NULL;
    for (const struct rule *rule = fault->rules; rule->number >= 0; rule++)
        if (rule->error == code)
            return true;
    return code == fault->error || (is_popen && code == ENOMEM);
}

/* What nobody can undo once the kernel refuses it. A wait that is refused leaves the child to be waited for, by libc as
 * well. */
static bool cannot_be_undone(const struct fault *fault, const char *line) {
    if (fault->who != PARENT)
        return false;
    if (strncmp(line, "descriptor ", 11) == 0 && strstr(line, "is new") != NULL)
        return fault->number == SYS_close;
    if (strncmp(line, "a zombie was left", 17) == 0 || strncmp(line, "a running child", 15) == 0)
        return fault->number == SYS_wait4 || fault->number == SYS_waitid || fault->number == SYS_close;
    return false;
}

/* The lines that report_changes printed, apart from what cannot be undone. */
static bool only_what_stays(const struct fault *fault, char *lines) {
    bool only = true;
    for (char *rest = lines, *line; (line = strsep(&rest, "\n")) != NULL;) {
        only = only && (*line == '\0' || cannot_be_undone(fault, line));
        if (rest != NULL)
            rest[-1] = ';';
    }
    return only;
}

static void set_verdict(bool wrong, const char *kind, const char *what) {
    shared->wrong = wrong;
    snprintf(shared->text, TEXT_SIZE, "%s%s", kind, what);
}

static void judge(const struct scenario *scenario, const struct fault *fault, const struct outcome *normal,
                  const struct outcome *got, const struct outcome *again, char *changes) {
    char words[256];
    bool works = same_outcome(normal, got);
    bool told = !got->started && is_error_of(scenario, fault, got->code) && is_right_step(fault, got->step);
    /* The child runs, but its end could not be learned: the call that waits says why. */
    bool unread = fault->number == SYS_read && fault->who == PARENT && got->started && got->status == 127 << 8;
    bool unwaited = got->started && got->status == -1 && got->code == fault->error && fault->who == PARENT;
    snprintf(words, sizeof words, "started %d status %#x, %s at %s", got->started, (unsigned)got->status,
             error_name(got->code), got->step == NO_STEP ? "?" : airlock_step_name((enum airlock_step)got->step));
    if (!works && !told && !unwaited && !unread)
        set_verdict(true, "WRONG: ", words);
    else if (!got->told)
        set_verdict(true, "WRONG: ", "no record, or one that says something else");
    else if (!only_what_stays(fault, changes))
        set_verdict(true, "WRONG: ", changes);
    else if (!same_outcome(normal, again))
        set_verdict(true, "WRONG: ", "the next spawn is not as before");
    else if (changes[0] != '\0')
        set_verdict(false, "stays: ", changes);
    else if (works)
        set_verdict(false, "works", "");
    else if (unread)
        set_verdict(false, "exit 127", "");
    else if (got->step == NO_STEP)
        set_verdict(false, "told", "");
    else
        set_verdict(false, airlock_step_name((enum airlock_step)got->step), "");
}

/* ---- Records: where AIRLOCK_LOG names a file, the last record of a spawn has to say what the caller was told. */

static long log_size(void) {
    const char *path = getenv("AIRLOCK_LOG");
    struct stat info;
    return path == NULL || path[0] != '/' || stat(path, &info) != 0 ? 0 : (long)info.st_size;
}

static bool find_record(long from, char *record, size_t size) {
    char text[65536];
    FILE *in = fopen(getenv("AIRLOCK_LOG"), "re");
    if (in == NULL)
        return false;
    fseek(in, from, SEEK_SET);
    size_t length = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[length] = '\0';
    char *start = strstr(text, "\"type\":\"spawn\"");
    if (start == NULL)
        return false;
    char *end = strchr(start, '\n');
    snprintf(record, size, "%.*s", end == NULL ? (int)strlen(start) : (int)(end - start), start);
    return true;
}

static int step_in(const char *record) {
    const char *found = strstr(record, "\"step\":\"");
    for (int step = 0; found != NULL && step < AIRLOCK_STEP_COUNT; step++) {
        const char *name = airlock_step_name((enum airlock_step)step);
        if (strncmp(found + 8, name, strlen(name)) == 0 && found[8 + strlen(name)] == '"')
            return step;
    }
    return NO_STEP;
}

/* A failure in the parent may cost the record: that it is written is no promise, that it is right is one. */
static void compare_record(long from, const struct fault *fault, struct outcome *outcome) {
    char record[20000], error[64];
    const char *path = getenv("AIRLOCK_LOG");
    outcome->told = true;
    if (path == NULL || path[0] != '/')
        return;
    if (!find_record(from, record, sizeof record)) {
        outcome->told = fault->who == PARENT && fault->number >= 0;
        return;
    }
    bool failed = !outcome->started && outcome->code != 0;
    if ((strstr(record, "\"errno\":") != NULL) != failed) {
        /* The spawn itself went well; what failed came after it, or before it. */
        outcome->told = fault->who == PARENT && fault->number >= 0;
        return;
    }
    snprintf(error, sizeof error, "\"errno\":\"%s\"", error_name(fault->error));
    if (failed)
        outcome->step = step_in(record);
    outcome->told = !failed || fault->number < 0 || outcome->code != fault->error || strstr(record, error) != NULL;
}

/* ---- Runs. */

static void run_once(const struct scenario *scenario, enum phase phase, struct outcome *outcome) {
    memset(outcome, 0, sizeof *outcome);
    outcome->step = NO_STEP;
    outcome->told = true;
    shared->phase = phase;
    scenario->run(outcome);
    shared->phase = IDLE;
}

struct run {
    const struct scenario *scenario;
    const struct kernel *kernel;
    bool warm;
    struct fault fault;
};

/* The process under test, from its first line to its last. normal is filled by the first run, without a failure. */
static void be_subject(const struct run *run, struct outcome *normal) {
    static struct snapshot before, after;
    struct outcome got, again;
    char changes[TEXT_SIZE / 2] = "";
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run->scenario->arrange();
    sweep_closed();
    install_filter(&run->fault);
    if (run->warm)
        run_once(run->scenario, REFUSING, &got);
    take_snapshot(&before);
    long from = log_size();
    run_once(run->scenario, COUNTING, &got);
    sweep_closed();
    take_snapshot(&after);
    say = fmemopen(changes, sizeof changes, "w");
    report_changes(&before, &after);
    report_children();
    fclose(say);
    if (strcmp(run->scenario->family, "libc") == 0)
        compare_record(from, &run->fault, &got);
    if (run->fault.number < 0) {
        *normal = got;
        bool right = !got.started || got.status == GOOD << 8;
        set_verdict(changes[0] != '\0' || !got.told || !right, "control: ", right ? changes : "the child found fault");
    } else {
        run_once(run->scenario, REFUSING, &again);
        judge(run->scenario, &run->fault, normal, &got, &again, changes);
    }
    _exit(0);
}

static long total, wrong;

static void print_run(const struct run *run) {
    const struct call_errors *call = find_call_errors(run->fault.number);
    printf("%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", run->scenario->family, run->scenario->name, run->kernel->name,
           run->warm ? "warm" : "cold", run->fault.who == PARENT ? "parent" : "child", call == NULL ? "-" : call->name,
           run->fault.use, run->fault.error == 0 ? "-" : error_name(run->fault.error), shared->text);
    total++;
    wrong += shared->wrong != 0;
}

static void carry_out(const struct run *run, struct outcome *normal, struct counts *counts) {
    memset(counts, 0, sizeof *counts);
    memset((void *)shared, 0, sizeof *shared);
    fflush(stdout);
    pid_t subject = fork();
    if (subject < 0)
        die("fork");
    if (subject == 0)
        be_subject(run, normal);
    supervise(subject, &run->fault, counts);
    if (counts->hung)
        set_verdict(true, "WRONG: ", "hangs");
    else if (run->fault.number >= 0 && !counts->hit && !shared->wrong)
        set_verdict(false, "not reached", "");
    print_run(run);
}

/* The stretch of uses that is tried: the first ones and the last. */
static int next_use(int use, int uses, bool is_short) {
    const int first_ones = 3;
    if (is_short)
        return uses + 1;
    return use == first_ones && uses > first_ones + 1 ? uses : use + 1;
}

static void try_errors(struct run *run, const struct call_errors *call, int uses, struct outcome *normal,
                       bool is_short) {
    const int everywhere[] = {ENOSYS, EPERM, 0};
    struct counts counts;
    int lists = is_short && run->kernel != kernels ? 1 : 2;
    for (int use = 1; use <= uses; use = next_use(use, uses, is_short)) {
        run->fault.use = use;
        for (int list = 0; list < lists; list++) {
            for (int i = 0; list == 0 ? everywhere[i] != 0 : i < ERRORS_MAX && call->errors[i] != 0; i++) {
                run->fault.error = list == 0 ? everywhere[i] : call->errors[i];
                carry_out(run, normal, &counts);
            }
        }
    }
}

static void try_scenario(const struct scenario *scenario, const struct kernel *kernel, bool warm, bool is_short,
                         struct outcome *normal) {
    struct run run = {scenario, kernel, warm, {kernel->rules, PARENT, -1, 0, 0}};
    struct counts counts;
    carry_out(&run, normal, &counts);
    if (shared->wrong)
        return;
    for (int who = 0; who < WHO_COUNT; who++) {
        for (int number = 0; number < CALLS; number++) {
            const struct call_errors *call = find_call_errors(number);
            if (counts.of[who][number] == 0 || number == SYS_exit_group)
                continue;
            if (call == NULL) {
                printf("%s\t%s\t%s\t-\t-\tsystem call %d\t0\t-\tWRONG: no list of its errors\n", scenario->family,
                       scenario->name, kernel->name, number);
                wrong++;
                continue;
            }
            run.fault.who = (enum who)who;
            run.fault.number = number;
            try_errors(&run, call, counts.of[who][number], normal, is_short);
        }
    }
}

int main(int argc, char **argv) {
    bool is_short = argc > 2 && is(argv[2], "short");
    if (argc < 2 || realpath("/proc/self/exe", witness) == NULL)
        return 99;
    strcpy(strrchr(witness, '/') + 1, "witness");
    start_reporting();
    make_shared();
    struct outcome *normal = mmap(NULL, sizeof *normal, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        const struct scenario *scenario = &scenarios[i];
        if (!is(argv[1], scenario->family) || (is_short && !scenario->in_short) ||
            (scenario->needs_root && geteuid() != 0) || (argc > 3 && !is(argv[3], scenario->name)))
            continue;
        for (size_t k = 0; k < sizeof kernels / sizeof kernels[0]; k++)
            for (int warm = 0; warm <= 1; warm++)
                if (!is_short || (kernels[k].in_short && warm == (k == 0)))
                    try_scenario(scenario, &kernels[k], warm != 0, is_short, normal);
    }
    fflush(stdout);
    fprintf(stderr, "%ld runs, %ld wrong\n", total, wrong);
    return wrong > 0;
}
