/* airlock: starting processes safely on Linux.
 *
 * This header is the manual of the core. A child is described by one plain value, struct airlock_command; it has no
 * hidden state, needs no init and no destroy, and owns nothing: every pointer in it belongs to the caller and has to
 * stay valid until airlock_spawn returns. A zeroed field means "as the parent has it", so that designated
 * initialisers say only what differs:
 *
 *     struct airlock_command ls = {
 *         .argv = (char *[]){"ls", "-l", NULL},
 *         .search = AIRLOCK_SEARCH_PARENT_PATH,
 *         .actions = (struct airlock_action[]){AIRLOCK_DUP2(pipe_out, 1)}, .action_count = 1,
 *         .seal = AIRLOCK_SEAL,
 *     };
 *     struct airlock_child child;
 *     struct airlock_error error;
 *     if (airlock_spawn(&ls, &child, &error, NULL) != 0) ...
 *
 * Functions that can fail return 0 or an errno value, and never change errno. */
#ifndef AIRLOCK_H
#define AIRLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define AIRLOCK_API __attribute__((visibility("default")))
#else
#define AIRLOCK_API
#endif

#define AIRLOCK_VERSION "0.1.0"

/* A set of signals: bit n-1 stands for signal n, 1 to 64 (the kernel's own format). */
typedef uint64_t airlock_signals;
#define AIRLOCK_SIGNAL(n) ((airlock_signals)1 << ((n)-1))

/* Descriptors first to last, both included. */
struct airlock_range {
    int first;
    int last;
};

/* What an action does to the child's descriptor table, working directory or terminal. The actions are carried out in
 * their order, as POSIX describes it for posix_spawn file actions. */
enum airlock_action_kind {
    AIRLOCK_ACTION_CLOSE,     /* close fd; a number that is not open is no error (glibc) */
    AIRLOCK_ACTION_DUP2,      /* source becomes fd; source == fd clears close-on-exec (POSIX, Austin Group 411) */
    AIRLOCK_ACTION_OPEN,      /* close fd, then open path as fd with flags and mode (POSIX) */
    AIRLOCK_ACTION_CHDIR,     /* chdir to path */
    AIRLOCK_ACTION_FCHDIR,    /* fchdir to fd */
    AIRLOCK_ACTION_CLOSEFROM, /* close fd and every descriptor above it */
    AIRLOCK_ACTION_TCSETPGRP, /* make the child's process group the foreground group of terminal fd */
};

struct airlock_action {
    enum airlock_action_kind kind;
    int fd;           /* the descriptor that the action is about: for dup2 and open, the target */
    int source;       /* dup2: the descriptor that is duplicated */
    int flags;        /* open: open(2)'s flags. As in glibc, O_CLOEXEC lasts only when open gives the number fd at once.
                         dup2: enum airlock_source; 0 for any descriptor */
    mode_t mode;      /* open: permissions of a new file */
    const char *path; /* open, chdir */
};

/* What the caller knows of a dup2 action's source. An end of a pipe that was made for this child, with no flags set and
 * nobody else using it, may be opened anew in the child instead of being duplicated: that is how a high one gets there
 * where pidfd_getfd(2) is refused. */
enum airlock_source {
    AIRLOCK_SOURCE_ANY,
    AIRLOCK_SOURCE_FRESH_READ_END,
    AIRLOCK_SOURCE_FRESH_WRITE_END,
};

#ifdef __cplusplus
#define AIRLOCK_ACTION(kind, fd, source, flags, mode, path) (airlock_action{kind, fd, source, flags, mode, path})
#else
#define AIRLOCK_ACTION(kind, fd, source, flags, mode, path)                                                            \
    ((struct airlock_action){kind, fd, source, flags, mode, path})
#endif
#define AIRLOCK_CLOSE(n) AIRLOCK_ACTION(AIRLOCK_ACTION_CLOSE, (n), 0, 0, 0, 0)
#define AIRLOCK_DUP2(from, to) AIRLOCK_ACTION(AIRLOCK_ACTION_DUP2, (to), (from), 0, 0, 0)
#define AIRLOCK_OPEN(n, file, how, permissions)                                                                        \
    AIRLOCK_ACTION(AIRLOCK_ACTION_OPEN, (n), 0, (how), (permissions), (file))
