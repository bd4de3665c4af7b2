/* Descriptions that are wrong: each must fail with a place and an errno, start nothing and leave nothing. */
#include "library.h"

#include <limits.h>
#include <sched.h>

static char *const argv[] = {"true", NULL};
static int callback_calls;

static int count_call(void *argument) {
    (void)argument;
    callback_calls++;
    return 0;
}

/* Every description here could run /bin/true; one that did is told apart by its status. What only a child could find
 * wrong is marked: no other description may start one. */
static void refuse(const char *what, struct airlock_command command) {
    struct airlock_timing timing;
    struct airlock_child child;
    struct airlock_error error;
    int status;
    printf("%s: ", what);
    if (airlock_spawn(&command, &child, &error, &timing) == 0) {
        wait_for(child.pid, &status);
        printf("%s\n", words(status));
        return;
    }
    printf("%s%s\n", text_of(&error, &command), timing.primitive == AIRLOCK_PRIMITIVE_NONE ? "" : ", said the child");
}

#define TRUE .path = "/bin/true", .argv = argv, .seal = AIRLOCK_SEAL
#define ONE_ACTION(...) .actions = (struct airlock_action[]){__VA_ARGS__}, .action_count = 1

static void program(void) {
    refuse("no program", (struct airlock_command){0});
    refuse("empty argv", (struct airlock_command){.argv = (char *[]){NULL}});
    refuse("no candidate", (struct airlock_command){.argv = argv, .candidates = (const char *[]){NULL}});
    refuse("empty path", (struct airlock_command){.path = "", .argv = argv});
    refuse("unknown search", (struct airlock_command){TRUE, .search = 9});
    refuse("unknown seal", (struct airlock_command){.path = "/bin/true", .argv = argv, .seal = 9});
    refuse("unknown flag", (struct airlock_command){TRUE, .flags = 1U << 31});
}

static void actions(void) {
    refuse("unknown kind", (struct airlock_command){TRUE, ONE_ACTION({.kind = 99})});
    refuse("negative close", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_CLOSE(-1))});
    refuse("negative source", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(-1, 5))});
    refuse("negative target", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(0, INT_MIN))});
    refuse("open without a path", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_OPEN(5, NULL, O_RDONLY, 0))});
    refuse("chdir without a path", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_CHDIR(NULL))});
    refuse("negative closefrom", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_CLOSEFROM(-1))});
    refuse("closed source", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(77, 5))});
    refuse("source above every limit", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(INT_MAX, 5))});
    refuse("target above every limit", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(0, INT_MAX))});
    refuse("closed directory", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_FCHDIR(77))});
    refuse("no terminal", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_TCSETPGRP(77))});
    refuse("no array", (struct airlock_command){TRUE, .action_count = 3});
    refuse("the third is wrong",
           (struct airlock_command){
               TRUE, .actions = (struct airlock_action[]){AIRLOCK_CLOSE(5), AIRLOCK_CLOSE(6), AIRLOCK_DUP2(77, 1)},
               .action_count = 3});
}

static void descriptors(void) {
    refuse("keep of -1", (struct airlock_command){TRUE, .keep = (int[]){5, -1}, .keep_count = 2});
    refuse("keep of INT_MAX", (struct airlock_command){TRUE, .keep = (int[]){INT_MAX, 0, INT_MAX}, .keep_count = 3});
    refuse("no keep", (struct airlock_command){TRUE, .keep_count = 1});
    refuse("inheritable INT_MAX", (struct airlock_command){TRUE, .keep = (int[]){INT_MAX}, .keep_count = 1,
                                                           .flags = AIRLOCK_MAKE_INHERITABLE});
    refuse("range upside down",
           (struct airlock_command){TRUE, .keep_ranges = (struct airlock_range[]){{9, 8}}, .keep_range_count = 1});
    refuse("negative range", (struct airlock_command){TRUE, .keep_ranges = (struct airlock_range[]){{3, 4}, {-5, 8}},
                                                      .keep_range_count = 2});
    refuse("range to INT_MAX", (struct airlock_command){TRUE, .keep_ranges = (struct airlock_range[]){{3, INT_MAX}},
                                                        .keep_range_count = 1});
    refuse("closed stdio", (struct airlock_command){TRUE, .stdio = (int[]){0, 77, 2}});
    refuse("stdio of INT_MAX", (struct airlock_command){TRUE, .stdio = (int[]){0, 1, INT_MAX}});
    refuse("stdio of INT_MIN", (struct airlock_command){TRUE, .stdio = (int[]){0, 1, INT_MIN}});
}

#define ACTIONS(n, ...) .actions = (struct airlock_action[]){__VA_ARGS__}, .action_count = (n)

