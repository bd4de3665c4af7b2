/* Feeds bytes to `airlock report` as a log, and to `airlock trace` and `airlock audit` as what the library wrote
 * meanwhile (libFuzzer; tools/fuzz builds and runs it). Each of their answers must be what it claims to be, whatever a
 * log holds: JSON, lines for a terminal, a page that nothing was put into, a graph, metrics, a policy. */
#include "answer.h"

#include "lines.h"
#include "policy_file.h"
#include "record.h"
#include "watch.h"

#include <locale.h>

extern const struct subcommand report_subcommand, trace_subcommand, audit_subcommand;

static struct memory log_file, out, html, events, metrics, graph;

int answer_help(const struct subcommand *subcommand) {
    (void)subcommand;
    return 0;
}

/* In place of a program that writes it: the whole log at once. */
int watch_program(char **argv, struct watch *watch) {
    struct record_reader *reader = record_reader_new();
    struct lines lines;
    struct line line;
    struct record record;
    (void)argv;
    must(reader != NULL && lseek(log_file.fd, 0, SEEK_SET) == 0 && lines_begin(&lines, log_file.fd));
    while (lines_next(&lines, &line) || lines_rest(&lines, &line)) {
        if (record_read(reader, line.bytes, line.length, &record) == RECORD_GOOD)
            watch->take(watch->context, &record);
        else
            watch->bad++;
    }
    lines_end(&lines);
    record_reader_free(reader);
    watch->started = true;
    return 0;
}

static size_t count_of(const struct memory *memory, char byte) {
    size_t count = 0;
    for (size_t i = 0; i < memory->length; i++)
        count += memory->text[i] == byte;
    return count;
}

/* The page has as many tags as always. */
static void check_page(void) {
    static size_t tags;
    memory_take(&html);
    if (tags == 0)
        tags = count_of(&html, '<');
    must(tags > 10 && count_of(&html, '<') == tags);
    free(html.text);
}

/* Every line is a comment or a sample; what a program chose stands between quotes. */
static void check_metrics(void) {
    memory_take(&metrics);
    must(metrics.length > 0 && strcmp(metrics.text + metrics.length - 6, "# EOF\n") == 0);
    for (char *line = metrics.text; *line != '\0';) {
        char *end = strchr(line, '\n');
        must(end != NULL && (*line == '#' || strncmp(line, "airlock_", 8) == 0));
        line = end + 1;
    }
    free(metrics.text);
}

/* Quotes come in pairs in every line. */
static void check_graph(void) {
    bool inside = false;
    memory_take(&graph);
    must_be_plain(&graph);
    for (const char *at = graph.text; *at != '\0'; at++) {
        if (*at == '\\' && inside && at[1] != '\0')
            at++;
        else if (*at == '"')
            inside = !inside;
        must(*at != '\n' || !inside);
    }
    free(graph.text);
}

static void report(void) {
    char *all[] = {"report", "--json",   "--html",    html.path,    "--trace",     events.path,
                   "--dot",  graph.path, "--metrics", metrics.path, log_file.path, NULL};
    char *text[] = {"report", "--top", "3", log_file.path, NULL};
    must(run_subcommand(&report_subcommand, &out, all) == 0);
    must_be_json(&out);
    free(out.text);
    memory_take(&events);
    must_be_json(&events);
    free(events.text);
    check_page();
    check_metrics();
    check_graph();
    must(run_subcommand(&report_subcommand, &out, text) == 0);
    must_be_plain(&out);
    free(out.text);
}

static int find_convention(const char *name, size_t length) {
    (void)name;
    (void)length;
    return -1;
}

static void no_mistake(void *context, const struct mistake *mistake) {
    (void)context;
    (void)mistake;
    abort();
}

/* What is suggested can be read, decides one thing beside what is kept, and seals nothing. */
static void check_policy(void) {
    static struct policy_rules rules;
    const struct policy_reader reader = {find_convention, no_mistake, NULL};
    memory_take(&out);
    must_be_plain(&out);
    if (out.length <= POLICY_FILE_MAX) {
        memcpy(rules.text, out.text, out.length);
        policy_file_parse(&rules, out.length, &reader);
        for (size_t i = 0; i < rules.rule_count; i++)
            must(i == 0 ? rules.rules[i].kind == RULE_CHOICE : rules.rules[i].kind == RULE_KEEP);
    }
    free(out.text);
}

static void watch(void) {
    char *trace[] = {"trace", "-o", out.path, "--", "program", NULL};
    char *table[] = {"audit", "-o", out.path, "--", "program", NULL};
    char *suggest[] = {"audit", "--suggest", "-o", out.path, "--", "program", NULL};
    struct memory *answers = &events; /* stdout stays empty */
    must(run_subcommand(&trace_subcommand, answers, trace) == 0 && answers->length == 0);
    free(answers->text);
    memory_take(&out);
    must_be_plain(&out);
    free(out.text);
    must(run_subcommand(&audit_subcommand, answers, table) == 0 && answers->length == 0);
    free(answers->text);
    memory_take(&out);
    must_be_plain(&out);
    free(out.text);
    must(run_subcommand(&audit_subcommand, answers, suggest) == 0 && answers->length == 0);
    free(answers->text);
    check_policy();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (log_file.path[0] == '\0') {
        setlocale(LC_ALL, "C.UTF-8");
        memory_make(&log_file);
        memory_make(&out);
        memory_make(&html);
        memory_make(&events);
        memory_make(&metrics);
        memory_make(&graph);
        report(); /* of an empty log: the page as it is */
    }
    memory_fill(&log_file, data, size);
    report();
    watch();
    return 0;
}