#define AIRLOCK_CHDIR(directory) AIRLOCK_ACTION(AIRLOCK_ACTION_CHDIR, 0, 0, 0, 0, (directory))
#define AIRLOCK_FCHDIR(n) AIRLOCK_ACTION(AIRLOCK_ACTION_FCHDIR, (n), 0, 0, 0, 0)
#define AIRLOCK_CLOSEFROM(n) AIRLOCK_ACTION(AIRLOCK_ACTION_CLOSEFROM, (n), 0, 0, 0, 0)
#define AIRLOCK_TCSETPGRP(n) AIRLOCK_ACTION(AIRLOCK_ACTION_TCSETPGRP, (n), 0, 0, 0, 0)

/* A limit of the child: resource is one of RLIMIT_*, soft and hard are in setrlimit(2)'s units; UINT64_MAX is
 * none (RLIM_INFINITY may be a smaller number where long has 32 bits). */
struct airlock_limit {
    int resource;
    uint64_t soft;
    uint64_t hard;
};

/* Where a program name without a slash is looked for. A name with a slash is never searched. */
enum airlock_search {
    AIRLOCK_SEARCH_NONE,        /* nowhere: path is the file, as for execve and posix_spawn */
    AIRLOCK_SEARCH_PARENT_PATH, /* the parent's PATH whatever envp says, as for posix_spawnp in glibc */
    AIRLOCK_SEARCH_CHILD_PATH,  /* PATH in envp when it has one, else the parent's, as Rust and libuv do */
};

enum airlock_seal {
    AIRLOCK_SEAL_NONE, /* the child inherits what is not close-on-exec, as with execve alone */
    AIRLOCK_SEAL,      /* the child keeps 0 to 2, targets of dup2 and open actions, stdio, keep and keep_ranges;
                          everything else is closed by exec, however many there are. "Keep" leaves a descriptor's
                          close-on-exec flag as it is. */
};

/* What a field of the description is for the fields whose zero is a value of its own. */
enum airlock_flag {
    AIRLOCK_SETSID = 1 << 0,            /* lead a new session (setsid(2)) */
    AIRLOCK_SETPGROUP = 1 << 1,         /* join process_group; 0 leads a new one (setpgid(2)) */
    AIRLOCK_SETMASK = 1 << 2,           /* start with mask; without this, the calling thread's mask */
    AIRLOCK_SETSCHEDPARAM = 1 << 3,     /* sched_setparam(2) with scheduling_priority */
    AIRLOCK_SETSCHEDULER = 1 << 4,      /* sched_setscheduler(2) with policy and priority; wins over SETSCHEDPARAM */
    AIRLOCK_RESETIDS = 1 << 5,          /* effective user and group become the real ones */
    AIRLOCK_SETUID = 1 << 6,            /* real, effective and saved user become uid */
    AIRLOCK_SETGID = 1 << 7,            /* real, effective and saved group become gid */
    AIRLOCK_SETGROUPS = 1 << 8,         /* supplementary groups become groups[0..group_count) */
    AIRLOCK_SETUMASK = 1 << 9,          /* umask(2) with umask */
    AIRLOCK_SETCGROUP = 1 << 10,        /* start in the version 2 cgroup that the descriptor cgroup names (Linux 5.7) */
    AIRLOCK_WANT_PIDFD = 1 << 11,       /* fill airlock_child.pidfd; where that is impossible, no child is made */
    AIRLOCK_SHELL_FALLBACK = 1 << 12,   /* a file that is no program (ENOEXEC) is run by /bin/sh, as execvp does */
    AIRLOCK_NO_SHARED_MEMORY = 1 << 13, /* fork instead of vfork: slower, for debuggers and odd tracers */
    AIRLOCK_MAKE_INHERITABLE = 1 << 14, /* clear close-on-exec on every descriptor of keep (CPython's pass_fds) */
    AIRLOCK_KEEP_GROUPS = 1 << 15,      /* see uid: root's supplementary groups stay with the child (CPython) */
    AIRLOCK_IN_ORDER = 1 << 16,      /* a descriptor that is not open is an error when its turn comes, after the steps
                                        before it (posix_spawn, CPython), not before anything is started */
    AIRLOCK_SHELL_BY_NAME = 1 << 17, /* with SHELL_FALLBACK: /bin/sh gets the name that was searched, not the file that
                                        was found (glibc's old posix_spawnp) */
};