/* 77 is open nowhere but where an action has made it. */
static void order(void) {
    refuse("made by dup2", (struct airlock_command){TRUE, ACTIONS(2, AIRLOCK_DUP2(0, 77), AIRLOCK_DUP2(77, 5))});
    refuse("made by open",
           (struct airlock_command){TRUE, ACTIONS(2, AIRLOCK_OPEN(77, "/", O_RDONLY, 0), AIRLOCK_FCHDIR(77))});
    refuse("made too late", (struct airlock_command){TRUE, ACTIONS(2, AIRLOCK_DUP2(77, 5), AIRLOCK_DUP2(0, 77))});
    refuse("closed again",
           (struct airlock_command){TRUE, ACTIONS(3, AIRLOCK_DUP2(0, 77), AIRLOCK_CLOSE(77), AIRLOCK_DUP2(77, 5))});
    refuse("closed with all above",
           (struct airlock_command){TRUE, ACTIONS(2, AIRLOCK_CLOSEFROM(2), AIRLOCK_DUP2(2, 5))});
    refuse("closed below", (struct airlock_command){TRUE, ACTIONS(2, AIRLOCK_CLOSEFROM(3), AIRLOCK_DUP2(2, 5))});
    refuse("made to be kept", (struct airlock_command){TRUE, ACTIONS(1, AIRLOCK_DUP2(0, 77)), .keep = (int[]){77},
                                                       .keep_count = 1, .flags = AIRLOCK_MAKE_INHERITABLE});
    int saved = dup(1);
    close(1);
    refuse("closed stream", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(1, 5))});
    refuse("made by stdio", (struct airlock_command){TRUE, .stdio = (int[]){0, 2, 2}, ONE_ACTION(AIRLOCK_DUP2(1, 5))});
    refuse("stdio is at once", (struct airlock_command){TRUE, .stdio = (int[]){0, 0, 1}});
    dup2(saved, 1);
    close(saved);
    refuse("in order", (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(77, 5)), .flags = AIRLOCK_IN_ORDER});
    refuse("in order, after the group",
           (struct airlock_command){TRUE, ONE_ACTION(AIRLOCK_DUP2(77, 5)), .process_group = 1 << 29,
                                    .flags = AIRLOCK_IN_ORDER | AIRLOCK_SETPGROUP});
}

static void attributes(void) {
    gid_t groups[1] = {0};
    refuse("death signal 65", (struct airlock_command){TRUE, .death_signal = 65});
    refuse("death signal -1", (struct airlock_command){TRUE, .death_signal = -1});
    refuse("group -1", (struct airlock_command){TRUE, .flags = AIRLOCK_SETPGROUP, .process_group = -1});
    refuse("foreign group", (struct airlock_command){TRUE, .flags = AIRLOCK_SETPGROUP, .process_group = 1 << 29});
    refuse("session and group", (struct airlock_command){TRUE, .flags = AIRLOCK_SETSID | AIRLOCK_SETPGROUP});
    refuse("uid -1", (struct airlock_command){TRUE, .flags = AIRLOCK_SETUID, .uid = (uid_t)-1});
    refuse("gid -1", (struct airlock_command){TRUE, .flags = AIRLOCK_SETGID, .gid = (gid_t)-1});
    refuse("no groups", (struct airlock_command){TRUE, .flags = AIRLOCK_SETGROUPS, .group_count = 1});
    refuse("too many groups",
           (struct airlock_command){TRUE, .flags = AIRLOCK_SETGROUPS, .groups = groups, .group_count = 1 << 20});
    refuse("the second group is -1", (struct airlock_command){TRUE, .flags = AIRLOCK_SETGROUPS,
                                                              .groups = (gid_t[]){0, (gid_t)-1}, .group_count = 2});
    refuse("priority 100", (struct airlock_command){TRUE, .flags = AIRLOCK_SETSCHEDPARAM, .scheduling_priority = 100});
    refuse("priority 1 without real time",
           (struct airlock_command){TRUE, .flags = AIRLOCK_SETSCHEDPARAM, .scheduling_priority = 1});
    refuse("unknown policy", (struct airlock_command){TRUE, .flags = AIRLOCK_SETSCHEDULER, .scheduling_policy = 77});
    refuse("policy -1", (struct airlock_command){TRUE, .flags = AIRLOCK_SETSCHEDULER, .scheduling_policy = -1});
    refuse("real time without a priority",
           (struct airlock_command){TRUE, .flags = AIRLOCK_SETSCHEDULER, .scheduling_policy = SCHED_FIFO});
    refuse("unknown policy, in order",
           (struct airlock_command){TRUE, .flags = AIRLOCK_SETSCHEDULER | AIRLOCK_IN_ORDER, .scheduling_policy = 77});
    refuse("closed cgroup", (struct airlock_command){TRUE, .flags = AIRLOCK_SETCGROUP, .cgroup = 77});
    refuse("cgroup -1", (struct airlock_command){TRUE, .flags = AIRLOCK_SETCGROUP, .cgroup = -1});
    refuse("no directory", (struct airlock_command){TRUE, .cwd = "/nowhere"});
    refuse("empty directory", (struct airlock_command){TRUE, .cwd = ""});
}

