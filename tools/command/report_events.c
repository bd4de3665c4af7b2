/* Trace events, in the JSON that Chrome's and Perfetto's viewers read: a slice for each spawn on the thread that
 * called, its phases inside, and one for each command of system and popen on a track of its process. Events are written
 * as records come, so that a log of any length takes no memory. */
#include "report.h"

#include "output.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

enum { NAMED_PIDS = 1 << 16 };

struct trace_events {
    FILE *stream;
    bool any;
    int64_t named[NAMED_PIDS]; /* processes whose name was written: a small cache, a name may be written twice */
};

struct trace_events *trace_events_begin(FILE *stream) {
    struct trace_events *events = calloc(1, sizeof *events);
    if (events != NULL) {
        events->stream = stream;
        fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", stream);
    }
    return events;
}

void trace_events_end(struct trace_events *events) {
    fputs("\n]}\n", events->stream);
    free(events);
}

/* Opens an event up to its arguments; times are in microseconds. */
static void begin_event(struct trace_events *events, const char *phase, const char *name, int64_t pid, int64_t tid,
                        double start_us, double duration_us) {
    FILE *stream = events->stream;
    fputs(events->any ? ",\n" : "", stream);
    events->any = true;
    fprintf(stream, "{\"ph\":\"%s\",\"name\":", phase);
    json_write_string(stream, name);
    fprintf(stream, ",\"pid\":%lld,\"tid\":%lld", (long long)pid, (long long)tid);
    if (*phase == 'X')
        fprintf(stream, ",\"ts\":%.3f,\"dur\":%.3f", start_us, duration_us);
}

static void name_process(struct trace_events *events, int64_t pid, const char *program) {
    int64_t *named = &events->named[pid & (NAMED_PIDS - 1)];
    if (*named == pid || pid <= 0)
        return;
    *named = pid;
    begin_event(events, "M", "process_name", pid, pid, 0, 0);
    fputs(",\"args\":{\"name\":", events->stream);
    json_write_string(events->stream, base_name(program));
    fputs("}}", events->stream);
}

static void argument(FILE *stream, const char *name, const char *value, bool first) {
    fputs(first ? "" : ",", stream);
    json_write_string(stream, name);
    putc(':', stream);
    json_write_string(stream, value);
}

static void add_phases(struct trace_events *events, const struct record *record) {
    double start = (double)record->mono_us;
    for (size_t i = 0; i < PHASE_TOTAL; i++) {
        double duration = (double)record->ns[i] / 1e3;
        if (record->ns[i] <= 0)
            continue;
        begin_event(events, "X", phase_names[i], record->pid, record->tid, start, duration);
        fputs(",\"cat\":\"phase\"}", events->stream);
        start += duration;
    }
}

static void add_spawn(struct trace_events *events, const struct record *record) {
    FILE *stream = events->stream;
    char command[2048] = "", name[256] = "";
    struct words words = WORDS(command), name_words = WORDS(name);
    words_add_command(&words, record);
    words_add(&name_words, "%s%s", record->failed ? "failed: " : "", base_name(record->path));
    begin_event(events, "X", name, record->pid, record->tid, (double)record->mono_us,
                (double)record->ns[PHASE_TOTAL] / 1e3);
    fprintf(stream, ",\"cat\":\"%s\",\"args\":{", record->failed ? "failed" : "spawn");
    argument(stream, "call", record->call, true);
    argument(stream, "command", command, false);
    argument(stream, "path", record->path, false);
    if (record->failed)
        argument(stream, "error", record->error_text, false);
    if (record->child > 0)
        fprintf(stream, ",\"child\":%lld", (long long)record->child);
    fprintf(stream, ",\"sealed\":%zu,\"kept\":%zu}}", record->sealed.count, record->kept.count);
    add_phases(events, record);
}

/* The command's own time, on a track of the child: it ends when it is reaped. */
static void add_exit(struct trace_events *events, const struct record *record) {
    double duration = (double)record->wall_ns / 1e3;
    begin_event(events, "X", record->call, record->child, record->child, (double)record->mono_us - duration, duration);
    fputs(",\"cat\":\"command\",\"args\":{", events->stream);
    argument(events->stream, "status", record->status, true);
    fprintf(events->stream, ",\"user_us\":%lld,\"system_us\":%lld,\"max_rss_kb\":%lld,\"parent\":%lld}}",
            (long long)record->user_us, (long long)record->system_us, (long long)record->max_rss_kb,
            (long long)record->pid);
}

void trace_events_add(struct trace_events *events, const struct record *record) {
    name_process(events, record->pid, record->program);
    if (record->type == RECORD_SPAWN) {
        add_spawn(events, record);
    } else {
        name_process(events, record->child, "sh"); /* one that started nothing itself has no other name */
        add_exit(events, record);
    }
}
