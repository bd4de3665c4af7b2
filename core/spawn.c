/* The parent half: block signals, make the child, learn its fate, restore.
 *
 * Everything that this file takes it gives back on every path. It makes raw system calls, so it is no cancellation
 * point and leaves errno alone; it takes no lock, so a child that a debugger has stopped holds up nobody else. */
#include "plan.h"
#include "stack.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

/* Whether a child made with CLONE_VM and CLONE_VFORK really shares memory and suspends its parent. Emulators carry it
 * out as a plain fork. Learned from the first child. */
enum { SHARING_UNKNOWN, SHARING_REAL, SHARING_FAKED };
static _Atomic int sharing;

static const airlock_signals every_signal = ~(airlock_signals)0;

enum { SMALL_RANGES = 96, SMALL_SHELL_ARGV = 32 };

struct attempt {
    struct plan plan;
    struct report own_report;
    struct stack stack;
    struct launch launch;
    bool no_cut;
    bool no_fetch;
    bool no_sharing;
    bool needs_pipe;
    struct airlock_range small_ranges[SMALL_RANGES];
    char *small_shell_argv[SMALL_SHELL_ARGV];
    struct airlock_range *ranges;
    size_t ranges_size; /* bytes mapped for ranges; 0: none */
    size_t shell_argv_size;
};

static uint64_t clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Changing ids where memory is shared would clear the parent's dumpable flag; a reset that changes nothing does not. */
static bool changes_identity(const struct airlock_command *command) {
    if (command->flags & (AIRLOCK_SETUID | AIRLOCK_SETGID | AIRLOCK_SETGROUPS))
        return true;
    return (command->flags & AIRLOCK_RESETIDS) && (raw0(SYS_AIRLOCK_getuid) != raw0(SYS_AIRLOCK_geteuid) ||
                                                   raw0(SYS_AIRLOCK_getgid) != raw0(SYS_AIRLOCK_getegid));
}

static bool may_share_memory(const struct attempt *attempt) {
    const struct airlock_command *command = attempt->plan.command;
    return !attempt->no_sharing && !(lacking() & LACK_VFORK) && command->before_exec == NULL &&
           !(command->flags & AIRLOCK_NO_SHARED_MEMORY) && !changes_identity(command);
}

/* Asked in the parent with a range that holds nothing. Without CLOSE_RANGE_UNSHARE: that would give the calling
 * thread of a threaded program a table of its own. */
static bool kernel_can_cut(void) {
    static _Atomic bool known;
    if (atomic_load_explicit(&known, memory_order_relaxed))
        return true;
    if (raw3(SYS_close_range, ~0U, ~0U, 0) < 0) {
        remember_lack(LACK_CUT);
        return false;
    }
    atomic_store_explicit(&known, true, memory_order_relaxed);
    return true;
}

/* Whether a child has found that this kernel cuts rightly (see child_cut). That it does not is LACK_CUT. */
static _Atomic bool cuts_rightly;

static bool may_cut(const struct attempt *attempt) {
    const struct airlock_command *command = attempt->plan.command;
    return command->seal == AIRLOCK_SEAL && !attempt->no_cut && command->before_exec == NULL &&
           !(lacking() & LACK_CUT) && kernel_can_cut();
}

/* Without a descriptor to spare for the report, memory has to serve, so find out beforehand whether it does. */
static bool learn_sharing_from_probe(void) {
    struct stack stack = stack_acquire();
    int found = stack.mapping != NULL ? probe_sharing(stack.lowest, stack.size) : -1;
    if (found < 0)
        found = probe_suspending();
    if (found >= 0)
        atomic_store_explicit(&sharing, found ? SHARING_REAL : SHARING_FAKED, memory_order_relaxed);
    stack_release(stack);
    return found == 1;
}

/* The write end must be a number that the command does not speak of: an action on a number that is not open has to
 * find it so, and a target must not close it. */
static int move_report(struct plan *plan, int descriptor) {
    long moved = descriptor;
    while (moved >= 0 && plan_names_descriptor(plan, (int)moved)) {
        int above = (int)moved + 1;
        if (moved != descriptor)
            raw_close((int)moved);
        moved = raw3(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, above);
    }
    /* The limit is near: look for any other number. */
    for (int fd = 3; moved < 0 && fd < LOW_DESCRIPTORS; fd++)
        if (!plan_names_descriptor(plan, fd) && raw2(SYS_fcntl, fd, F_GETFD) == -EBADF)
            moved = raw3(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, fd);
    if (moved != descriptor)
        raw_close(descriptor);
    return (int)moved;
}

