/* The summary as JSON: for jq and scripts, and for the page, which shows this same object. */
#include "report.h"

#include "output.h"

#include <stdlib.h>

struct writer {
    FILE *stream;
    size_t top;
    const struct summary *summary;
};

static void name(const struct writer *writer, const char *string) {
    json_write_string(writer->stream, string);
    putc(':', writer->stream);
}

static void number(const struct writer *writer, const char *label, uint64_t value, const char *after) {
    name(writer, label);
    fprintf(writer->stream, "%llu%s", (unsigned long long)value, after);
}

static void string(const struct writer *writer, const char *label, const char *value, const char *after) {
    name(writer, label);
    json_write_string(writer->stream, value);
    fputs(after, writer->stream);
}

/* A tally as {"rows":[{part: …, "count": …}, …], "keys": n, "other": n}: other are the counts that no row shows. */
static void tally(const struct writer *writer, const char *label, const struct tally *tally,
                  const char *const *part_names, const char *amount_name, const char *example_name) {
    const struct tally_entry **sorted = tally_sorted(tally);
    size_t shown = sorted == NULL ? 0 : tally->count < writer->top ? tally->count : writer->top;
    uint64_t counted = 0;
    name(writer, label);
    fputs("{\"rows\":[", writer->stream);
    for (size_t i = 0; i < shown; i++) {
        fputs(i == 0 ? "{" : ",{", writer->stream);
        for (size_t part = 0; part_names[part] != NULL; part++)
            string(writer, part_names[part], tally_part(sorted[i], part), ",");
        if (amount_name != NULL)
            number(writer, amount_name, sorted[i]->amount, ",");
        if (example_name != NULL && sorted[i]->example != NULL)
            string(writer, example_name, sorted[i]->example, ",");
        number(writer, "count", sorted[i]->count, "}");
        counted += sorted[i]->count;
    }
    fputs("],", writer->stream);
    number(writer, "keys", tally->count, ",");
    number(writer, "other", tally->total - counted, "}");
    free(sorted);
}

#define PARTS(...)                                                                                                     \
    (const char *const[]) {                                                                                            \
        __VA_ARGS__, NULL                                                                                              \
    }

static void tallies(const struct writer *writer) {
    const struct summary *summary = writer->summary;
    tally(writer, "calls", &summary->calls, PARTS("call"), "ns", NULL);
    putc(',', writer->stream);
    tally(writer, "primitives", &summary->primitives, PARTS("primitive"), "ns", NULL);
    putc(',', writer->stream);
    tally(writer, "failures", &summary->failures, PARTS("step", "errno"), "ns", "example");
    putc(',', writer->stream);
    tally(writer, "programs", &summary->programs, PARTS("path"), "ns", NULL);
    putc(',', writer->stream);
    tally(writer, "callers", &summary->callers, PARTS("program", "object", "offset", "call"), "ns", NULL);
    putc(',', writer->stream);
    tally(writer, "leaks", &summary->leaks, PARTS("from", "to", "what"), NULL, "fd");
    putc(',', writer->stream);
    tally(writer, "kept", &summary->keeps, PARTS("from", "to", "what", "rule"), NULL, NULL);
    putc(',', writer->stream);
    tally(writer, "edges", &summary->edges, PARTS("from", "to"), "ns", NULL);
    putc(',', writer->stream);
    tally(writer, "becomings", &summary->becomings, PARTS("path", "program"), NULL, NULL);
    putc(',', writer->stream);
    tally(writer, "passed_through", &summary->reasons, PARTS("reason"), NULL, NULL);
    putc(',', writer->stream);
    tally(writer, "statuses", &summary->statuses, PARTS("status"), NULL, NULL);
}

static void distribution(const struct writer *writer, const char *label, const struct histogram *histogram) {
    bool first = true;
    name(writer, label);
    putc('{', writer->stream);
    number(writer, "count", histogram->count, ",");
    number(writer, "min", histogram->min, ",");
    number(writer, "mean", (uint64_t)histogram_mean(histogram), ",");
    number(writer, "p50", histogram_percentile(histogram, .5), ",");
    number(writer, "p95", histogram_percentile(histogram, .95), ",");
    number(writer, "p99", histogram_percentile(histogram, .99), ",");
    number(writer, "max", histogram->max, ",");
    name(writer, "buckets");
    putc('[', writer->stream);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0)
            continue;
        fprintf(writer->stream, "%s[%llu,%llu,%llu]", first ? "" : ",", (unsigned long long)histogram_bucket_start(i),
                (unsigned long long)histogram_bucket_start(i + 1), (unsigned long long)histogram->buckets[i]);
        first = false;
    }
    fputs("]}", writer->stream);
}

