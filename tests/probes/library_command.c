/* What a description can ask for, beyond what posix_spawn offers: each case starts children that show it. */
#include "library.h"

#include <limits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/statfs.h>

/* ---- Standard streams. 0, 1, 2 and 5 are files of these names; the child says which one each of its own became. */

static const char *directory;

static int open_in(const char *name, int flags) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return open(path, flags | O_CLOEXEC, 0600);
}

static void put(int number, const char *name, int flags) {
    int fd = open_in(name, O_RDWR | O_CREAT);
    if (dup3(fd, number, flags) < 0)
        die(name);
    close(fd);
}

/* The last letters of the lines that the child wrote: the names of its three files. */
static void read_names(int result, char names[4]) {
    char text[4096] = "";
    ssize_t length = pread(result, text, sizeof text - 1, 0);
    size_t count = 0;
    for (ssize_t i = 1; i < length && count < 3; i++)
        if (text[i] == '\n')
            names[count++] = text[i - 1];
    names[count] = '\0';
}

static bool stdio_becomes(const int sources[3]) {
    struct airlock_command show = {SHELL("(exec readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 >&7); true"),
                                   .keep = (int[]){7}, .keep_count = 1, .flags = AIRLOCK_MAKE_INHERITABLE,
                                   .stdio = sources};
    struct airlock_child child;
    int status;
    char names[4], expected[4] = "";
    int result = open_in("result", O_RDWR | O_CREAT | O_TRUNC);
    if (dup3(result, 7, O_CLOEXEC) < 0)
        die("result");
    close(result);
    if (airlock_spawn(&show, &child, NULL, NULL) == 0)
        wait_for(child.pid, &status);
    read_names(7, names);
    close(7);
    for (int i = 0; i < 3; i++)
        expected[i] = (char)('0' + (sources[i] < 0 ? i : sources[i]));
    return strcmp(names, expected) == 0;
}

/* Every way in which the three can come from each other, from elsewhere, or stay. */
static void stdio(void) {
    static const int from[] = {-1, 0, 1, 2, 5};
    static const char *const own[] = {"0", "1", "2"};
    int saved[3], right = 0;
    directory = case_words[0];
    for (int fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 20);
        put(fd, own[fd], 0);
    }
    put(5, "5", O_CLOEXEC);
    for (int i = 0; i < 125; i++)
        right += stdio_becomes((int[]){from[i / 25], from[i / 5 % 5], from[i % 5]});
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    close(5);
    printf("%d of 125\n", right);
}

/* ---- Descriptors. */

static void keep(void) {
    int numbers[] = {9, 5, 9, 1000, 5, 12};
    struct airlock_range ranges[] = {{14, 15}, {8, 10}, {9, 9}};
    for (int fd = 3; fd < 20; fd++)
        dup2(0, fd);
    struct airlock_command command = {SHELL("cd /proc/$$/fd && echo *"), .keep = numbers, .keep_count = 6,
                                      .keep_ranges = ranges, .keep_range_count = 3};
    collect_and_tell(&command);
    for (int fd = 3; fd < 20; fd++)
        close(fd);
}

/* A kept descriptor whose number is far above all others, and above a limit that was lowered after it was opened. */
static void keep_high(void) {
    struct rlimit limit;
    struct airlock_command command = {SHELL("cd /proc/$$/fd && echo *"), .keep = (int[]){3000}, .keep_count = 1};
    dup2(0, 3000);
    collect_and_tell(&command);
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 500;
    setrlimit(RLIMIT_NOFILE, &limit);
    collect_and_tell(&command);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
    close(3000);
}

/* A range from low numbers to high ones, beside a source so high that it is brought over by itself. */
static void keep_across(void) {
    struct airlock_command command = {SHELL("cd /proc/$$/fd && echo *"),
                                      .keep_ranges = (struct airlock_range[]){{4, 300}}, .keep_range_count = 1,
                                      .actions = (struct airlock_action[]){AIRLOCK_DUP2(3000, 5)}, .action_count = 1};
    /* Without a report pipe, as from the second spawn on: the number of that would be copied, and all below it. */
    airlock_run(&(struct airlock_command){SHELL("exit 0")}, NULL, NULL);
    dup2(0, 9);
    dup2(0, 299);
    dup2(0, 3000);
    collect_and_tell(&command);
    close(9);
    close(299);
    close(3000);
}

