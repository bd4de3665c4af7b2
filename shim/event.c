/* One spawn, one record: what was asked, how the child was made, what became of it, and where the time went.
 *
 * The record is put together in memory that the core's stacks lend, so that nothing is allocated and a thread with a
 * tiny stack can be recorded. Its format is described in airlock-record(5). */
#include "event.h"

#include "inventory.h"
#include "json.h"
#include "log.h"
#include "signal_names.h"
#include "stack.h"
#include "syscall.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#ifdef __GLIBC__
#define HAVE_FIND_OBJECT __GLIBC_PREREQ(2, 35)
#endif

enum { RECORD_VERSION = 1, LINE_SIZE = 16384 };

struct moment {
    uint64_t wall_ns;
    uint64_t monotonic_ns;
};

struct event {
    struct stack memory; /* where this lies */
    struct moment entered;
    bool with_descriptors;
    char line[LINE_SIZE];
    struct inventory inventory;
};

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static struct moment moment_now(void) {
    return (struct moment){clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_MONOTONIC)};
}

uint64_t event_clock(void) {
    return log_is_wanted() ? clock_ns(CLOCK_MONOTONIC) : 0;
}

/* The executable of this process; it stays the same until exec. */
static const char *program(void) {
    enum { PATH_SIZE = 4096 };
    static _Atomic(char *) known;
    char *path = atomic_load_explicit(&known, memory_order_acquire);
    if (path == NULL) {
        char *none = NULL;
        path = raw_map(PATH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        if (path == NULL)
            return "";
        raw4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, PATH_SIZE - 1);
        if (!atomic_compare_exchange_strong(&known, &none, path)) { /* another thread was first */
            raw2(SYS_munmap, path, PATH_SIZE);
            path = none;
        }
    }
    return path;
}

/* The object that the call came from. libc's lock-free lookup alone will do: dladdr takes the loader's lock, which
 * another thread may have held when this process was forked. */
static void put_caller(struct text *text, const void *address, size_t budget) {
#if HAVE_FIND_OBJECT
    struct dl_find_object found;
    if (_dl_find_object((void *)address, &found) != 0)
        return;
    const char *name = found.dlfo_link_map->l_name;
    json_member_string(text, "object", *name != '\0' ? name : program(), budget);
    json_name(text, "offset");
    text_string(text, "\"");
    text_hexadecimal(text, (uintptr_t)address - (uintptr_t)found.dlfo_link_map->l_addr);
    text_string(text, "\"");
#else
    (void)text, (void)address, (void)budget;
#endif
}

static void put_head(struct text *text, const char *type, struct moment moment) {
    text_char(text, '{');
    json_member_number(text, "v", RECORD_VERSION);
    json_member_string(text, "type", type, 16);
    json_member_number(text, "wall_us", (int64_t)(moment.wall_ns / 1000));
    json_member_number(text, "mono_us", (int64_t)(moment.monotonic_ns / 1000));
    json_member_number(text, "pid", raw0(SYS_getpid));
    json_member_number(text, "tid", raw0(SYS_gettid));
    json_member_number(text, "ppid", raw0(SYS_getppid));
    json_member_string(text, "program", program(), log_record_limit() / 10);
}

static void put_arguments(struct text *text, char *const *argv, size_t budget) {
    size_t end = text->length + budget;
    bool whole = true;
    if (argv == NULL)
        return;
    json_name(text, "argv");
    text_char(text, '[');
    for (; *argv != NULL && whole; argv++) {
        if (text->length + 8 >= end) {
            whole = false;
            break;
        }
        json_comma(text);
        whole = json_string(text, *argv, end - text->length);
    }
    text_char(text, ']');
    if (!whole)
        json_member_true(text, "argv_cut");
}

static void put_action(struct text *text, const struct airlock_action *action, size_t budget) {
    char words[512];
    struct text line = {.to = words, .size = sizeof words};
    static const char *const kinds[] = {"close", "dup2", "open", "chdir", "fchdir", "closefrom", "tcsetpgrp"};
    text_string(&line, kinds[action->kind]);
    if (action->kind == AIRLOCK_ACTION_DUP2) {
        text_char(&line, ' ');
        text_signed(&line, action->source);
        text_string(&line, " ->");
    }
    if (action->kind != AIRLOCK_ACTION_CHDIR) {
        text_char(&line, ' ');
        text_signed(&line, action->fd);
    }
    if (action->path != NULL) {
        text_char(&line, ' ');
        text_string(&line, action->path);
    }
    text_end(&line);
    json_comma(text);
    json_string(text, words, budget);
}

static void put_actions(struct text *text, const struct airlock_command *command, size_t budget) {
    size_t end = text->length + budget;
    const char *directory = NULL;
    for (size_t i = 0; i < command->action_count; i++)
        if (command->actions[i].kind == AIRLOCK_ACTION_CHDIR)
            directory = command->actions[i].path;
    if (directory != NULL)
        json_member_string(text, "cwd", directory, budget / 2);
    if (command->action_count == 0)
        return;
    json_name(text, "actions");
    text_char(text, '[');
    size_t told = 0;
    for (; told < command->action_count && text->length + 40 < end; told++)
        put_action(text, &command->actions[told], end - text->length);
    text_char(text, ']');
    if (told < command->action_count)
        json_member_true(text, "actions_cut");
}

