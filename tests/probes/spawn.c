/* One posix_spawn, described by words:
 *
 *     spawn [WORD…] -- PROGRAM [ARG…]
 *
 * Words before the call arrange the parent (probe.h), describe the file actions in their order, the attributes, and how
 * the call is made. Prints "spawn: ok" or the name of the error that was returned, how the child ended, and one line
 * for everything that is not as it was before. */
#include "probe.h"

#include <pty.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                           char *const[], char *const[]);

/* The older version of each function, which a program built against an old libc still asks for. */
#if defined __GLIBC__ && defined __x86_64__
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2.5");
__asm__(".symver old_posix_spawnp, posix_spawnp@GLIBC_2.2.5");
extern spawn_function old_posix_spawn, old_posix_spawnp;
#elif defined __GLIBC__ && defined __i386__
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2");
__asm__(".symver old_posix_spawnp, posix_spawnp@GLIBC_2.2");
extern spawn_function old_posix_spawn, old_posix_spawnp;
#else
#define old_posix_spawn posix_spawn
#define old_posix_spawnp posix_spawnp
#endif

static struct {
    spawn_function *function;
    const char *path;
    char *const *argv;
    char *const *envp;
    char *environment[64];
    size_t environment_count;
    bool no_argv, no_envp, explicit_envp, no_pid, no_actions, zero_actions, copy_actions, errno_too;
    bool check_lock;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    bool attributes_used;
    int repeat;
} call = {.function = posix_spawn, .repeat = 1};

static void add_flag(int flag) {
    short flags;
    posix_spawnattr_getflags(&call.attributes, &flags);
    posix_spawnattr_setflags(&call.attributes, (short)(flags | flag));
    call.attributes_used = true;
}

/* The error of a function that fills an object (a negative descriptor, say) belongs to libc; it is printed all the
 * same. */
static void set_error(const char *what, int error) {
    if (error != 0)
        fprintf(say, "%s: %s\n", what, error_name(error));
}

static void added(int error) {
    set_error("adding the action", error);
}

static int open_flags(const char *names) {
    int flags = strchr(names, 'w') != NULL ? O_WRONLY : O_RDONLY;
    flags |= strchr(names, 'c') != NULL ? O_CREAT : 0;
    flags |= strchr(names, 't') != NULL ? O_TRUNC : 0;
    flags |= strchr(names, 'a') != NULL ? O_APPEND : 0;
    flags |= strchr(names, 'x') != NULL ? O_EXCL : 0;
    flags |= strchr(names, 'e') != NULL ? O_CLOEXEC : 0;
    return flags;
}

/* A name that the caller frees right after the call that adds it: libc keeps a copy of its own. */
static int add_open(int fd, const char *path, const char *names) {
    char *copy = strdup(path);
    int error = posix_spawn_file_actions_addopen(&call.actions, fd, copy, open_flags(names), 0640);
    memset(copy, '?', strlen(copy));
    free(copy);
    return error;
}

static bool take_action(char ***words) {
    char **w = *words;
    if (is(w[0], "close"))
        added(posix_spawn_file_actions_addclose(&call.actions, atoi(w[1]))), *words += 2;
    else if (is(w[0], "dup2"))
        added(posix_spawn_file_actions_adddup2(&call.actions, atoi(w[1]), atoi(w[2]))), *words += 3;
    else if (is(w[0], "open"))
        added(add_open(atoi(w[1]), w[2], w[3])), *words += 4;
    else if (is(w[0], "chdir"))
        added(posix_spawn_file_actions_addchdir_np(&call.actions, w[1])), *words += 2;
    else if (is(w[0], "fchdir"))
        added(posix_spawn_file_actions_addfchdir_np(&call.actions, atoi(w[1]))), *words += 2;
    else if (is(w[0], "closefrom"))
        added(posix_spawn_file_actions_addclosefrom_np(&call.actions, atoi(w[1]))), *words += 2;
    else if (is(w[0], "tcsetpgrp"))
        added(posix_spawn_file_actions_addtcsetpgrp_np(&call.actions, atoi(w[1]))), *words += 2;
    else if (is(w[0], "closes")) {
        /* So many actions that libc had to enlarge its array again and again; only the last ones matter. */
        for (int i = 0; i < atoi(w[1]); i++)
            added(posix_spawn_file_actions_addclose(&call.actions, 1000 + i));
        *words += 2;
    } else
        return false;
    return true;
}