struct airlock_command {
    /* What to execute. path NULL means argv[0]. candidates, when not NULL, is a NULL-terminated list of files that are
     * tried in turn instead of path and search; the error is the last one, or the first that is neither ENOENT nor
     * ENOTDIR (CPython's rule). envp NULL means the parent's environment at the time of the call. */
    const char *path;
    char *const *argv; /* NULL needs a path; the kernel then makes an empty list of it (execve(2)) */
    char *const *envp;
    const char *const *candidates;
    enum airlock_search search;

    unsigned flags; /* enum airlock_flag */

    /* Descriptors. stdio, when not NULL, points to three numbers that become 0, 1 and 2 at once, whatever collides
     * (-1: leave that one alone). Then come the actions. keep and keep_ranges may be in any order, with duplicates,
     * and may name numbers that are not open. */
    const int *stdio;
    const struct airlock_action *actions;
    size_t action_count;
    enum airlock_seal seal;
    const int *keep;
    size_t keep_count;
    const struct airlock_range *keep_ranges;
    size_t keep_range_count;

    /* Signals. Handlers of the parent always become default. Ignored signals stay ignored unless they are in
     * default_signals. */
    airlock_signals default_signals;
    airlock_signals mask;
    int death_signal; /* prctl(2) PR_SET_PDEATHSIG, set after the ids: the child gets it when the thread that starts it
                         ends, even if the process lives on; 0 is none */

    /* Process attributes, each used with its flag above. */
    pid_t process_group;
    int scheduling_policy;
    int scheduling_priority;
    uid_t uid; /* from root to another user without AIRLOCK_SETGROUPS: root's supplementary groups are dropped, unless
                  AIRLOCK_KEEP_GROUPS says otherwise (Rust; CPython keeps them) */
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    mode_t umask;
    int cgroup;      /* needs clone3, and so goes with no before_exec: EOPNOTSUPP */
    const char *cwd; /* chdir after the actions; NULL stays */
    const struct airlock_limit *limits;
    size_t limit_count;

    /* Called in the child as the last thing before it seals its descriptors. Takes the path of fork(3), atfork
     * handlers included. The parent's signal handlers are gone and the mask is the one of the program to come; the
     * callback may change it. A non-zero return value is an errno and ends the child: step AIRLOCK_STEP_CALLBACK. Only
     * async-signal-safe functions may be called when the parent has threads. */
    int (*before_exec)(void *argument);
    void *before_exec_argument;
};

struct airlock_child {
    pid_t pid; /* the caller reaps it */
    int pidfd; /* owned by the caller, close-on-exec; -1 unless AIRLOCK_WANT_PIDFD was given */
};