static void put_attribute(struct text *text, const char *name, bool with_number, int64_t number) {
    json_comma(text);
    text_char(text, '"');
    text_string(text, name);
    if (with_number) {
        text_char(text, ' ');
        text_signed(text, number);
    }
    text_char(text, '"');
}

static void put_attribute_set(struct text *text, const char *name, airlock_signals set) {
    json_comma(text);
    text_char(text, '"');
    text_string(text, name);
    text_char(text, ' ');
    text_hexadecimal(text, set);
    text_char(text, '"');
}

static void put_attributes(struct text *text, const struct request *request) {
    const struct airlock_command *command = &request->command;
    json_name(text, "attributes");
    text_char(text, '[');
    if (command->flags & AIRLOCK_RESETIDS)
        put_attribute(text, "resetids", false, 0);
    if (command->flags & AIRLOCK_SETSID)
        put_attribute(text, "setsid", false, 0);
    if (command->flags & AIRLOCK_SETPGROUP)
        put_attribute(text, "setpgroup", true, command->process_group);
    if (command->flags & AIRLOCK_SETSCHEDULER)
        put_attribute(text, "scheduler", true, command->scheduling_policy);
    if (command->flags & (AIRLOCK_SETSCHEDPARAM | AIRLOCK_SETSCHEDULER))
        put_attribute(text, "schedparam", true, command->scheduling_priority);
    if (command->flags & AIRLOCK_SETCGROUP)
        put_attribute(text, "cgroup", true, command->cgroup);
    if (command->flags & AIRLOCK_SETMASK)
        put_attribute_set(text, "sigmask", command->mask);
    if (request->signals_chosen)
        put_attribute_set(text, "sigdefault", command->default_signals);
    text_char(text, ']');
}

static void put_call(struct text *text, const struct request *request) {
    size_t limit = log_record_limit();
    const struct airlock_command *command = &request->command;
    put_caller(text, request->caller, limit / 12);
    json_member_string(text, "call", request->call, 32);
    json_member_string(text, "mode", request->mode == MODE_AUDIT ? "audit" : "enforce", 16);
    json_member_string(text, "path", command->path, limit / 9);
    put_arguments(text, command->argv, limit / 4);
    put_actions(text, command, limit / 10);
    put_attributes(text, request);
}

static void put_how(struct text *text, const struct request *request, const struct event_outcome *outcome) {
    const struct airlock_timing *timing = outcome->timing;
    bool by_libc = request->obstacle != NULL && (outcome->error == NULL || outcome->error->code == 0);
    json_member_string(text, "primitive", by_libc ? "libc" : airlock_primitive_name(timing->primitive), 16);
    json_name(text, "cut");
    text_string(text, timing->cut ? "true" : "false");
    json_name(text, "shared_memory");
    text_string(text, timing->shared_memory ? "true" : "false");
    json_member_number(text, "fetched", timing->fetched);
}

static void put_error(struct text *text, const struct request *request, const struct airlock_error *error) {
    char words[400];
    airlock_error_text(error, &request->command, words, sizeof words);
    json_name(text, "error");
    text_char(text, '{');
    json_member_string(text, "step", airlock_step_name(error->step), 32);
    json_member_number(text, "index", error->index);
    json_member_string(text, "errno", airlock_errno_name(error->code), 24);
    json_member_string(text, "text", words, log_record_limit() / 12);
    text_char(text, '}');
}

static void put_times(struct text *text, const struct airlock_timing *timing) {
    json_name(text, "ns");
    text_char(text, '{');
    json_member_number(text, "prepare", (int64_t)timing->prepare_ns);
    json_member_number(text, "clone", (int64_t)timing->clone_ns);
    json_member_number(text, "setup", (int64_t)timing->setup_ns);
    json_member_number(text, "exec", (int64_t)timing->exec_ns);
    json_member_number(text, "total", (int64_t)(clock_ns(CLOCK_MONOTONIC) - timing->start_ns));
    text_char(text, '}');
}

/* Why the child gets this descriptor, or NULL when it is sealed. */
static const char *rule_for(const struct request *request, const struct held *held) {
    if (held->by_action)
        return "file action";
    if (request->obstacle != NULL)
        return "passed through";
    for (size_t i = 0; i < request->kept.count; i++)
        if (held->fd >= request->kept.ranges[i].first && held->fd <= request->kept.ranges[i].last)
            return request->kept.rules[i];
    return request->kept.all;
}

static bool put_held(struct text *text, const struct held *held, const char *rule) {
    char words[512];
    if (text->length + 700 > log_record_limit())
        return false;
    inventory_describe(held, words, sizeof words);
    json_comma(text);
    text_char(text, '{');
    json_member_number(text, "fd", held->fd);
    json_member_string(text, "what", words, 400);
    if (rule != NULL)
        json_member_string(text, "rule", rule, 80);
    text_char(text, '}');
    return true;
}

