/* What this process may pass on, read once from a file and the environment into memory of fixed size. A variable counts
 * as a line behind the last one of the file, outside of any section: that is what makes it win.
 *
 * A program that runs with more rights than its caller (set-user-id and the like) must not be steered by its caller's
 * environment: there the mode is off, whatever the variables say, and no file is opened. */
#include "policy.h"

#include "conventions.h"
#include "syscall.h"
#include "text.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static struct policy current;

/* Or the process that reads: in a child of fork, the thread that read does not exist. */
enum { UNREAD = 0, READ = -1 };
static _Atomic int state;

/* One line, one write. A SIGPIPE that the line raises is taken back, because a broken stderr is no reason for the
 * program to end. */
static void say(struct text *text) {
    const airlock_signals all = ~(airlock_signals)0;
    const airlock_signals broken_pipe = AIRLOCK_SIGNAL(SIGPIPE);
    airlock_signals old = 0, pending = 0;
    text_char(text, '\n');
    size_t length = text->length < text->size ? text->length : text->size;
    text->to[length - 1] = '\n';
    raw4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
    raw2(SYS_rt_sigpending, &pending, sizeof pending);
    if (raw3(SYS_write, STDERR_FILENO, text->to, length) == -EPIPE && !(pending & broken_pipe)) {
        const long long now[2] = {0, 0};
        raw4(SYS_rt_sigtimedwait, &broken_pipe, NULL, now, sizeof broken_pipe);
    }
    raw4(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof old);
}

/* What the user wrote, cut at a length that still tells it, and without what would change a terminal. */
static void text_shown(struct text *text, const char *value, size_t shown) {
    for (size_t i = 0; i < shown && value[i] != '\0'; i++)
        text_char(text, (unsigned char)value[i] < ' ' || value[i] == 127 ? '?' : value[i]);
}

static void complain(const char *variable, const char *value, const char *accepted, const char *used) {
    char line[400];
    struct text text = {.to = line, .size = sizeof line};
    text_string(&text, "airlock: ");
    text_string(&text, variable);
    text_char(&text, '=');
    text_shown(&text, value, 80);
    text_string(&text, accepted);
    text_string(&text, "; using ");
    text_string(&text, used);
    say(&text);
}

/* The first mistake of a file, worded, and how many there are. */
struct mistakes {
    const char *path;
    int count;
    struct text text;
    char line[900];
};

static void note_mistake(void *context, const struct mistake *mistake) {
    struct mistakes *mistakes = context;
    struct text *text = &mistakes->text;
    if (mistakes->count++ > 0)
        return;
    *text = (struct text){.to = mistakes->line, .size = sizeof mistakes->line};
    text_string(text, "airlock: ");
    text_shown(text, mistakes->path, 200);
    text_char(text, ':');
    text_signed(text, mistake->line);
    text_char(text, ':');
    text_signed(text, mistake->column);
    text_string(text, ": ");
    text_string(text, mistake->message);
    text_string(text, "; ");
    text_string(text, mistake->instead);
}

static void say_mistakes(struct mistakes *mistakes) {
    if (mistakes->count == 0)
        return;
    if (mistakes->count > 1) {
        text_string(&mistakes->text, " (and ");
        text_signed(&mistakes->text, mistakes->count - 1);
        text_string(&mistakes->text, mistakes->count == 2 ? " more mistake" : " more mistakes");
        text_string(&mistakes->text, ", see airlock policy check)");
    }
    say(&mistakes->text);
}

static void read_file(struct policy_rules *rules, const char *path) {
    struct mistakes mistakes = {.path = path};
    const struct policy_reader reader = {conventions_find, note_mistake, &mistakes};
    size_t length = 0;
    /* Every process of a tree has its own working directory; a relative path would name another file in each. */
    const char *reason = path[0] == '/' ? policy_file_load(rules, path, &length) : "is no absolute path";
    if (reason != NULL) {
        char words[200];
        struct text text = {.to = words, .size = sizeof words};
        text_string(&text, ": the file ");
        text_string(&text, reason);
        text_end(&text);
        complain("AIRLOCK_POLICY", path, path[0] == '/' ? words : ": accepted is an absolute path", "none");
        length = 0;
    }
    policy_file_parse(rules, length, &reader);
    say_mistakes(&mistakes);
}