/* Where a spawn failed. The names are those of airlock_step_name(). */
enum airlock_step {
    AIRLOCK_STEP_NONE,
    AIRLOCK_STEP_CHECK,   /* the description as a whole; see airlock_spawn */
    AIRLOCK_STEP_PREPARE, /* memory or the report pipe, in the parent */
    AIRLOCK_STEP_CLONE,   /* clone3, clone, vfork or fork */
    AIRLOCK_STEP_UNSHARE, /* the child's own descriptor table */
    AIRLOCK_STEP_FETCH,   /* a high descriptor could not be brought into the child; index: the descriptor */
    AIRLOCK_STEP_SIGNALS, /* index: the signal */
    AIRLOCK_STEP_SCHEDULING,
    AIRLOCK_STEP_SESSION,
    AIRLOCK_STEP_PROCESS_GROUP,
    AIRLOCK_STEP_RESET_IDS,
    AIRLOCK_STEP_STDIO,  /* index: 0, 1 or 2 */
    AIRLOCK_STEP_ACTION, /* index: of the action */
    AIRLOCK_STEP_CHDIR,
    AIRLOCK_STEP_UMASK,
    AIRLOCK_STEP_GROUPS, /* index: of the group at fault, -1: all of them */
    AIRLOCK_STEP_GID,
    AIRLOCK_STEP_UID,
    AIRLOCK_STEP_DEATH_SIGNAL,
    AIRLOCK_STEP_CALLBACK,
    AIRLOCK_STEP_KEEP,  /* a kept descriptor could not be made inheritable; index: the descriptor. EINVAL before
                           anything is started: an entry or a range is wrong; index: of the entry */
    AIRLOCK_STEP_SEAL,  /* neither close_range nor /proc could seal the table */
    AIRLOCK_STEP_LIMIT, /* index: of the limit */
    AIRLOCK_STEP_MASK,
    AIRLOCK_STEP_EXEC, /* index: of the candidate, when a list was given */
    AIRLOCK_STEP_COUNT
};

struct airlock_error {
    enum airlock_step step;
    int index; /* what of the step: see enum airlock_step; 0 where there is only one */
    int code;  /* an errno value */
};

/* How a child was made. */
enum airlock_primitive {
    AIRLOCK_PRIMITIVE_NONE,
    AIRLOCK_PRIMITIVE_CLONE3,
    AIRLOCK_PRIMITIVE_CLONE,
    AIRLOCK_PRIMITIVE_VFORK,
    AIRLOCK_PRIMITIVE_FORK,
};

/* Where the time of one spawn went, in nanoseconds of CLOCK_MONOTONIC, and how the child was made. Filled on success
 * and on failure; a phase that was not reached is 0. */
struct airlock_timing {
    uint64_t start_ns;   /* when airlock_spawn was entered */
    uint64_t prepare_ns; /* until the clone */
    uint64_t clone_ns;   /* until the child ran its first line */
    uint64_t setup_ns;   /* the child's steps, until exec, or until the parent learned which of them failed */
    uint64_t exec_ns;    /* exec, until the parent ran again */
    enum airlock_primitive primitive;
    int cut;           /* 1: the child began with only the low end of the parent's table; 0: with a copy of all */
    int shared_memory; /* 1: vfork semantics; 0: the child had a copy of memory */
    int fetched;       /* descriptors brought over one by one because their numbers are high */
    /* What the child found ignored among default_signals, and set to default. 0 where no child was made. */
    airlock_signals signals_reset;
};

/* Starts a child. On success 0 is returned and *child is filled. Otherwise an errno value is returned, *child is
 * untouched, *error says where, and nothing is left behind: no child, no zombie, no descriptor, no blocked signal.
 * error and timing may be NULL.
 *
 * A description that is wrong in itself fails before anything is started, with the step that the field belongs to and
 * EINVAL, or EBADF for a negative descriptor of stdio, an action or cgroup; index is then the index of the action, keep
 * entry, range, group or limit at fault, or -1 when it is about all of them. AIRLOCK_STEP_CHECK is the description as a
 * whole: NULL, an unknown flag or seal, no place for the child.
 *
 * Unless AIRLOCK_IN_ORDER is given, so does one that cannot work as things are: with EBADF where a descriptor that
 * stdio, an action or AIRLOCK_MAKE_INHERITABLE needs will not be open when its turn comes, or the target of an action
 * is above the limit; with EPERM where a leader of a session asks for a process group; with EINVAL where the kernel has
 * no such scheduling policy, or no such priority in it; with ENAMETOOLONG where a path is longer than any. The error is
 * the one that the child would have found. What only the kernel can say (a file that is missing, an id that may not be
 * taken), and what another thread changes meanwhile, the child finds out: then it is gone again when this returns.
 *
 * Thread-safe. Async-signal-safe unless before_exec is given. No cancellation point. Allocates nothing with malloc.
 * PATH and the environment are read as by getenv(3): another thread must not change them during the call. */
