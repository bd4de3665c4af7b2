/* Adds records up, one at a time. Everything here is bounded: tallies forget what is rare, the slowest are a heap, the
 * sample is a reservoir (each spawn of the log is in it with the same probability). */
#include "summary.h"

#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Longer strings of a span are cut. */
enum { STRING_BYTES = 400 };

enum { PID_TABLE_BYTES = PID_LIMIT * sizeof(uint32_t) };

/* A number for each process there can be. Pages of it that nobody writes to take no memory. */
static uint32_t *make_pid_table(void) {
    void *table =
        mmap(NULL, PID_TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return table == MAP_FAILED ? NULL : table;
}

static void free_pid_table(uint32_t *table) {
    if (table != NULL)
        munmap(table, PID_TABLE_BYTES);
}

struct summary *summary_new(void) {
    struct summary *summary = calloc(1, sizeof *summary);
    if (summary == NULL)
        return NULL;
    summary->random = 0x9e3779b97f4a7c15U;
    summary->name_of = calloc(TALLY_KEYS + 1, sizeof *summary->name_of);
    summary->pid_paths = make_pid_table();
    summary->pid_spans = make_pid_table();
    if (summary->name_of == NULL || summary->pid_paths == NULL || summary->pid_spans == NULL) {
        summary_free(summary);
        return NULL;
    }
    return summary;
}

void summary_free(struct summary *summary) {
    if (summary == NULL)
        return;
    struct tally *tallies[] = {
        &summary->calls,    &summary->primitives, &summary->reasons, &summary->failures, &summary->programs,
        &summary->callers,  &summary->leaks,      &summary->keeps,   &summary->edges,    &summary->becomings,
        &summary->statuses, &summary->outcomes,   &summary->names,
    };
    for (size_t i = 0; i < sizeof tallies / sizeof tallies[0]; i++)
        tally_clear(tallies[i]);
    for (size_t i = 0; i < summary->slowest_count; i++)
        free(summary->slowest[i]);
    for (size_t i = 0; i < summary->span_count; i++)
        free(summary->spans[i]);
    free(summary->name_of);
    free_pid_table(summary->pid_paths);
    free_pid_table(summary->pid_spans);
    free(summary);
}

/* xorshift64*: a sample that is the same for the same log. */
static uint64_t draw(struct summary *summary, uint64_t limit) {
    summary->random ^= summary->random >> 12;
    summary->random ^= summary->random << 25;
    summary->random ^= summary->random >> 27;
    return (summary->random * 0x2545f4914f6cdd1dU) % limit;
}

static bool is_pid(int64_t pid) {
    return pid > 0 && pid < PID_LIMIT;
}

static void list_sealed(struct words *words, const struct record *record) {
    for (size_t i = 0; i < record->sealed.count; i++) {
        words_add(words, "%s%lld ", i == 0 ? "" : ", ", (long long)record->sealed.items[i].fd);
        words_add(words, "%s", record->sealed.items[i].what);
    }
}

/* A copy of what is kept of a record, in one piece of memory. */
static struct span *make_span(const struct record *record, uint64_t order) {
    char command[STRING_BYTES] = "", sealed[STRING_BYTES] = "";
    struct words command_words = WORDS(command), sealed_words = WORDS(sealed);
    words_add_command(&command_words, record);
    list_sealed(&sealed_words, record);
    const char *strings[] = {record->program,
                             record->call,
                             command,
                             record->path,
                             record->failed ? record->error_text : "",
                             sealed,
                             record->passed_through == NULL ? "" : record->passed_through};
    size_t sizes[7], total = 0;
    for (size_t i = 0; i < 7; i++) {
        size_t length = strnlen(strings[i], STRING_BYTES);
        sizes[i] = (length < STRING_BYTES ? length : whole_length(strings[i], STRING_BYTES - 1)) + 1;
        total += sizes[i];
    }
    struct span *span = calloc(1, sizeof *span + total);
    if (span == NULL)
        return NULL;
    *span = (struct span){.order = order,
                          .wall_us = record->wall_us,
                          .mono_us = record->mono_us,
                          .pid = record->pid,
                          .tid = record->tid,
                          .ppid = record->ppid,
                          .child = record->child,
                          .failed = record->failed};
    memcpy(span->ns, record->ns, sizeof span->ns);
    const char **members[] = {&span->program, &span->call,   &span->command,       &span->path,
                              &span->error,   &span->sealed, &span->passed_through};
    char *to = span->text;
    for (size_t i = 0; i < 7; i++) {
        memcpy(to, strings[i], sizes[i] - 1);
        *members[i] = to;
        to += sizes[i];
    }
    span->status = "";
    return span;
}

static void swap(struct span **one, struct span **other) {
    struct span *kept = *one;
    *one = *other;
    *other = kept;
}

static int64_t total_of(const struct summary *summary, size_t index) {
    return summary->slowest[index]->ns[PHASE_TOTAL];
}

static void sift_down(struct summary *summary) {
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t below = 2 * at + 1; below <= 2 * at + 2 && below < summary->slowest_count; below++) {
            if (total_of(summary, below) < total_of(summary, least))
                least = below;
        }
        if (least == at)
            return;
        swap(&summary->slowest[at], &summary->slowest[least]);
        at = least;
    }
}