static void set_signals(int flag, const char *list) {
    sigset_t set;
    parse_signals(list, &set);
    if (flag == POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setsigdefault(&call.attributes, &set);
    else
        posix_spawnattr_setsigmask(&call.attributes, &set);
    add_flag(flag);
}

static void set_priority(const char *priority) {
    struct sched_param parameter = {.sched_priority = atoi(priority)};
    posix_spawnattr_setschedparam(&call.attributes, &parameter);
}

static bool take_attribute(char ***words) {
    char **w = *words;
    if (is(w[0], "setsid"))
        add_flag(POSIX_SPAWN_SETSID), *words += 1;
    else if (is(w[0], "usevfork"))
        add_flag(POSIX_SPAWN_USEVFORK), *words += 1;
    else if (is(w[0], "resetids"))
        differ_in_ids(), add_flag(POSIX_SPAWN_RESETIDS), *words += 1;
    else if (is(w[0], "setpgroup"))
        posix_spawnattr_setpgroup(&call.attributes, atoi(w[1])), add_flag(POSIX_SPAWN_SETPGROUP), *words += 2;
    else if (is(w[0], "sigdef"))
        set_signals(POSIX_SPAWN_SETSIGDEF, w[1]), *words += 2;
    else if (is(w[0], "sigmask"))
        set_signals(POSIX_SPAWN_SETSIGMASK, w[1]), *words += 2;
    else if (is(w[0], "schedparam"))
        set_priority(w[1]), add_flag(POSIX_SPAWN_SETSCHEDPARAM), *words += 2;
    else if (is(w[0], "scheduler")) {
        set_error("setting the policy", posix_spawnattr_setschedpolicy(&call.attributes, atoi(w[1])));
        set_priority(w[2]);
        add_flag(POSIX_SPAWN_SETSCHEDULER);
        *words += 3;
    } else if (is(w[0], "flags"))
        set_error("setting the flags", posix_spawnattr_setflags(&call.attributes, (short)strtol(w[1], NULL, 0))),
            *words += 2;
    else
        return false;
    return true;
}

static spawn_function *named_function(const char *name) {
    if (is(name, "spawnp"))
        return posix_spawnp;
    if (is(name, "old-spawn"))
        return old_posix_spawn;
    return is(name, "old-spawnp") ? old_posix_spawnp : posix_spawn;
}

/* A new session whose terminal is a pty, on descriptor number. */
static void have_terminal(int number) {
    int master, slave;
    if (setsid() < 0 || openpty(&master, &slave, NULL, NULL, NULL) != 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
        die("pty");
    fcntl(master, F_SETFD, FD_CLOEXEC);
    if (dup2(slave, number) < 0 || close(slave) != 0)
        die("pty");
}

/* Another process group of this session takes the terminal, so that this process is in the background. */
static void go_to_background(int terminal) {
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        _exit(tcsetpgrp(terminal, getpgrp()) != 0);
    }
    int status;
    if (wait_for(pid, &status) != pid || status != 0)
        die("tcsetpgrp");
}

static void lock_file(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0)
        die(path);
    call.check_lock = true;
    setenv("PROBE_LOCK", path, 1);
}

static void set_how(const char *how) {
    call.no_pid |= is(how, "no-pid");
    call.no_argv |= is(how, "no-argv");
    call.no_envp |= is(how, "no-envp");
    call.no_actions |= is(how, "no-actions");
    call.zero_actions |= is(how, "zero-actions");
    call.copy_actions |= is(how, "copy-actions");
    call.errno_too |= is(how, "errno");
    call.explicit_envp |= is(how, "empty-envp");
}