/* Close-on-exec from the start: another thread may fork by itself at any moment. */
static int open_report_pipe(struct attempt *attempt) {
    int ends[2];
    long result = raw2(SYS_pipe2, ends, O_CLOEXEC);
    if (result < 0)
        return (int)-result;
    int moved = move_report(&attempt->plan, ends[1]);
    if (moved < 0) {
        raw_close(ends[0]);
        return -moved;
    }
    attempt->plan.report_read_end = ends[0];
    attempt->plan.report_descriptor = moved;
    return 0;
}

/* glibc's own flag, since 2.32. Where it is missing the usual case is assumed. */
static bool has_threads(void) {
#ifdef __GLIBC__
    extern char __libc_single_threaded __attribute__((weak));
    return &__libc_single_threaded != NULL && !__libc_single_threaded;
#else
    return false;
#endif
}

/* Where the child will leave its message. */
static int prepare_report(struct attempt *attempt) {
    struct plan *plan = &attempt->plan;
    plan->report = &attempt->own_report;
    if (!plan->share_memory) {
        struct report *page = raw_map(sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED);
        if (page != NULL)
            plan->report = page;
        else
            plan->cut = false; /* the child could not learn which number of a shared table is its pidfd */
    }
    int known = atomic_load_explicit(&sharing, memory_order_relaxed);
    bool memory_could_do = (plan->share_memory || plan->report != &attempt->own_report) && !attempt->needs_pipe &&
                           plan->command->before_exec == NULL;
    if (memory_could_do && known == SHARING_REAL)
        return 0;
    /* A pipe has a number above those of other threads' files, which the child would hold for a moment: a program that
     * such a thread has just written could not be executed then (ETXTBSY). */
    if (memory_could_do && known == SHARING_UNKNOWN && has_threads() && learn_sharing_from_probe())
        return 0;
    int code = open_report_pipe(attempt);
    if (code == 0 || plan->command->before_exec != NULL)
        return code;
    return memory_could_do && learn_sharing_from_probe() ? 0 : code;
}

static int prepare_ranges(struct attempt *attempt) {
    size_t count = plan_range_bound(attempt->plan.command);
    if (attempt->ranges != NULL)
        return 0;
    attempt->ranges = attempt->small_ranges;
    if (count <= SMALL_RANGES)
        return 0;
    size_t size = count * sizeof(struct airlock_range);
    attempt->ranges = raw_map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (attempt->ranges == NULL)
        return ENOMEM;
    attempt->ranges_size = size;
    return 0;
}

/* What the shell is given when the file turns out to be no program: itself, the file, the arguments from the second.
 * Where a search finds it, the child fills the file in. */
static int prepare_shell(struct attempt *attempt) {
    struct plan *plan = &attempt->plan;
    size_t count = 0;
    if (!(plan->command->flags & AIRLOCK_SHELL_FALLBACK) || plan->shell_argv != NULL || plan->argv == NULL)
        return 0;
    while (plan->argv[count] != NULL)
        count++;
    size_t size = (count + 3) * sizeof(char *);
    plan->shell_argv = attempt->small_shell_argv;
    if (size > sizeof attempt->small_shell_argv) {
        plan->shell_argv = raw_map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        if (plan->shell_argv == NULL)
            return ENOMEM;
        attempt->shell_argv_size = size;
    }
    size_t used = 0;
    plan->shell_argv[used++] = (char *)"/bin/sh";
    plan->shell_argv[used++] = (char *)plan->file;
    for (size_t i = 1; i < count; i++)
        plan->shell_argv[used++] = plan->argv[i];
    plan->shell_argv[used] = NULL;
    return 0;
}

static int prepare_program(struct attempt *attempt) {
    int code = plan_candidates(&attempt->plan);
    if (code == 0)
        code = prepare_shell(attempt);
    return code == 0 ? prepare_ranges(attempt) : code;
}