static void consider_slow(struct summary *summary, const struct record *record) {
    bool full = summary->slowest_count == SUMMARY_SLOWEST;
    if (full && record->ns[PHASE_TOTAL] <= total_of(summary, 0))
        return;
    struct span *span = make_span(record, summary->spawns);
    if (span == NULL)
        return;
    if (full) {
        free(summary->slowest[0]);
        summary->slowest[0] = span;
        sift_down(summary);
        return;
    }
    size_t at = summary->slowest_count++;
    summary->slowest[at] = span;
    for (; at > 0 && total_of(summary, at) < total_of(summary, (at - 1) / 2); at = (at - 1) / 2)
        swap(&summary->slowest[at], &summary->slowest[(at - 1) / 2]);
}

static void sample(struct summary *summary, const struct record *record) {
    size_t at = summary->span_count;
    if (at == SUMMARY_SPANS) {
        at = draw(summary, summary->spawns);
        if (at >= SUMMARY_SPANS)
            return;
    }
    struct span *span = make_span(record, summary->spawns);
    if (span == NULL)
        return;
    if (at < summary->span_count) {
        struct span *old = summary->spans[at];
        if (is_pid(old->child) && summary->pid_spans[old->child] == at + 1)
            summary->pid_spans[old->child] = 0;
        free(old);
    } else {
        summary->span_count++;
    }
    summary->spans[at] = span;
    if (is_pid(span->child))
        summary->pid_spans[span->child] = (uint32_t)at + 1;
}

/* A record of a process says that it is alive. */
static void note_alive(struct summary *summary, const struct record *record) {
    uint32_t index = is_pid(record->pid) ? summary->pid_spans[record->pid] : 0;
    if (index == 0)
        return;
    struct span *span = summary->spans[index - 1];
    int64_t until = record->mono_us + record->ns[PHASE_TOTAL] / 1000;
    if (!span->ended && until > span->seen_us)
        span->seen_us = until;
}

/* The number of a string, which stays; 0 when there are too many. */
static uint32_t number_of(struct summary *summary, const char *string) {
    struct tally *names = &summary->names;
    if (names->count >= TALLY_KEYS)
        return 0; /* a full tally forgets, and these are referred to */
    struct tally_entry *entry = TALLY_ADD(names, 0, string);
    if (entry == NULL)
        return 0;
    if (entry->amount == 0) {
        entry->amount = names->count;
        summary->name_of[entry->amount] = entry->key;
    }
    return (uint32_t)entry->amount;
}

/* The path that a child is started with, for the time when it spawns something itself. */
static void remember_path(struct summary *summary, const struct record *record) {
    if (is_pid(record->child))
        summary->pid_paths[record->child] = number_of(summary, record->path);
}

static void note_becoming(struct summary *summary, const struct record *record) {
    uint32_t number = is_pid(record->pid) ? summary->pid_paths[record->pid] : 0;
    if (number == 0)
        return;
    summary->pid_paths[record->pid] = 0; /* each process once */
    const char *path = summary->name_of[number];
    if (strcmp(path, record->program) != 0)
        TALLY_ADD(&summary->becomings, 0, path, record->program);
}

static void add_failure(struct summary *summary, const struct record *record) {
    summary->failed++;
    struct tally_entry *entry =
        TALLY_ADD(&summary->failures, (uint64_t)record->ns[PHASE_TOTAL], record->error_step, record->error_errno);
    if (entry != NULL && entry->example == NULL)
        entry->example = strdup(record->error_text);
}