AIRLOCK_API int airlock_spawn(const struct airlock_command *command, struct airlock_child *child,
                              struct airlock_error *error, struct airlock_timing *timing);

/* Becomes the program that is described, with the same preparations in the same order (Rust's exec). Returns only on
 * failure, with an errno value and *error as above. Then the mask is as it was, but what other steps had changed by
 * then (directory, descriptors, ids, signals set to default) stays changed: this process is best ended.
 *
 * AIRLOCK_WANT_PIDFD and AIRLOCK_SETCGROUP have no meaning here: EINVAL. death_signal is about this process's own
 * parent. before_exec is called in this process, with the mask of the program to come. Other threads end with exec. */
AIRLOCK_API int airlock_exec(const struct airlock_command *command, struct airlock_error *error);

/* The step in a word or two, e.g. "action", "exec". Never NULL; static storage. Async-signal-safe. */
AIRLOCK_API const char *airlock_step_name(enum airlock_step step);

/* The primitive by its system call's name, "none" for none. Never NULL; static storage. Async-signal-safe. */
AIRLOCK_API const char *airlock_primitive_name(enum airlock_primitive primitive);

/* The errno by its name, e.g. "ENOENT", or "E?" for a number without one. Static storage. Async-signal-safe. */
AIRLOCK_API const char *airlock_errno_name(int code);

/* An error as one line without newline, e.g. "action 2 (dup2 7 → 1): EBADF" or "exec /bin/nothing: ENOENT", in UTF-8.
 * command may be NULL; with it the text names what the step was about. Writes at most size bytes with the final NUL;
 * returns the length that the whole text has, as snprintf does. Async-signal-safe. */
AIRLOCK_API size_t airlock_error_text(const struct airlock_error *error, const struct airlock_command *command,
                                      char *text, size_t size);

/* ---- A child as a value: its streams, waiting, ending, collecting. What Rust's Command and Child do.
 *
 * Different handles are independent of each other. For one handle: wait, try_wait and kill may be called by several
 * threads at once (where the kernel has no pidfds, before Linux 5.3, by one at a time); start, communicate and close
 * need it for themselves. None is a cancellation point; a system call that a signal interrupts is repeated. */

/* What the child gets as one of its standard streams. */
enum airlock_stream_kind {
    AIRLOCK_STREAM_INHERIT, /* the parent's own */
    AIRLOCK_STREAM_NULL,    /* /dev/null */
    AIRLOCK_STREAM_PIPE,    /* a new pipe, whose other end is in the handle */
    AIRLOCK_STREAM_GIVEN,   /* the descriptor fd, which stays the caller's to close */
};

struct airlock_stream {
    enum airlock_stream_kind kind;
    int fd; /* AIRLOCK_STREAM_GIVEN alone */
};

/* A running or ended child. Owned by the caller: airlock_process_close gives back the descriptors. The caller may take
 * a pipe out of it (and leave -1 there). */
struct airlock_process {
    pid_t pid;
    int pidfd; /* close-on-exec; readable for poll(2) when the child has ended. -1 where the kernel has none */
    int in;    /* writing end of the child's standard input, close-on-exec; -1: no pipe */
    int out;   /* reading ends of its output and errors */
    int err;
    int state; /* private: what is known of its end */
    int status;
};

/* A handle of nothing: what close leaves, and safe to close. So is one that is all zeros. */
#ifdef __cplusplus
#define AIRLOCK_PROCESS_NONE (airlock_process{-1, -1, -1, -1, -1, 0, 0})
#else
#define AIRLOCK_PROCESS_NONE ((struct airlock_process){-1, -1, -1, -1, -1, 0, 0})
#endif

/* A pipe of which both ends are close-on-exec from the start and above 2, even when the caller has closed its standard
 * streams. ends[0] is for reading. 0 or an errno value (EMFILE, ENFILE); then ends is untouched. Async-signal-safe. */
AIRLOCK_API int airlock_pipe(int ends[2]);