static enum fetching possible_fetching(const struct attempt *attempt) {
    if (attempt->no_fetch || (lacking() & (LACK_FETCH | LACK_REOPEN)) == (LACK_FETCH | LACK_REOPEN))
        return FETCH_NONE;
    return lacking() & LACK_FETCH ? FETCH_FRESH_PIPES : FETCH_ANY;
}

static int prepare(struct attempt *attempt) {
    struct plan *plan = &attempt->plan;
    plan->share_memory = may_share_memory(attempt);
    plan->cut = may_cut(attempt);
    plan->check_table = !atomic_load_explicit(&cuts_rightly, memory_order_relaxed);
    plan->report_descriptor = -1;
    attempt->plan.report_read_end = -1;
    attempt->own_report = (struct report){0};
    if (plan->share_memory && attempt->stack.mapping == NULL)
        attempt->stack = stack_acquire();
    int code = prepare_program(attempt);
    if (code == 0)
        code = prepare_report(attempt);
    if (code != 0)
        return code;
    plan_descriptors(plan, attempt->ranges, possible_fetching(attempt));
    if (plan->fetch_count > 0 || plan->command->death_signal != 0)
        plan->parent = (int)raw0(SYS_getpid);
    return plan->parent < 0 ? -plan->parent : 0;
}

/* A whole message means that a step failed; end of file, that the program runs (or was killed on the way). Once more
 * when it is refused; and where it is refused for good, at least the end is waited for, after which memory that is
 * shared has the message, too. */
static bool read_report(int read_end, struct report *report) {
    struct report received;
    long length = -EINTR;
    for (int refusals = 0; length < 0 && refusals < 2; refusals += length != -EINTR)
        length = raw3(SYS_read, read_end, &received, sizeof received);
    struct pollfd writers = {.fd = read_end};
    while (length < 0 && raw5(SYS_ppoll, &writers, 1, 0, 0, 0) == -EINTR)
        continue;
    if (length != (long)sizeof received)
        return false;
    *report = received;
    return true;
}

/* The child has executed its program or ended; what did it say? */
static struct report learn_fate(struct attempt *attempt) {
    struct plan *plan = &attempt->plan;
    struct report report = *plan->report;
    bool seen = plan->share_memory && report.started;
    if (seen)
        atomic_store_explicit(&sharing, SHARING_REAL, memory_order_relaxed);
    if (report.table_is_clean)
        atomic_store_explicit(&cuts_rightly, true, memory_order_relaxed);
    if (plan->report_descriptor < 0)
        return report;
    raw_close(plan->report_descriptor);
    plan->report_descriptor = -1;
    /* fork does not wait for exec, this does: only now are the child's times all there. */
    if (!seen && !read_report(plan->report_read_end, &report))
        report = *plan->report;
    return report;
}

/* What one attempt took; the stack and the prepared memory serve the next one, too. */
static void release(struct attempt *attempt) {
    struct plan *plan = &attempt->plan;
    if (plan->report != NULL && plan->report != &attempt->own_report)
        raw2(SYS_munmap, plan->report, sizeof *plan->report);
    if (attempt->plan.report_read_end >= 0)
        raw_close(attempt->plan.report_read_end);
    if (plan->report_descriptor >= 0)
        raw_close(plan->report_descriptor);
    plan->report_read_end = plan->report_descriptor = -1;
}

/* An error before or of the clone, as against one that the child reported. */
static void set_error(struct airlock_error *error, enum airlock_step step, int index, int code) {
    *error = (struct airlock_error){.step = step, .index = index, .code = code};
}

/* The child has failed: it is reaped here, and its pidfd closed. With SIGCHLD ignored the kernel reaps, and wait
 * answers ECHILD when that is done. Where there is a pidfd it is reaped through that: another thread that waits for
 * any child may have taken it, and its number may be another child's by now. */
static void reap_failed(struct attempt *attempt) {
    const int by_pidfd = 3; /* P_PIDFD, which older headers lack */
    int pidfd = attempt->launch.pidfd;
    long result = -EINVAL;
    while (pidfd >= 0 && (result = raw5(SYS_waitid, by_pidfd, pidfd, 0, WEXITED, 0)) == -EINTR)
        continue;
    while (result == -EINVAL && raw4(SYS_wait4, attempt->launch.pid, 0, 0, 0) == -EINTR)
        continue;
    if (pidfd >= 0)
        raw_close(pidfd);
}

