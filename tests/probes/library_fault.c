/* Every system call of a spawn fails once, with every error that it can have: what does the caller get, and what is
 * left behind?
 *
 *     library_fault FAMILY EXTENT [SCENARIO]
 *     library_fault FAMILY list
 *
 * FAMILY is core (the library) or libc (libc's functions, with the preload); list prints the names of its scenarios.
 * Those that put a child into a control group need one: the folder of a version 2 cgroup in AIRLOCK_FAULTS_CGROUP.
 * Each scenario is run once to see which system calls parent and child make, and then once for each use of each call
 * and each error. Prints one line for each run: scenario, primitive, warm or cold, parent or child, call, use, error,
 * and what came of it:
 *
 *     works            the same as without the failure
 *     STEP             the caller was told the error, and where a record or the library says so, the step
 *     stays: WHAT      what nobody can undo once the call is refused (a descriptor that cannot be closed)
 *     WRONG: WHAT
 *
 * EXTENT is one of:
 *
 *     long     each use of each call with each error, on every kernel
 *     whole    the same where the kernel lacks nothing, and for calls that are made only where it lacks something;
 *              otherwise ENOSYS, EPERM and the first error that the call's page lists
 *     short    in the scenarios that stand for the others and on fewer kernels: the first use of each call and, where
 * the kernel lacks nothing, the later ones with ENOSYS and EPERM
 *
 * Of the uses of a call the first three and the last are tried. */
#define PROBE_HIGHEST 400
#include "fault_errors.h"
#include "fault_records.h"
#include "fault_scenarios.h"
#include "fault_supervisor.h"
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
    /* airlock_exec has no parent: what comes before the steps is the same process. */
    if (fault->who == CHILD && fault->number == SYS_rt_sigprocmask && step == AIRLOCK_STEP_PREPARE)
        return fault->use == 1;
    /* A descriptor of which the parent hears that it is not open: the action or the list that names it says so. */
    if (fault->who == PARENT && fault->number == SYS_fcntl && fault->error == EBADF)
        if (step == AIRLOCK_STEP_ACTION || step == AIRLOCK_STEP_KEEP)
            return true;
    /* A priority is compared with those that the kernel has for the policy: EINVAL is its word that there is none. */
    if (fault->number == SYS_sched_get_priority_min || fault->number == SYS_sched_get_priority_max)
        return step == AIRLOCK_STEP_SCHEDULING && fault->error == EINVAL;
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

/* Where a fallback fails, the first refusal is as true as the second. Without a mapping, or the guard page in it, there
 * is no memory, whatever the kernel's reason (as with malloc). */
static bool is_error_of(const struct fault *fault, int code) {
    for (const struct rule *rule = fault->rules; rule->number >= 0; rule++)
        if (rule->error == code)
            return true;
    bool is_about_memory = fault->who == PARENT && (fault->number == SYS_mmap || fault->number == SYS_mprotect);
    return code == fault->error || (code == ENOMEM && is_about_memory);
}

/* popen of glibc has one error for everything, and one of its own for a cgroup on a kernel without clone3. */
static bool is_told(const struct scenario *scenario, const struct fault *fault, const struct outcome *got) {
    bool is_popen = strstr(scenario->name, "popen") != NULL;
    bool lacks_clone3 = scenario->needs == A_CGROUP && fault->number == SYS_clone3 && fault->error == ENOSYS;
    if (got->started)
        return false;
    if (lacks_clone3)
        return got->code == EOPNOTSUPP;
    return is_error_of(fault, got->code) || (is_popen && got->code == ENOMEM);
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
    bool told = is_told(scenario, fault, got) && is_right_step(fault, got->step);
    /* The child runs, but its end could not be learned: the call that waits says why. */
    bool unwaited = got->started && got->status == -1 && got->code == fault->error && fault->who == PARENT;
    snprintf(words, sizeof words, "started %d status %#x, %s at %s", got->started, (unsigned)got->status,
             error_name(got->code), got->step == NO_STEP ? "?" : airlock_step_name((enum airlock_step)got->step));
    if (!works && !told && !unwaited)
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
    else if (got->step == NO_STEP)
        set_verdict(false, "told", "");
    else
        set_verdict(false, airlock_step_name((enum airlock_step)got->step), "");
}
/* ---- Runs. */

static void run_once(const struct scenario *scenario, enum phase phase, struct outcome *outcome) {
    memset(outcome, 0, sizeof *outcome);
    outcome->step = NO_STEP;
    outcome->told = true;
    shared->phase = (int)phase;
    scenario->run(outcome);
    shared->phase = IDLE;
}

struct run {
    const struct scenario *scenario;
    const struct kernel *kernel;
    bool warm;
    struct fault fault;
};

static pid_t supervisor;