static bool take_call(char ***words) {
    char **w = *words;
    if (is(w[0], "call"))
        call.function = named_function(w[1]), *words += 2;
    else if (is(w[0], "how"))
        set_how(w[1]), *words += 2;
    else if (is(w[0], "path"))
        call.path = w[1], *words += 2;
    else if (is(w[0], "times"))
        call.repeat = atoi(w[1]), *words += 2;
    else if (is(w[0], "terminal"))
        have_terminal(atoi(w[1])), *words += 2;
    else if (is(w[0], "background"))
        go_to_background(atoi(w[1])), *words += 2;
    else if (is(w[0], "lock"))
        lock_file(w[1]), *words += 2;
    else if (is(w[0], "envp") && call.environment_count < 63) {
        call.environment[call.environment_count++] = w[1];
        call.explicit_envp = true;
        *words += 2;
    } else if (is(w[0], "huge")) {
        char *text = malloc((size_t)atol(w[1]) + 1);
        memset(text, 'x', (size_t)atol(w[1]));
        text[atol(w[1])] = '\0';
        call.environment[call.environment_count++] = text;
        call.explicit_envp = true;
        *words += 2;
    } else
        return false;
    return true;
}

/* Asked from another process: the one that holds a lock is never told of it. */
static void report_lock(void) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(getenv("PROBE_LOCK"), O_RDWR);
        _exit(fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK || lock.l_pid != getppid());
    }
    wait_for(pid, &status);
    fprintf(say, "the parent's lock: %s\n", status == 0 ? "held" : "lost");
}

static int make_call(pid_t *pid) {
    static posix_spawn_file_actions_t copy, zero;
    const posix_spawn_file_actions_t *actions = &call.actions;
    if (call.copy_actions) {
        memcpy(&copy, &call.actions, sizeof copy);
        actions = &copy;
    } else if (call.zero_actions)
        actions = &zero;
    else if (call.no_actions)
        actions = NULL;
    char *const *envp = call.no_envp ? NULL : call.explicit_envp ? call.environment : environ;
    return call.function(call.no_pid ? NULL : pid, call.path, actions, call.attributes_used ? &call.attributes : NULL,
                         call.no_argv ? NULL : call.argv, envp);
}

static void spawn_once(void) {
    static struct snapshot before, after;
    int status = 0;
    pid_t untouched = -12345, pid = untouched;
    take_snapshot(&before);
    errno = 4242;
    int error = make_call(&pid);
    int errno_after = errno;
    take_snapshot(&after);
    pid_t ended = error == 0 ? wait_for(pid == untouched ? -1 : pid, &status) : 0;
    fprintf(say, "spawn: %s\n", error_name(error));
    if (error != 0 && pid != untouched)
        fputs("the pid was written\n", say);
    if (error == 0 && (pid == untouched) != call.no_pid)
        fputs("the pid was not written\n", say);
    if (ended > 0)
        print_status("child", status);
    else if (error == 0)
        fprintf(say, "wait: %s\n", error_name(errno));
    if (call.errno_too && errno_after != 4242)
        fprintf(say, "errno became %s\n", error_name(errno_after));
    report_changes(&before, &after);
    report_children();
}

int main(int argc, char **argv) {
    char **words = argv + 1;
    start_reporting();
    posix_spawn_file_actions_init(&call.actions);
    posix_spawnattr_init(&call.attributes);
    while (*words != NULL && !is(*words, "--"))
        if (!arrange(&words) && !take_action(&words) && !take_attribute(&words) && !take_call(&words)) {
            fprintf(stderr, "spawn: no such word: %s\n", *words);
            return 99;
        }
    if (*words != NULL)
        words++;
    if (call.path == NULL)
        call.path = *words == NULL ? "" : *words;
    call.argv = words;
    for (int i = 0; i < call.repeat; i++)
        spawn_once();
    if (call.check_lock)
        report_lock();
    return argc < 1;
}