static void fill_timing(const struct attempt *attempt, const struct report *report, uint64_t cloned, uint64_t resumed,
                        struct airlock_timing *timing) {
    const struct plan *plan = &attempt->plan;
    timing->primitive = attempt->launch.primitive;
    timing->cut = plan->cut;
    timing->shared_memory = plan->share_memory && report->started;
    timing->fetched = plan->fetch_count;
    /* Where the child could not tell what it found, this process has the same. */
    timing->signals_reset = report->started ? report->reset : ignored_among(plan->command->default_signals);
    timing->prepare_ns = cloned - timing->start_ns;
    if (report->started_ns > cloned)
        timing->clone_ns = report->started_ns - cloned;
    if (report->exec_ns > report->started_ns) {
        timing->setup_ns = report->exec_ns - report->started_ns;
        timing->exec_ns = resumed > report->exec_ns ? resumed - report->exec_ns : 0;
    } else if (report->started_ns > 0 && resumed > report->started_ns) {
        timing->setup_ns = resumed - report->started_ns; /* one of the steps failed */
    }
}

static int attempt_once(struct attempt *attempt, struct airlock_error *error, struct airlock_timing *timing) {
    struct plan *plan = &attempt->plan;
    struct report report = {0};
    uint64_t cloned = 0;
    int code = prepare(attempt);
    if (code != 0) {
        set_error(error, AIRLOCK_STEP_PREPARE, 0, code);
        goto out;
    }
    if (timing != NULL)
        cloned = clock_now();
    code = launch_child(plan, attempt->stack.lowest, attempt->stack.size, &attempt->launch);
    if (code != 0) {
        set_error(error, AIRLOCK_STEP_CLONE, 0, code);
        goto out;
    }
    report = learn_fate(attempt);
    if (timing != NULL)
        fill_timing(attempt, &report, cloned, clock_now(), timing);
    if (report.step != AIRLOCK_STEP_NONE) {
        code = report.code;
        set_error(error, (enum airlock_step)report.step, report.index, code);
        reap_failed(attempt);
    }
out:
    release(attempt);
    return code;
}

/* A refusal by the kernel that another way round can avoid: note it and try once more. Each answer takes one way
 * away, so this ends. */
static bool should_retry(struct attempt *attempt, const struct airlock_error *error) {
    if (error->step == AIRLOCK_STEP_CLONE && error->code == LAUNCH_CANNOT_SHARE) {
        attempt->no_sharing = true;
        return true;
    }
    /* Only fork is left, which does not suspend this process. */
    if (error->step == AIRLOCK_STEP_CLONE && error->code == EMFILE && !attempt->plan.share_memory &&
        !attempt->needs_pipe) {
        attempt->needs_pipe = true;
        return true;
    }
    if (error->step == AIRLOCK_STEP_UNSHARE && !attempt->no_cut) {
        attempt->no_cut = true;
        if (error->code != ENOMEM && error->code != EMFILE)
            remember_lack(LACK_CUT);
        return true;
    }
    if (error->step == AIRLOCK_STEP_FETCH && !attempt->no_fetch) {
        attempt->no_fetch = true;
        if (error->code == EPERM || error->code == ENOSYS || error->code == EACCES || error->code == ENOENT)
            remember_lack(lacking() & LACK_FETCH ? LACK_REOPEN : LACK_FETCH);
        return true;
    }
    return false;
}

static void start_attempt(struct attempt *attempt, const struct airlock_command *command, airlock_signals old_mask) {
    attempt->plan = (struct plan){.command = command, .report_descriptor = -1, .report_read_end = -1};
    attempt->plan.pidfd_sockets[0] = attempt->plan.pidfd_sockets[1] = -1;
    attempt->plan.mask = command->flags & AIRLOCK_SETMASK ? command->mask : old_mask;
    attempt->own_report = (struct report){0};
    attempt->stack = (struct stack){0};
    attempt->launch = (struct launch){0};
    attempt->no_cut = attempt->no_fetch = attempt->no_sharing = attempt->needs_pipe = false;
    attempt->ranges = NULL;
    attempt->ranges_size = attempt->shell_argv_size = 0;
}