static void inheritable(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct airlock_command command = {SHELL("cd /proc/$$/fd && echo *"), .keep = &fd, .keep_count = 1};
    collect_and_tell(&command);
    command.flags = AIRLOCK_MAKE_INHERITABLE;
    collect_and_tell(&command);
    command.seal = AIRLOCK_SEAL_NONE;
    collect_and_tell(&command);
    printf("in the parent: %s\n", fcntl(fd, F_GETFD) == FD_CLOEXEC ? "close-on-exec" : "inheritable");
    close(fd);
}

static void directories(void) {
    int root = open("/", O_PATH | O_CLOEXEC);
    struct airlock_command command = {SHELL("pwd"), .actions = (struct airlock_action[]){AIRLOCK_FCHDIR(root)},
                                      .action_count = 1};
    collect_and_tell(&command);
    command.cwd = "proc"; /* relative to what the actions left */
    collect_and_tell(&command);
    close(root);
}

static void close_from(void) {
    for (int fd = 3; fd < 9; fd++)
        dup2(0, fd);
    struct airlock_command command = {.path = "/bin/sh",
                                      .argv = (char *[]){"sh", "-c", "cd /proc/$$/fd && echo *", NULL},
                                      .actions = (struct airlock_action[]){AIRLOCK_CLOSEFROM(5)},
                                      .action_count = 1};
    collect_and_tell(&command);
    for (int fd = 3; fd < 9; fd++)
        close(fd);
}

/* ---- What to execute. */

static int nothing(void *argument) {
    (void)argument;
    return 0;
}