/* Starts a child with the three streams described (NULL: all inherited). command->stdio must then be NULL. Errors are
 * those of airlock_spawn; a stream that cannot be had is AIRLOCK_STEP_STDIO with index 0, 1 or 2. *process is untouched
 * on failure. error and timing may be NULL. Allocates nothing; async-signal-safe unless before_exec is given. */
AIRLOCK_API int airlock_process_start(const struct airlock_command *command, const struct airlock_stream streams[3],
                                      struct airlock_process *process, struct airlock_error *error,
                                      struct airlock_timing *timing);

/* Closes the pipe to its input, waits for its end and reaps it; status, which may be NULL, is one of wait(2). Again
 * and again the same answer. ECHILD: it was reaped elsewhere (SIGCHLD is ignored, say), and its status is lost; or the
 * handle is of nothing. *status is untouched then. */
AIRLOCK_API int airlock_process_wait(struct airlock_process *process, int *status);

/* The same without waiting and without closing anything: EAGAIN while the child runs. Async-signal-safe. */
AIRLOCK_API int airlock_process_try_wait(struct airlock_process *process, int *status);

/* Sends a signal to this child and never to another process: it goes through the pidfd and, where there is none, only
 * as long as the child was not reaped. 0 also when the child has ended (Rust). EINVAL: no such signal;
 * EPERM: it became another user's; ESRCH: the handle is of nothing. Async-signal-safe. */
AIRLOCK_API int airlock_process_kill(struct airlock_process *process, int signal);

/* Closes what is left of pipes and the pidfd; the handle becomes AIRLOCK_PROCESS_NONE. Neither ends the child nor waits
 * for it. Async-signal-safe. */
AIRLOCK_API void airlock_process_close(struct airlock_process *process);

/* What a child printed. Owned by the caller: airlock_output_free. A NUL that is not counted is behind each. */
struct airlock_output {
    char *out;
    size_t out_length;
    char *err;
    size_t err_length;
    int status; /* wait(2) */
};

/* Writes input to the child, reads both of its pipes to the end, whatever their size, and waits for it (CPython's
 * communicate). What is no pipe is left alone. A child that does not read its input is no error, and no SIGPIPE
 * reaches the caller. limit is in bytes, for each pipe; 0 is none. When a child prints more, or memory is short, it is
 * killed and reaped, *output holds what was read up to the limit, and ENOBUFS or ENOMEM is returned. A pipe is at its
 * end when every process that holds it has closed it, not when the child ends. Allocates with malloc. *output has to be
 * freed on success and on failure; out and err are NULL only after EINVAL or ENOMEM. */
AIRLOCK_API int airlock_process_communicate(struct airlock_process *process, const void *input, size_t input_length,
                                            size_t limit, struct airlock_output *output);

/* Frees the buffers and empties *output. */
AIRLOCK_API void airlock_output_free(struct airlock_output *output);

/* Starts a child with /dev/null as input, collects all that it prints, and waits for it (Rust's Command::output).
 * *output has to be freed on success and on failure. error, which may be NULL, tells a failed start, with a step other
 * than AIRLOCK_STEP_NONE, from a failed collection. */
AIRLOCK_API int airlock_collect(const struct airlock_command *command, size_t limit, struct airlock_output *output,
                                struct airlock_error *error);

/* Starts a child with the parent's streams and waits for it (Rust's Command::status). status and error may be NULL. */
AIRLOCK_API int airlock_run(const struct airlock_command *command, int *status, struct airlock_error *error);

/* A status of wait(2) in words: "exited with 3", "killed by SIGKILL (9)", "killed by SIGSEGV (11), core dumped",
 * "stopped by SIGTSTP (20)", "continued". Sizes as for airlock_error_text. Async-signal-safe. */
AIRLOCK_API size_t airlock_status_text(int status, char *text, size_t size);

/* The signal by its name, e.g. "SIGTERM", "SIGRTMIN+1"; "SIG?" for a number without one. Static storage.
 * Async-signal-safe. */
AIRLOCK_API const char *airlock_signal_name(int signal);

#ifdef __cplusplus
}
#endif

#endif