/* What all attempts of one spawn had in common. */
static void end_attempts(struct attempt *attempt) {
    if (attempt->ranges_size > 0)
        raw2(SYS_munmap, attempt->ranges, attempt->ranges_size);
    if (attempt->shell_argv_size > 0)
        raw2(SYS_munmap, attempt->plan.shell_argv, attempt->shell_argv_size);
    stack_release(attempt->stack);
}

static int spawn_blocked(const struct airlock_command *command, airlock_signals old_mask, struct airlock_child *child,
                         struct airlock_error *error, struct airlock_timing *timing) {
    struct attempt attempt;
    int code;
    start_attempt(&attempt, command, old_mask);
    attempt.plan.measure = timing != NULL;
    do {
        attempt.plan.report = NULL;
        attempt.plan.search_path = NULL;
        code = attempt_once(&attempt, error, timing);
    } while (code != 0 && should_retry(&attempt, error));
    end_attempts(&attempt);
    if (code == 0) {
        /* What an attempt before the last one met is no error of the spawn. */
        set_error(error, AIRLOCK_STEP_NONE, 0, 0);
        *child = (struct airlock_child){.pid = attempt.launch.pid, .pidfd = attempt.launch.pidfd};
    }
    return code;
}

/* By the raw call: libc's own would leave its signals 32 and 33 open. Without it no child is made. */
static int block_signals(airlock_signals *old_mask, struct airlock_error *error) {
    long result = raw4(SYS_rt_sigprocmask, SIG_SETMASK, &every_signal, old_mask, sizeof every_signal);
    if (result >= 0)
        return 0;
    set_error(error, AIRLOCK_STEP_PREPARE, 0, (int)-result);
    return (int)-result;
}

/* Once more when it is refused: a thread that is left deaf to signals is worse than any error. */
static void restore_signals(airlock_signals old_mask) {
    for (int tries = 0; tries < 2; tries++)
        if (raw4(SYS_rt_sigprocmask, SIG_SETMASK, &old_mask, 0, sizeof old_mask) >= 0)
            return;
}

int airlock_spawn(const struct airlock_command *command, struct airlock_child *child, struct airlock_error *error,
                  struct airlock_timing *timing) {
    airlock_signals old_mask = 0;
    struct airlock_error unwanted;
    if (error == NULL)
        error = &unwanted;
    if (timing != NULL)
        *timing = (struct airlock_timing){.start_ns = clock_now()};
    int code = check_command(command, error);
    if (code == 0 && child == NULL) {
        code = EINVAL;
        set_error(error, AIRLOCK_STEP_CHECK, -1, code);
    }
    if (code == 0)
        code = check_state(command, error);
    if (code == 0)
        code = block_signals(&old_mask, error);
    if (code != 0)
        return code;
    code = spawn_blocked(command, old_mask, child, error, timing);
    restore_signals(old_mask);
    return code;
}

/* The child's steps, taken by this process itself. Its handlers may stay until exec removes them: they run in the
 * process that installed them. */
static int exec_blocked(const struct airlock_command *command, airlock_signals old_mask, struct airlock_error *error) {
    struct attempt attempt;
    start_attempt(&attempt, command, old_mask);
    struct plan *plan = &attempt.plan;
    plan->report = &attempt.own_report;
    plan->clear_handlers = true;
    plan->parent = (int)raw0(SYS_getppid);
    int code = prepare_program(&attempt);
    if (code != 0) {
        set_error(error, AIRLOCK_STEP_PREPARE, 0, code);
    } else {
        plan_descriptors(plan, attempt.ranges, false);
        child_take_steps(plan);
        code = plan->report->code;
        set_error(error, (enum airlock_step)plan->report->step, plan->report->index, code);
    }
    end_attempts(&attempt);
    return code;
}

int airlock_exec(const struct airlock_command *command, struct airlock_error *error) {
    airlock_signals old_mask = 0;
    struct airlock_error unwanted;
    if (error == NULL)
        error = &unwanted;
    int code = check_command(command, error);
    if (code == 0 && (command->flags & (AIRLOCK_WANT_PIDFD | AIRLOCK_SETCGROUP))) {
        code = EINVAL;
        set_error(error, AIRLOCK_STEP_CHECK, -1, code);
    }
    if (code == 0)
        code = check_state(command, error);
    if (code == 0)
        code = block_signals(&old_mask, error);
    if (code != 0)
        return code;
    code = exec_blocked(command, old_mask, error);
    restore_signals(old_mask);
    return code;
}