static void add_descriptors(struct summary *summary, const struct record *record) {
    char kind[1024], number[24];
    for (size_t i = 0; i < record->sealed.count; i++) {
        struct words words = WORDS(kind);
        words_add_kind(&words, record->sealed.items[i].what);
        struct tally_entry *entry = TALLY_ADD(&summary->leaks, 0, record->program, record->path, kind);
        if (entry != NULL && entry->example == NULL) {
            snprintf(number, sizeof number, "%lld", (long long)record->sealed.items[i].fd);
            entry->example = strdup(number);
        }
    }
    for (size_t i = 0; i < record->kept.count; i++) {
        struct words words = WORDS(kind);
        words_add_kind(&words, record->kept.items[i].what);
        TALLY_ADD(&summary->keeps, 0, record->program, record->path, kind, record->kept.items[i].rule);
    }
    summary->sealed += record->sealed.count;
    summary->kept += record->kept.count;
    summary->leaking += record->sealed.count > 0;
}

static void add_times(struct summary *summary, const struct record *record) {
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        if (record->ns[i] > 0)
            histogram_add(&summary->phases[i], (uint64_t)record->ns[i]);
    }
}

static void add_spawn(struct summary *summary, const struct record *record) {
    uint64_t ns = record->ns[PHASE_TOTAL] > 0 ? (uint64_t)record->ns[PHASE_TOTAL] : 0;
    summary->spawns++;
    summary->audited += record->mode != NULL && strcmp(record->mode, "audit") == 0;
    summary->cut += record->cut;
    summary->copied += !record->failed && !record->shared_memory && record->passed_through == NULL;
    summary->fetched += record->fetched > 0 ? (uint64_t)record->fetched : 0;
    TALLY_ADD(&summary->calls, ns, record->call);
    TALLY_ADD(&summary->primitives, ns, record->primitive == NULL ? "none" : record->primitive);
    TALLY_ADD(&summary->programs, ns, record->path);
    TALLY_ADD(&summary->callers, ns, record->program, record->object, record->offset, record->call);
    TALLY_ADD(&summary->edges, ns, record->program, record->path);
    TALLY_ADD(&summary->outcomes, ns, record->program, record->call, record->failed ? "failed" : "ok");
    if (record->passed_through != NULL) {
        summary->passed++;
        TALLY_ADD(&summary->reasons, ns, record->passed_through);
    }
    if (record->failed)
        add_failure(summary, record);
    add_descriptors(summary, record);
    add_times(summary, record);
    consider_slow(summary, record);
    sample(summary, record);
    remember_path(summary, record);
}

static void add_exit(struct summary *summary, const struct record *record) {
    summary->exits++;
    TALLY_ADD(&summary->statuses, 0, record->status);
    if (record->wall_ns > 0)
        histogram_add(&summary->commands, (uint64_t)record->wall_ns);
    uint32_t index = is_pid(record->child) ? summary->pid_spans[record->child] : 0;
    if (index == 0 || summary->spans[index - 1]->pid != record->pid)
        return;
    struct span *span = summary->spans[index - 1];
    uint32_t status = number_of(summary, record->status);
    span->ended = true;
    span->seen_us = record->mono_us;
    span->status = status == 0 ? "" : summary->name_of[status];
    summary->pid_spans[record->child] = 0;
}

static void add_moment(struct summary *summary, const struct record *record) {
    int64_t end_us = record->ns[PHASE_TOTAL] / 1000;
    if (summary->first_wall_us == 0 || record->wall_us < summary->first_wall_us)
        summary->first_wall_us = record->wall_us;
    if (record->wall_us + end_us > summary->last_wall_us)
        summary->last_wall_us = record->wall_us + end_us;
    if (summary->first_mono_us == 0 || record->mono_us < summary->first_mono_us)
        summary->first_mono_us = record->mono_us;
    if (record->mono_us + end_us > summary->last_mono_us)
        summary->last_mono_us = record->mono_us + end_us;
}

void summary_add(struct summary *summary, const struct record *record) {
    summary->good++;
    summary->dropped += record->dropped > 0 ? (uint64_t)record->dropped : 0;
    add_moment(summary, record);
    note_alive(summary, record);
    if (record->type == RECORD_EXIT) {
        add_exit(summary, record);
    } else {
        note_becoming(summary, record);
        add_spawn(summary, record);
    }
}

static int slower(const void *left, const void *right) {
    const struct span *one = *(struct span *const *)left, *other = *(struct span *const *)right;
    if (one->ns[PHASE_TOTAL] != other->ns[PHASE_TOTAL])
        return one->ns[PHASE_TOTAL] > other->ns[PHASE_TOTAL] ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

static int earlier(const void *left, const void *right) {
    const struct span *one = *(struct span *const *)left, *other = *(struct span *const *)right;
    if (one->mono_us != other->mono_us)
        return one->mono_us < other->mono_us ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

void summary_finish(struct summary *summary) {
    qsort(summary->slowest, summary->slowest_count, sizeof summary->slowest[0], slower);
    qsort(summary->spans, summary->span_count, sizeof summary->spans[0], earlier);
}