/* What the child would hold above 2 right before exec, apart from what the program itself marked close-on-exec. */
static void put_descriptors(struct text *text, const struct event *event, const struct request *request, bool kept) {
    bool whole = !event->inventory.cut;
    if (kept)
        json_name(text, "kept");
    else
        json_name(text, "sealed");
    text_char(text, '[');
    for (size_t i = 0; i < event->inventory.count; i++) {
        const struct held *held = &event->inventory.held[i];
        if (held->fd <= 2 || held->close_on_exec)
            continue;
        const char *rule = rule_for(request, held);
        if ((rule != NULL) == kept)
            whole = put_held(text, held, rule) && whole;
    }
    text_char(text, ']');
    if (!whole && kept)
        json_member_true(text, "fds_cut");
}

static void put_reset_signals(struct text *text, airlock_signals reset) {
    if (reset == 0)
        return;
    json_name(text, "signals_reset");
    text_char(text, '[');
    for (; reset != 0; reset &= reset - 1) {
        char name[SIGNAL_NAME_SIZE];
        json_comma(text);
        json_string(text, signal_name(__builtin_ctzll(reset) + 1, name), 32);
    }
    text_char(text, ']');
}

static void write_line(struct text *text) {
    uint64_t dropped = log_dropped();
    if (dropped > 0)
        json_member_number(text, "dropped", (int64_t)dropped);
    text_string(text, "}\n");
    if (text->length > text->size)
        return;
    log_write(text->to, text->length);
    if (dropped > 0 && log_dropped() == dropped)
        log_told(dropped);
}

struct event *event_begin(const struct request *request) {
    _Static_assert(sizeof(struct event) <= 40 * 1024, "an event fits in the memory of a child's stack");
    if (!log_is_wanted() || request->mode == MODE_OFF)
        return NULL;
    struct moment entered = moment_now();
    struct stack memory = stack_acquire();
    if (memory.mapping == NULL)
        return NULL;
    struct event *event = memory.lowest;
    event->memory = memory;
    event->entered = entered;
    event->with_descriptors = log_wants_descriptors() || request->mode == MODE_AUDIT;
    if (event->with_descriptors)
        inventory_take(&event->inventory, &request->command);
    return event;
}

void event_end(struct event *event, const struct request *request, const struct event_outcome *outcome) {
    struct text text = {.to = event->line, .size = sizeof event->line};
    put_head(&text, "spawn", event->entered);
    put_call(&text, request);
    put_how(&text, request, outcome);
    if (outcome->child > 0)
        json_member_number(&text, "child", outcome->child);
    if (outcome->error != NULL && outcome->error->code != 0)
        put_error(&text, request, outcome->error);
    put_times(&text, outcome->timing);
    if (event->with_descriptors) {
        put_descriptors(&text, event, request, false);
        put_descriptors(&text, event, request, true);
    }
    if (request->mode == MODE_ENFORCE)
        put_reset_signals(&text, outcome->timing->signals_reset & ~request->ignored_by_call);
    if (request->obstacle != NULL)
        json_member_string(&text, "passed_through", request->obstacle, 100);
    write_line(&text);
    stack_release(event->memory);
}

void event_passed_through(struct event *event, const struct request *request, pid_t child, int code) {
    if (event == NULL)
        return;
    struct airlock_timing timing = {.start_ns = event->entered.monotonic_ns};
    struct airlock_error error = {.step = AIRLOCK_STEP_NONE, .code = code};
    struct event_outcome outcome = {.child = code == 0 ? child : 0, .error = &error, .timing = &timing};
    event_end(event, request, &outcome);
}

static void put_status(struct text *text, int status) {
    char name[SIGNAL_NAME_SIZE], words[64];
    struct text line = {.to = words, .size = sizeof words};
    if (WIFEXITED(status)) {
        text_string(&line, "exited ");
        text_signed(&line, WEXITSTATUS(status));
    } else {
        text_string(&line, "killed by ");
        text_string(&line, signal_name(WTERMSIG(status), name));
        text_string(&line, WCOREDUMP(status) ? ", core dumped" : "");
    }
    text_end(&line);
    json_member_string(text, "status", words, sizeof words);
}

void event_reaped(const char *call, pid_t child, int status, uint64_t started_ns, const struct rusage *usage) {
    char line[2048];
    struct text text = {.to = line, .size = sizeof line};
    if (!log_is_wanted())
        return;
    struct moment now = moment_now();
    put_head(&text, "exit", now);
    json_member_string(&text, "call", call, 16);
    json_member_number(&text, "child", child);
    put_status(&text, status);
    json_member_number(&text, "wall_ns", (int64_t)(now.monotonic_ns - started_ns));
    json_member_number(&text, "user_us", usage->ru_utime.tv_sec * 1000000L + usage->ru_utime.tv_usec);
    json_member_number(&text, "system_us", usage->ru_stime.tv_sec * 1000000L + usage->ru_stime.tv_usec);
    json_member_number(&text, "max_rss_kb", usage->ru_maxrss);
    write_line(&text);
}