static void limits(void) {
    refuse("unknown resource",
           (struct airlock_command){TRUE, .limits = (struct airlock_limit[]){{99, 1, 1}}, .limit_count = 1});
    refuse("soft above hard",
           (struct airlock_command){TRUE, .limits = (struct airlock_limit[]){{RLIMIT_CORE, 0, 0}, {RLIMIT_CPU, 5, 4}},
                                    .limit_count = 2});
    refuse("no limits", (struct airlock_command){TRUE, .limit_count = 1});
    refuse("more than the system allows",
           (struct airlock_command){TRUE, .limits = (struct airlock_limit[]){{RLIMIT_NOFILE, 8, UINT64_MAX - 1}},
                                    .limit_count = 1});
}

/* A name that no file can have: the search must not overflow anything. */
static void long_names(void) {
    static char name[70000];
    memset(name, 'x', sizeof name - 1);
    refuse("long name", (struct airlock_command){.argv = (char *[]){name, NULL}, .search = AIRLOCK_SEARCH_PARENT_PATH});
    refuse("long path", (struct airlock_command){.path = name, .argv = argv});
    refuse("long directory", (struct airlock_command){TRUE, .cwd = name});
    refuse("long file",
           (struct airlock_command){TRUE, ACTIONS(2, AIRLOCK_CLOSE(5), AIRLOCK_OPEN(5, name, O_RDONLY, 0))});
    static char path[70100] = "PATH=";
    strcat(path, name);
    refuse("long PATH", (struct airlock_command){.argv = (char *[]){"no-such-program", NULL},
                                                 .envp = (char *[]){path, NULL},
                                                 .search = AIRLOCK_SEARCH_CHILD_PATH});
}

static void null_pointers(void) {
    struct airlock_command command = {TRUE};
    struct airlock_child child;
    struct airlock_error error;
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    const struct airlock_stream given[3] = {{AIRLOCK_STREAM_INHERIT, 0}, {AIRLOCK_STREAM_GIVEN, -1}};
    const struct airlock_stream unknown[3] = {{AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_PIPE, 0}, {77, 0}};
    printf("command: %s\n", error_name(airlock_spawn(NULL, &child, NULL, NULL)));
    printf("child: %s\n", error_name(airlock_spawn(&command, NULL, NULL, NULL)));
    printf("process: %s\n", error_name(airlock_process_start(&command, NULL, NULL, NULL, NULL)));
    airlock_process_start(&command, given, &process, &error, NULL);
    printf("given -1: %s\n", text_of(&error, NULL));
    airlock_process_start(&command, unknown, &process, &error, NULL);
    printf("unknown stream: %s\n", text_of(&error, NULL));
    command.stdio = (int[]){0, 1, 2};
    airlock_process_start(&command, given, &process, &error, NULL);
    printf("streams and stdio: %s\n", text_of(&error, NULL));
    printf("output: %s\n", error_name(airlock_collect(&command, 0, NULL, &error)));
    printf("exec with a pidfd: %s\n",
           error_name(airlock_exec(&(struct airlock_command){TRUE, .flags = AIRLOCK_WANT_PIDFD}, NULL)));
    struct airlock_output garbage = {.out = (char *)16, .err = (char *)16};
    printf("handle of nothing: wait %s, try_wait %s, kill %s, communicate %s, its output freed\n",
           error_name(airlock_process_wait(&process, NULL)), error_name(airlock_process_try_wait(&process, NULL)),
           error_name(airlock_process_kill(&process, SIGKILL)),
           error_name(airlock_process_communicate(&process, NULL, 0, 0, &garbage)));
    airlock_output_free(&garbage);
    airlock_process_close(&process);
    struct airlock_process zeros = {0};
    printf("handle of zeros: communicate %s, ", error_name(airlock_process_communicate(&zeros, NULL, 0, 0, &garbage)));
    airlock_process_close(&zeros);
    printf("standard streams %s\n", fcntl(0, F_GETFD) >= 0 && zeros.in == -1 ? "open" : "closed");
}

/* In the memory of a child of its own the count would stay 0 in any case; here the description is refused before. */
static void callback(void) {
    refuse("with callback", (struct airlock_command){TRUE, .before_exec = count_call, .death_signal = 99});
    printf("calls: %d\n", callback_calls);
}

int main(int argc, char **arguments) {
    static const struct test_case cases[] = {
        {"program", program},       {"actions", actions}, {"descriptors", descriptors}, {"order", order},
        {"attributes", attributes}, {"limits", limits},   {"long-names", long_names},   {"null", null_pointers},
        {"callback", callback},     {NULL, NULL}};
    return run_case(argc, arguments, cases);
}
