/* The summary as metrics. The text is OpenMetrics, in the subset that the older text format of Prometheus shares, since
 * node_exporter's textfile collector reads that one. Labels have few values by nature; those that somebody else chooses
 * (programs) are limited to the most frequent, and the rest is summed up under an empty name. */
#include "report.h"

#include "words.h"

#include <stdlib.h>
#include <string.h>

enum { METRIC_ROWS = 200 };

static void family(FILE *stream, const char *name, const char *type, const char *help) {
    fprintf(stream, "# TYPE airlock_%s %s\n# HELP airlock_%s %s\n", name, type, name, help);
}

static void counter(FILE *stream, const char *name, const char *help, uint64_t value) {
    family(stream, name, "counter", help);
    fprintf(stream, "airlock_%s_total %llu\n", name, (unsigned long long)value);
}

/* Bytes that are no text are shown as people see them: a label has to be UTF-8. */
static void label_value(FILE *stream, const char *value) {
    size_t length;
    for (; *value != '\0'; value++) {
        int byte = escaped_byte(value, &length);
        if (byte >= 0) {
            fprintf(stream, "\\\\x%02x", byte);
            value += length - 1;
        } else if (*value == '\n') {
            fputs("\\n", stream);
        } else {
            if (*value == '"' || *value == '\\')
                putc('\\', stream);
            putc(*value, stream);
        }
    }
}

static void labels(FILE *stream, const struct tally_entry *entry, const char *const *names) {
    for (size_t i = 0; names[i] != NULL; i++) {
        fprintf(stream, "%s%s=\"", i == 0 ? "{" : ",", names[i]);
        if (entry != NULL)
            label_value(stream, tally_part(entry, i));
        putc('"', stream);
    }
    fputs("} ", stream);
}

static void counters(FILE *stream, const char *name, const char *help, const struct tally *tally,
                     const char *const *label_names) {
    const struct tally_entry **sorted = tally_sorted(tally);
    uint64_t rest = tally->total;
    family(stream, name, "counter", help);
    for (size_t i = 0; sorted != NULL && i < tally->count && i < METRIC_ROWS; i++) {
        fprintf(stream, "airlock_%s_total", name);
        labels(stream, sorted[i], label_names);
        fprintf(stream, "%llu\n", (unsigned long long)sorted[i]->count);
        rest -= sorted[i]->count;
    }
    if (rest > 0) {
        fprintf(stream, "airlock_%s_total", name);
        labels(stream, NULL, label_names);
        fprintf(stream, "%llu\n", (unsigned long long)rest);
    }
    free(sorted);
}

#define LABELS(...)                                                                                                    \
    (const char *const[]) {                                                                                            \
        __VA_ARGS__, NULL                                                                                              \
    }

/* Limits from 10 us to 10 s, three for each power of ten. */
static void latency(FILE *stream, const char *name, const char *label, const struct histogram *histogram) {
    static const unsigned steps[] = {10, 25, 50};
    char open[64] = "{", alone[64] = "";
    if (*label != '\0') {
        snprintf(open, sizeof open, "{phase=\"%s\",", label);
        snprintf(alone, sizeof alone, "{phase=\"%s\"}", label);
    }
    for (uint64_t scale = 1000; scale <= 1000000000; scale *= 10) {
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            if (scale == 1000000000 && i > 0)
                break;
            uint64_t limit = steps[i] * scale;
            fprintf(stream, "airlock_%s_bucket%sle=\"%g\"} %llu\n", name, open, (double)limit / 1e9,
                    (unsigned long long)histogram_at_most(histogram, limit));
        }
    }
    fprintf(stream, "airlock_%s_bucket%sle=\"+Inf\"} %llu\n", name, open, (unsigned long long)histogram->count);
    fprintf(stream, "airlock_%s_count%s %llu\n", name, alone, (unsigned long long)histogram->count);
    fprintf(stream, "airlock_%s_sum%s %.9f\n", name, alone, (double)histogram->sum / 1e9);
}

void report_metrics(FILE *stream, const struct summary *summary) {
    counters(stream, "spawns", "Spawns by calling program, call and result.", &summary->outcomes,
             LABELS("program", "call", "result"));
    counters(stream, "spawn_failures", "Failed spawns by the step that failed and its errno.", &summary->failures,
             LABELS("step", "errno"));
    counters(stream, "children", "Spawns by the primitive that made the child.", &summary->primitives,
             LABELS("primitive"));
    counters(stream, "passed_through", "Calls that went to libc without hardening, by reason.", &summary->reasons,
             LABELS("reason"));
    counter(stream, "sealed_descriptors", "Descriptors that were sealed, or would be in audit mode.", summary->sealed);
    counter(stream, "kept_descriptors", "Descriptors that a rule kept.", summary->kept);
    counter(stream, "leaking_spawns", "Spawns with at least one sealed descriptor.", summary->leaking);
    counter(stream, "records_dropped", "Records that the library could not write.", summary->dropped);
    counter(stream, "bad_lines", "Lines of the log that are no records.", summary->bad + summary->unknown);
    family(stream, "spawn_duration_seconds", "histogram", "How long a spawn kept its caller, by phase.");
    for (size_t i = 0; i < PHASE_COUNT; i++)
        latency(stream, "spawn_duration_seconds", phase_names[i], &summary->phases[i]);
    family(stream, "command_duration_seconds", "histogram", "Commands of system and popen, from start to reaping.");
    latency(stream, "command_duration_seconds", "", &summary->commands);
    family(stream, "last_record_timestamp_seconds", "gauge", "When the newest record was written.");
    fprintf(stream, "airlock_last_record_timestamp_seconds %.6f\n", (double)summary->last_wall_us / 1e6);
    fputs("# EOF\n", stream);
}