/* The process under test, from its first line to its last. normal is filled by the first run, without a failure. */
static void be_subject(const struct run *run, struct outcome *normal) {
    static struct snapshot before, after;
    struct outcome got, again;
    char changes[TEXT_SIZE / 2] = "";
    setpgid(0, 0);
    sweep_closed(&run->fault); /* the supervisor's own */
    open_records();
    run->scenario->arrange();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* another user would have lost it */
    if (getppid() != supervisor)      /* it ended before that, and nobody would ever answer */
        _exit(96);
    install_filter(&run->fault);
    if (run->warm)
        run_once(run->scenario, REFUSING, &got);
    take_snapshot(&before);
    take_records();
    run_once(run->scenario, COUNTING, &got);
    sweep_closed(&run->fault);
    take_snapshot(&after);
    say = fmemopen(changes, sizeof changes, "w");
    report_changes(&before, &after);
    report_children();
    fclose(say);
    if (strcmp(run->scenario->family, "libc") == 0)
        compare_record(take_records(), &run->fault, &got);
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

static void carry_out_once(const struct run *run, struct outcome *normal, struct counts *counts) {
    memset(counts, 0, sizeof *counts);
    memset((void *)shared, 0, sizeof *shared);
    fflush(stdout);
    supervisor = getpid();
    pid_t subject = fork();
    if (subject < 0)
        die("fork");
    if (subject == 0)
        be_subject(run, normal);
    supervise(subject, &run->fault, counts);
}

/* What takes too long once may be a busy machine's fault, twice is a hang. */
static void carry_out(const struct run *run, struct outcome *normal, struct counts *counts) {
    carry_out_once(run, normal, counts);
    if (counts->hung)
        carry_out_once(run, normal, counts);
    if (counts->hung)
        set_verdict(true, "WRONG: ", "hangs");
    else if (run->fault.number >= 0 && !counts->hit && !shared->wrong)
        set_verdict(false, "not reached", "");
    print_run(run);
}

enum extent { SHORT, WHOLE, LONG };

/* The uses that are tried: the first ones and the last. */
static int next_use(const struct run *run, int uses, enum extent extent) {
    const int first_ones = 3;
    int use = run->fault.use;
    if (extent == SHORT && run->kernel != kernels)
        return uses + 1;
    return use == first_ones && uses > first_ones + 1 ? uses : use + 1;
}

/* Every error, with listed of those that the call's page has. */
static void try_errors(struct run *run, const struct call_errors *call, int listed, struct outcome *normal) {
    const int everywhere[] = {ENOSYS, EPERM};
    struct counts counts;
    for (int i = 0; i < 2; i++) {
        run->fault.error = everywhere[i];
        carry_out(run, normal, &counts);
    }
    for (int i = 0; i < listed && call->errors[i] != 0; i++) {
        run->fault.error = call->errors[i];
        carry_out(run, normal, &counts);
    }
}

/* full is what the same scenario does where the kernel lacks nothing. */
static int listed_errors(const struct run *run, const struct counts *full, enum extent extent) {
    if (extent == SHORT)
        return run->kernel == kernels && run->fault.use == 1 ? ERRORS_MAX : 0;
    if (run->kernel == kernels || extent == LONG)
        return ERRORS_MAX;
    return full->of[run->fault.who][run->fault.number] == 0 ? ERRORS_MAX : 1;
}

static void try_calls(struct run *run, const struct counts *counts, const struct counts *full, enum extent extent,
                      struct outcome *normal) {
    for (int slot = 0; slot < WHO_COUNT * CALLS; slot++) {
        int who = slot / CALLS, number = slot % CALLS, uses = counts->of[who][number];
        const struct call_errors *call = find_call_errors(number);
        if (uses == 0 || number == SYS_exit_group)
            continue;
        if (call == NULL) {
            printf("%s\t%s\t%s\t-\t-\tsystem call %d\t0\t-\tWRONG: no list of its errors\n", run->scenario->family,
                   run->scenario->name, run->kernel->name, number);
            wrong++;
            continue;
        }
        run->fault.who = (enum who)who;
        run->fault.number = number;
        for (run->fault.use = 1; run->fault.use <= uses; run->fault.use = next_use(run, uses, extent))
            try_errors(run, call, listed_errors(run, full, extent), normal);
    }
}

static void try_scenario(const struct scenario *scenario, enum extent extent, struct outcome *normal) {
    static struct counts full[2], counts;
    for (size_t k = 0; k < sizeof kernels / sizeof kernels[0]; k++) {
        for (int warm = 0; warm <= 1; warm++) {
            struct run run = {scenario, &kernels[k], warm != 0, {kernels[k].rules, PARENT, -1, 0, 0}};
            if (extent == SHORT && (!kernels[k].in_short || (warm != 0) != (k == 0)))
                continue;
            carry_out(&run, normal, &counts);
            if (k == 0)
                full[warm] = counts;
            if (!shared->wrong)
                try_calls(&run, &counts, &full[warm], extent, normal);
        }
    }
}

static enum extent extent_of(const char *word) {
    if (!is(word, "long") && !is(word, "whole") && !is(word, "short")) {
        fputs("usage: library_fault core|libc long|whole|short [SCENARIO]\n", stderr);
        exit(99);
    }
    return is(word, "long") ? LONG : is(word, "whole") ? WHOLE : SHORT;
}

static bool has_what_it_needs(const struct scenario *scenario) {
    return scenario->needs == NOTHING || (scenario->needs == ROOT ? geteuid() == 0 : cgroup_folder() != NULL);
}

static bool is_wanted(const struct scenario *scenario, enum extent extent, char **words) {
    return is(words[0], scenario->family) && (extent != SHORT || scenario->in_short) && has_what_it_needs(scenario) &&
           (words[2] == NULL || is(words[2], scenario->name));
}

int main(int argc, char **argv) {
    bool listing = argc == 3 && is(argv[2], "list");
    enum extent extent = argc < 3 || listing ? LONG : extent_of(argv[2]);
    if (argc < 3 || realpath("/proc/self/exe", witness) == NULL)
        return 99;
    strcpy(strrchr(witness, '/') + 1, "witness");
    start_reporting();
    make_shared();
    struct outcome *normal = mmap(NULL, sizeof *normal, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (!is_wanted(&scenarios[i], extent, argv + 1))
            continue;
        if (listing)
            puts(scenarios[i].name);
        else
            try_scenario(&scenarios[i], extent, normal);
    }
    fflush(stdout);
    if (!listing)
        fprintf(stderr, "%ld runs, %ld wrong\n", total, wrong);
    return wrong > 0;
}