static void candidates(void) {
    const char *const lists[][3] = {
        {"/nowhere/a", "/bin/true", NULL},     {"/nowhere/a", "/nowhere/b", NULL},  {"/etc/passwd", "/nowhere/b", NULL},
        {"/etc/passwd/x", "/nowhere/b", NULL}, {"/nowhere/a", "/etc/passwd", NULL},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        spawn_and_tell(&(struct airlock_command){.argv = (char *[]){"true", NULL}, .candidates = lists[i]});
}

/* The parent's PATH names a folder with one program "which", the child's another. */
static void search(void) {
    char parent_path[PATH_MAX], child_path[PATH_MAX];
    snprintf(parent_path, sizeof parent_path, "%s/parent", case_words[0]);
    snprintf(child_path, sizeof child_path, "PATH=%s/child", case_words[0]);
    setenv("PATH", parent_path, 1);
    struct airlock_command command = {.argv = (char *[]){"which-one", NULL}, .seal = AIRLOCK_SEAL};
    for (command.search = AIRLOCK_SEARCH_NONE; command.search <= AIRLOCK_SEARCH_CHILD_PATH; command.search++) {
        command.envp = (char *[]){child_path, NULL};
        collect_and_tell(&command);
        command.envp = (char *[]){"A=1", NULL};
        collect_and_tell(&command);
    }
}

/* A file without #! is run by a shell, which has to be told where it is; $0 says what it was told. */
static void shell(void) {
    const char *const list[] = {"/nowhere/script", case_words[0], NULL};
    struct airlock_command command = {
        .argv = (char *[]){"script", "word", NULL}, .seal = AIRLOCK_SEAL, .flags = AIRLOCK_SHELL_FALLBACK};
    command.path = case_words[0];
    collect_and_tell(&command);
    command.path = NULL;
    command.candidates = list;
    collect_and_tell(&command);
    command.candidates = NULL;
    command.search = AIRLOCK_SEARCH_PARENT_PATH;
    setenv("PATH", case_words[1], 1);
    collect_and_tell(&command);
    command.flags = 0;
    spawn_and_tell(&command);
}

/* A path without a slash at its beginning is looked for in the new directory, wherever that came from. */
static void relative(void) {
    int elsewhere = open(case_words[0], O_PATH | O_CLOEXEC);
    struct airlock_command command = {.path = "parent/which-one", .argv = (char *[]){"x", NULL}, .seal = AIRLOCK_SEAL};
    collect_and_tell(&command);
    command.cwd = case_words[0];
    collect_and_tell(&command);
    command.cwd = NULL;
    command.actions = (struct airlock_action[]){AIRLOCK_FCHDIR(elsewhere)};
    command.action_count = 1;
    collect_and_tell(&command);
    setenv("PATH", "parent", 1);
    command.path = "which-one";
    command.search = AIRLOCK_SEARCH_PARENT_PATH;
    collect_and_tell(&command);
    close(elsewhere);
}

static void environment(void) {
    struct airlock_command command = {.path = "/usr/bin/env", .argv = (char *[]){"env", NULL}, .seal = AIRLOCK_SEAL};
    clearenv();
    setenv("EARLY", "1", 1);
    command.envp = (char *[]){"ONLY=\xff\xfe", "=odd", "no equals sign", NULL};
    collect_and_tell(&command);
    command.envp = (char *[]){NULL};
    collect_and_tell(&command);
    command.envp = NULL;
    setenv("LATE", "2", 1); /* the environment is that of the call, not of the description */
    collect_and_tell(&command);
}

/* argv[0] is free, and bytes of all kinds and empty strings come through. */
static void arguments(void) {
    struct airlock_command command = {
        .path = "/bin/sh",
        .seal = AIRLOCK_SEAL,
        .argv = (char *[]){"sh", "-c", "printf '[%s]' \"$0\" \"$@\"", "my name", "", "\xff\x01", "two words", NULL}};
    collect_and_tell(&command);
    command.argv = (char *[]){"quite another name", "-c", "tr '\\0' ' ' </proc/$$/cmdline | cut -d ' ' -f 1-3", NULL};
    collect_and_tell(&command);
}

/* Without AIRLOCK_SETMASK the mask is the calling thread's, on every path. */
static void inherited_mask(void) {
    struct airlock_command command = {.path = "/bin/sed",
                                      .seal = AIRLOCK_SEAL,
                                      .argv = (char *[]){"sed", "-n", "/SigBlk/p", "/proc/self/status", NULL}};
    sigset_t before;
    sigprocmask(SIG_BLOCK, NULL, &before);
    block_signals("INT,64");
    collect_and_tell(&command);
    command.before_exec = nothing;
    collect_and_tell(&command);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- Attributes. */

static void attributes(void) {
    struct airlock_command command = {SHELL("umask; ulimit -n; ulimit -c; cut -d' ' -f 40,41 /proc/$$/stat")};
    command.flags = AIRLOCK_SETUMASK | AIRLOCK_SETSCHEDULER;
    command.umask = 0137;
    command.scheduling_policy = SCHED_RR;
    command.scheduling_priority = 3;
    command.limits = (struct airlock_limit[]){{RLIMIT_NOFILE, 11, 64}, {RLIMIT_CORE, 0, 0}};
    command.limit_count = 2;
    collect_and_tell(&command);
}

/* A limit of descriptors so low that nothing could be prepared under it. */
static void last_limit(void) {
    struct airlock_command command = {
        SHELL("ulimit -n"), .actions = (struct airlock_action[]){AIRLOCK_OPEN(9, "/dev/null", O_RDONLY, 0)},
        .action_count = 1, .limits = (struct airlock_limit[]){{RLIMIT_NOFILE, 4, 4}}, .limit_count = 1};
    collect_and_tell(&command);
}

static void session_and_group(void) {
    const char *script = "set -- $(cut -d' ' -f 1,5,6 /proc/$$/stat); [ $1 = $2 ] && echo leads a group; "
                         "[ $1 = $3 ] && echo leads a session; true";
    collect_and_tell(&(struct airlock_command){SHELL(script)});
    collect_and_tell(&(struct airlock_command){SHELL(script), .flags = AIRLOCK_SETPGROUP});
    collect_and_tell(&(struct airlock_command){SHELL(script), .flags = AIRLOCK_SETSID});
}

static void ids(void) {
    gid_t groups[] = {7, 5};
    gid_t own[] = {1, 2, 3};
    /* The process's own extra groups, which must not reach another user by oversight. */
#ifdef SYS_setgroups32
    const long call = SYS_setgroups32; /* the other one has ids of 16 bits */
#else
    const long call = SYS_setgroups;
#endif
    if (syscall(call, 3, own) != 0)
        die("setgroups");
    const char *script = "echo $(grep -E '^(Uid|Gid|Groups)' /proc/$$/status)";
    struct airlock_command command = {SHELL(script)};
    collect_and_tell(&command);
    command.flags = AIRLOCK_SETUID | AIRLOCK_SETGID;
    command.uid = 1000;
    command.gid = 1001;
    collect_and_tell(&command);
    command.flags |= AIRLOCK_KEEP_GROUPS;
    collect_and_tell(&command);
    command.flags |= AIRLOCK_SETGROUPS;
    command.groups = groups;
    command.group_count = 2;
    collect_and_tell(&command);
    command.group_count = 0;
    collect_and_tell(&command);
    printf("dumpable: %d\n", prctl(PR_GET_DUMPABLE));
}

static void death_signal(void) {
    struct airlock_command command = {SHELL("kill -9 $PPID; exec sleep 60"), .death_signal = SIGTERM};
    /* The shell kills its parent, which is a child of ours; what is left of it must end. */
    struct airlock_child child;
    int alive[2], status;
    char byte;
    airlock_pipe(alive);
    pid_t middle = fork();
    if (middle == 0) {
        command.keep = &alive[1];
        command.keep_count = 1;
        command.flags = AIRLOCK_MAKE_INHERITABLE | AIRLOCK_SETUID | AIRLOCK_SETGID;
        airlock_spawn(&command, &child, NULL, NULL);
        for (;;)
            pause();
    }
    close(alive[1]);
    wait_for(middle, &status);
    printf("the parent was %s\n", words(status));
    errno = 4711;
    while (read(alive[0], &byte, 1) > 0)
        continue;
    puts("the child is gone");
    close(alive[0]);
}

static void cgroup(void) {
    struct airlock_command command = {SHELL("cat /proc/self/cgroup"), .flags = AIRLOCK_SETCGROUP};
    command.cgroup = open(case_words[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
    collect_and_tell(&command);
    close(command.cgroup);
}

/* A terminal of our own whose foreground group the child becomes. */
static void terminal(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, sizeof name) != 0)
        die("terminal");
    setsid();
    int slave = open(name, O_RDWR | O_CLOEXEC);
    save_dispositions();
    signal(SIGHUP, SIG_IGN);
    signal(SIGTTOU, SIG_DFL);
    struct airlock_command command = {
        SHELL("set -- $(cut -d' ' -f 5,8 /proc/$$/stat); [ $1 = $2 ] && echo in front"), .flags = AIRLOCK_SETPGROUP,
        .actions = (struct airlock_action[]){AIRLOCK_TCSETPGRP(slave)}, .action_count = 1};
    collect_and_tell(&command);
    close(slave);
    close(master);
    restore_dispositions();
    errno = 4711;
}

static void signals(void) {
    uint64_t mask = AIRLOCK_SIGNAL(SIGUSR1) | AIRLOCK_SIGNAL(64);
    save_dispositions();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGHUP, count_signal);
    struct airlock_command command = {.path = "/bin/sed",
                                      .argv =
                                          (char *[]){"sed", "-nE", "/Sig(Blk|Ign|Cgt)/p", "/proc/self/status", NULL},
                                      .flags = AIRLOCK_SETMASK,
                                      .mask = mask,
                                      .default_signals = AIRLOCK_SIGNAL(SIGPIPE) | AIRLOCK_SIGNAL(SIGXFSZ)};
    collect_and_tell(&command);
    restore_dispositions();
}

/* ---- The callback. */

static int forks;

static void count_fork(void) {
    forks++;
}

static int fail_with_enotty(void *argument) {
    (void)argument;
    return ENOTTY;
}

static int change_environment(void *argument) {
    setenv("FRUIT", argument, 1);
    return 0;
}

static int block_usr1(void *argument) {
    (void)argument;
    sigset_t set;
    parse_signals("USR1", &set);
    return sigprocmask(SIG_BLOCK, &set, NULL);
}

static int abort_now(void *argument) {
    (void)argument;
    abort();
}

static void callback(void) {
    struct airlock_command command = {SHELL("echo $FRUIT"), .before_exec = change_environment,
                                      .before_exec_argument = (char *)"apple"};
    pthread_atfork(count_fork, NULL, NULL);
    collect_and_tell(&command);
    printf("prepared for fork %d time, FRUIT here is %s\n", forks, getenv("FRUIT") == NULL ? "not set" : "set");
    command = (struct airlock_command){.path = "/bin/sed",
                                       .argv = (char *[]){"sed", "-n", "/SigBlk/p", "/proc/self/status", NULL},
                                       .before_exec = block_usr1};
    collect_and_tell(&command);
    command = (struct airlock_command){SHELL("true"), .before_exec = fail_with_enotty};
    collect_and_tell(&command);
    command.before_exec = abort_now;
    command.limits = (struct airlock_limit[]){{RLIMIT_CORE, 0, 0}};
    spawn_and_tell(&command);
    command.before_exec = NULL;
    forks = 0;
    collect_and_tell(&command);
    printf("prepared for fork %d times without a callback\n", forks);
}

/* ---- How the child was made. */

static void describe(const char *what, struct airlock_command command) {
    struct airlock_timing timing;
    struct airlock_child child;
    struct airlock_error error;
    int status, code = airlock_spawn(&command, &child, &error, &timing);
    if (code == 0)
        wait_for(child.pid, &status);
    printf("%s: %s, %s, %s", what, airlock_primitive_name(timing.primitive),
           timing.shared_memory ? "shared memory" : "copied memory", timing.cut ? "cut" : "whole table");
    bool timed = timing.start_ns > 0 && timing.prepare_ns > 0 && timing.clone_ns > 0 && timing.setup_ns > 0 &&
                 ((code != 0 && error.step != AIRLOCK_STEP_EXEC) || timing.exec_ns > 0);
    printf("%s%s%s%s\n", timed ? "" : ", a phase without a time", code == 0 ? "" : ", ",
           code == 0 ? "" : text_of(&error, &command), timing.exec_ns > 0 ? "" : ", before exec");
}

#define TRUE .path = "/bin/true", .argv = (char *[]){"true", NULL}, .seal = AIRLOCK_SEAL

static void paths(void) {
    gid_t group = 0;
    int pipe_ends[2];
    airlock_pipe(pipe_ends);
    describe("plain", (struct airlock_command){TRUE});
    describe("no seal", (struct airlock_command){.path = "/bin/true", .argv = (char *[]){"true", NULL}});
    describe("session", (struct airlock_command){TRUE, .flags = AIRLOCK_SETSID});
    describe("group", (struct airlock_command){TRUE, .flags = AIRLOCK_SETPGROUP});
    describe("directory", (struct airlock_command){TRUE, .cwd = "/"});
    describe("umask", (struct airlock_command){TRUE, .flags = AIRLOCK_SETUMASK});
    describe("signals", (struct airlock_command){TRUE, .flags = AIRLOCK_SETMASK, .default_signals = ~0ULL});
    describe("streams", (struct airlock_command){TRUE, .stdio = (int[]){pipe_ends[0], pipe_ends[1], pipe_ends[1]}});
    describe("limits",
             (struct airlock_command){TRUE, .limits = (struct airlock_limit[]){{RLIMIT_CORE, 0, 0}}, .limit_count = 1});
    describe("death signal", (struct airlock_command){TRUE, .death_signal = SIGKILL});
    describe("search", (struct airlock_command){.argv = (char *[]){"true", NULL},
                                                .seal = AIRLOCK_SEAL,
                                                .search = AIRLOCK_SEARCH_CHILD_PATH,
                                                .envp = (char *[]){"A=1", NULL}});
    describe("failure", (struct airlock_command){.path = "/nowhere", .argv = (char *[]){"x", NULL}});
    describe("failed step", (struct airlock_command){TRUE, .cwd = "/nowhere"});
    describe("failed callback", (struct airlock_command){TRUE, .before_exec = fail_with_enotty});
    describe("user", (struct airlock_command){TRUE, .flags = AIRLOCK_SETUID});
    describe("group id", (struct airlock_command){TRUE, .flags = AIRLOCK_SETGID});
    describe("groups", (struct airlock_command){TRUE, .flags = AIRLOCK_SETGROUPS, .groups = &group, .group_count = 1});
    describe("callback", (struct airlock_command){TRUE, .before_exec = nothing});
    describe("asked for", (struct airlock_command){TRUE, .flags = AIRLOCK_NO_SHARED_MEMORY});
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void reset_signals(void) {
    struct airlock_command command = {TRUE, .default_signals = AIRLOCK_SIGNAL(SIGUSR1) | AIRLOCK_SIGNAL(SIGUSR2)};
    const char *const files[] = {"/bin/true", "/nowhere"};
    save_dispositions();
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        struct airlock_timing timing;
        struct airlock_child child;
        command.path = files[i];
        int code = airlock_spawn(&command, &child, NULL, &timing);
        if (code == 0)
            wait_for(child.pid, NULL);
        printf("%s, reset: %s\n", airlock_primitive_name(timing.primitive),
               timing.signals_reset == AIRLOCK_SIGNAL(SIGUSR2) ? "SIGUSR2" : "something else");
    }
    restore_dispositions();
}

/* ---- In place of this process. */

static void become(void) {
    struct airlock_command failing = {.path = "/nowhere", .argv = (char *[]){"x", NULL}};
    struct airlock_error error;
    signal(SIGUSR2, SIG_IGN);
    airlock_exec(&failing, &error);
    printf("%s\n", text_of(&error, &failing));
    fflush(stdout);
    int fd = open("/dev/null", O_RDONLY);
    struct airlock_command command = {
        SHELL("echo pid $(($$ - PID)); pwd; grep SigIgn /proc/self/status; cd /proc/$$/fd && echo *"), .cwd = "/",
        .default_signals = AIRLOCK_SIGNAL(SIGUSR2), .actions = (struct airlock_action[]){AIRLOCK_DUP2(fd, 9)},
        .action_count = 1};
    char pid[32];
    snprintf(pid, sizeof pid, "PID=%d", getpid());
    command.envp = (char *[]){pid, "PATH=/bin:/usr/bin", NULL};
    airlock_exec(&command, &error);
    printf("%s\n", text_of(&error, &command));
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {{"stdio", stdio},
                                             {"keep", keep},
                                             {"keep-high", keep_high},
                                             {"keep-across", keep_across},
                                             {"inheritable", inheritable},
                                             {"directories", directories},
                                             {"closefrom", close_from},
                                             {"candidates", candidates},
                                             {"search", search},
                                             {"shell", shell},
                                             {"relative", relative},
                                             {"environment", environment},
                                             {"arguments", arguments},
                                             {"mask", inherited_mask},
                                             {"attributes", attributes},
                                             {"last-limit", last_limit},
                                             {"session", session_and_group},
                                             {"ids", ids},
                                             {"death-signal", death_signal},
                                             {"cgroup", cgroup},
                                             {"terminal", terminal},
                                             {"signals", signals},
                                             {"callback", callback},
                                             {"paths", paths},
                                             {"reset-signals", reset_signals},
                                             {"become", become},
                                             {NULL, NULL}};
    return run_case(argc, argv, cases);
}