static void times(const struct writer *writer) {
    name(writer, "ns");
    putc('{', writer->stream);
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        distribution(writer, phase_names[i], &writer->summary->phases[i]);
        putc(',', writer->stream);
    }
    distribution(writer, "command", &writer->summary->commands);
    putc('}', writer->stream);
}

static void signed_number(const struct writer *writer, const char *label, int64_t value) {
    name(writer, label);
    fprintf(writer->stream, "%lld,", (long long)value);
}

static void span(const struct writer *writer, const struct span *span) {
    putc('{', writer->stream);
    signed_number(writer, "wall_us", span->wall_us);
    signed_number(writer, "mono_us", span->mono_us);
    signed_number(writer, "pid", span->pid);
    signed_number(writer, "tid", span->tid);
    signed_number(writer, "ppid", span->ppid);
    if (span->child > 0)
        signed_number(writer, "child", span->child);
    if (span->seen_us > 0)
        signed_number(writer, span->ended ? "ended_us" : "seen_us", span->seen_us);
    if (span->failed)
        string(writer, "error", span->error, ",");
    if (*span->sealed != '\0')
        string(writer, "sealed", span->sealed, ",");
    if (*span->status != '\0')
        string(writer, "status", span->status, ",");
    if (*span->passed_through != '\0')
        string(writer, "passed_through", span->passed_through, ",");
    string(writer, "program", span->program, ",");
    string(writer, "call", span->call, ",");
    string(writer, "path", span->path, ",");
    string(writer, "command", span->command, ",");
    name(writer, "ns");
    for (size_t i = 0; i < PHASE_COUNT; i++)
        fprintf(writer->stream, "%s%lld", i == 0 ? "[" : ",", (long long)span->ns[i]);
    fputs("]}", writer->stream);
}

static void spans(const struct writer *writer, const char *label, struct span *const *items, size_t count) {
    name(writer, label);
    putc('[', writer->stream);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fputs(",\n", writer->stream);
        span(writer, items[i]);
    }
    putc(']', writer->stream);
}

static void totals(const struct writer *writer) {
    const struct summary *summary = writer->summary;
    name(writer, "lines");
    putc('{', writer->stream);
    number(writer, "good", summary->good, ",");
    number(writer, "bad", summary->bad, ",");
    number(writer, "unknown", summary->unknown, "},");
    name(writer, "totals");
    putc('{', writer->stream);
    number(writer, "spawns", summary->spawns, ",");
    number(writer, "failed", summary->failed, ",");
    number(writer, "exits", summary->exits, ",");
    number(writer, "audited", summary->audited, ",");
    number(writer, "leaking", summary->leaking, ",");
    number(writer, "sealed", summary->sealed, ",");
    number(writer, "kept", summary->kept, ",");
    number(writer, "cut", summary->cut, ",");
    number(writer, "copied", summary->copied, ",");
    number(writer, "fetched", summary->fetched, ",");
    number(writer, "passed_through", summary->passed, ",");
    number(writer, "dropped", summary->dropped, "},");
    name(writer, "time");
    putc('{', writer->stream);
    number(writer, "first_wall_us", (uint64_t)summary->first_wall_us, ",");
    number(writer, "last_wall_us", (uint64_t)summary->last_wall_us, ",");
    number(writer, "first_mono_us", (uint64_t)summary->first_mono_us, ",");
    number(writer, "last_mono_us", (uint64_t)summary->last_mono_us, "},");
}

void report_json(FILE *stream, const struct summary *summary, size_t top, bool with_spans) {
    struct writer writer = {stream, top, summary};
    fputs("{\"version\":1,", stream);
    totals(&writer);
    times(&writer);
    fputs(",\n", stream);
    tallies(&writer);
    fputs(",\n", stream);
    spans(&writer, "slowest", summary->slowest, summary->slowest_count);
    if (with_spans) {
        fputs(",\n", stream);
        spans(&writer, "spans", summary->spans, summary->span_count);
    }
    fputs("}\n", stream);
}