/* The value of the last entry with this name, or NULL. */
static const char *find_variable(const char *name) {
    const char *value = NULL;
    size_t length = strlen(name);
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (**entry == *name && strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            value = *entry + length + 1;
    return value;
}

/* The rule that a variable makes. Returns false when it is not set. */
static bool read_choice(int which, struct rule *rule) {
    const struct choice *choice = &policy_choices[which];
    const char *value = find_variable(choice->variable);
    if (value == NULL)
        return false;
    int meant = choice_value(choice, value, strlen(value));
    if (meant < 0) {
        char words[80];
        struct text text = {.to = words, .size = sizeof words};
        text_string(&text, ": accepted is ");
        text_string(&text, choice->accepted);
        text_end(&text);
        complain(choice->variable, value, words, choice->words[0]);
        meant = 0;
    }
    *rule = (struct rule){.kind = RULE_CHOICE, .which = which, .value = meant};
    return true;
}

static void add_keep(struct policy_rules *rules) {
    const char *value = find_variable("AIRLOCK_KEEP");
    const struct rule like = {.kind = RULE_KEEP, .text = "AIRLOCK_KEEP"};
    struct pattern item;
    const char *fault;
    if (value != NULL && !policy_add_list(rules, like, (struct pattern){value, strlen(value)}, &item, &fault))
        complain("AIRLOCK_KEEP", value, ": accepted is all, or up to 64 numbers and ranges like 3,7-9", "none");
}

/* Leaves only the rules that can hold in this process, which is always the same caller. */
static void drop_other_callers(struct policy_rules *rules) {
    char caller[PATH_MAX] = "";
    size_t left = 0;
    if (rules->section_count == 1)
        return;
    long length = raw4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", caller, sizeof caller - 1);
    caller[length > 0 ? length : 0] = '\0';
    for (size_t i = 0; i < rules->rule_count; i++) {
        struct rule *rule = &rules->rules[i];
        const struct section *section = &rules->sections[rule->section];
        if (section->caller.length > 0 && !pattern_fits(section->caller, caller))
            continue;
        if (section->program.length == 0)
            rule->section = 0;
        rules->rules[left++] = *rule;
    }
    rules->rule_count = left;
}

static void apply_choice(const struct rule *rule, struct decision *decision) {
    if (rule->which == CHOICE_MODE)
        decision->mode = (enum mode)rule->value;
    else if (rule->which == CHOICE_SIGNALS)
        decision->signals = (enum signals)rule->value;
    else
        decision->mask = (enum mask)rule->value;
}

/* Everything but what is about descriptors. */
static void apply_rules(const struct policy_rules *rules, struct decision *decision) {
    for (size_t i = 0; rules != NULL && i < rules->rule_count; i++) {
        const struct rule *rule = &rules->rules[i];
        const uint64_t row = (uint64_t)1 << (rule->which & 63);
        if (!decision_has(decision, rule))
            continue;
        if (rule->kind == RULE_CHOICE)
            apply_choice(rule, decision);
        else if (rule->kind == RULE_CONVENTION)
            decision->switched_off = rule->value ? decision->switched_off & ~row : decision->switched_off | row;
    }
}

/* What holds before the first rule. */
static struct decision undecided(void) {
    return (struct decision){.switched_off = conventions_off_by_default(), .sections = {1}};
}

/* Off means that calls go to libc before anybody asks which program they execute. With a section that gives another
 * mode they must not. */
static enum mode strongest_mode(const struct policy *of) {
    enum mode strongest = MODE_ENFORCE;
    for (size_t i = 0; of->rules != NULL && i < of->rules->rule_count; i++) {
        const struct rule *rule = &of->rules->rules[i];
        enum mode given = (enum mode)rule->value;
        if (rule->kind == RULE_CHOICE && rule->which == CHOICE_MODE && (rule->section == 0 || given < strongest))
            strongest = given;
    }
    return strongest;
}

static void summarise(struct policy *of) {
    for (size_t i = 0; of->rules != NULL && i < of->rules->rule_count; i++) {
        const struct rule *rule = &of->rules->rules[i];
        bool about_descriptors = rule->kind == RULE_KEEP || rule->kind == RULE_SEAL;
        of->names_descriptors |= about_descriptors;
        of->depends_on_kind |= about_descriptors && rule->about != ABOUT_NUMBERS;
        if (rule->kind == RULE_CONVENTION && rule->value)
            of->conventions |= (uint64_t)1 << rule->which;
        of->depends_on_program |= rule->section != 0;
        of->depends_on_path |= rule->section != 0 && pattern_is_about_paths(of->rules->sections[rule->section].program);
    }
    of->common = undecided();
    of->conventions |= ~of->common.switched_off;
    apply_rules(of->rules, &of->common);
    of->mode = of->common.mode == MODE_OFF ? strongest_mode(of) : of->common.mode;
}

/* Without a file or a list the variables make no rules, for the room that those take is mapped at the start of every
 * process. */
static void choose(struct policy *of) {
    struct rule rule;
    for (int i = 0; i < CHOICE_COUNT; i++)
        if (read_choice(i, &rule))
            apply_choice(&rule, &of->common);
    of->mode = of->common.mode;
}

bool policy_is_in_environment(void) {
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if ((*entry)[0] == 'A' && (*entry)[1] == 'I' && strncmp(*entry, "AIRLOCK_", 8) == 0)
            return true;
    return false;
}

static const struct policy_rules *read_rules(void) {
    const char *path = find_variable("AIRLOCK_POLICY");
    struct policy_rules *rules = raw_map(sizeof *rules, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (rules == NULL) {
        complain("AIRLOCK_POLICY", path == NULL ? "" : path, ": no memory for a policy", "none");
        return NULL;
    }
    rules->section_count = 1;
    if (path != NULL && *path != '\0')
        read_file(rules, path);
    /* The file cannot have used the room for these. */
    for (int i = 0; i < CHOICE_COUNT; i++)
        rules->rule_count += read_choice(i, &rules->rules[rules->rule_count]);
    add_keep(rules);
    drop_other_callers(rules);
    return rules;
}

static void read_all(struct policy *to) {
    if (getauxval(AT_SECURE)) {
        to->mode = MODE_OFF;
        to->common = undecided();
        to->common.mode = MODE_OFF;
        return;
    }
    bool is_configured = policy_is_in_environment();
    if (is_configured && (find_variable("AIRLOCK_POLICY") != NULL || find_variable("AIRLOCK_KEEP") != NULL))
        to->rules = read_rules();
    summarise(to);
    if (is_configured && to->rules == NULL)
        choose(to);
}

/* Runs with signals blocked, so that no handler of this thread waits for it. */
static void read_once(void) {
    int process = (int)raw0(SYS_getpid);
    for (;;) {
        int seen = atomic_load(&state);
        if (seen == READ)
            return;
        if (seen != process && atomic_compare_exchange_strong(&state, &seen, process)) {
            read_all(&current);
            atomic_store(&state, READ);
            return;
        }
        sched_yield();
    }
}

const struct policy *policy(void) {
    if (atomic_load_explicit(&state, memory_order_acquire) != READ) {
        sigset_t all, old;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        read_once();
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    return &current;
}

void policy_decide(const struct policy *of, const char *program, struct decision *decision) {
    *decision = of->common;
    if (!of->depends_on_program)
        return;
    *decision = undecided();
    for (size_t i = 1; i < of->rules->section_count; i++) {
        const struct pattern pattern = of->rules->sections[i].program;
        if (pattern.length > 0 && pattern_fits(pattern, program == NULL ? "" : program))
            decision->sections[i / 64] |= (uint64_t)1 << i % 64;
    }
    apply_rules(of->rules, decision);
}

/* At the start there is one thread, and nothing that a lock or a mask would be needed for. */
__attribute__((constructor(101))) static void read_early(void) {
    if (atomic_load(&state) != UNREAD)
        return;
    read_all(&current);
    atomic_store(&state, READ);
}
