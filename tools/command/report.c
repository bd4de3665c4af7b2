/* airlock report: reads logs once, from begin to end, and answers in the forms that were asked for. */
#include "report.h"

#include "command.h"
#include "logs.h"
#include "output.h"
#include "words.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char report_help[] = "  Reads the logs that the library writes with AIRLOCK_LOG=FILE, and shows a\n"
                                  "  summary: totals, failures, where the time goes, what leaks from whom to whom.\n"
                                  "  LOG '-' is standard input. Lines that are no records are counted and passed\n"
                                  "  over.\n"
                                  "\n"
                                  "  --top N           how many rows each list of the summary has (default: 10)\n"
                                  "  --json            the summary as JSON, instead\n"
                                  "  --html FILE       one page for a browser, which needs no network: timeline,\n"
                                  "                    distributions, matrix of leaks, table of spawns\n"
                                  "  --trace FILE      trace events, as Chrome's and Perfetto's viewers read them\n"
                                  "  --metrics FILE    OpenMetrics, for node_exporter's textfile collector\n"
                                  "  --dot FILE        who spawned whom, for Graphviz\n"
                                  "\n"
                                  "  Several of these may be given. A FILE is replaced when all of it is written;\n"
                                  "  '-' is standard output. Without any of them the summary is printed.\n"
                                  "\n"
                                  "  Examples:\n"
                                  "    AIRLOCK_LOG=/tmp/build.log airlock run -- make -j4\n"
                                  "    airlock report /tmp/build.log\n"
                                  "    airlock report --html build.html --dot build.dot /tmp/build.log\n"
                                  "    zcat spawns-*.log.gz | airlock report --json - | jq .failures\n";

static int report_main(int argc, char **argv);

const struct subcommand report_subcommand = {
    .name = "report",
    .synopsis = "[--top N] [--json] [--html FILE] [--trace FILE] [--metrics FILE] [--dot FILE] LOG...",
    .help = report_help,
    .main = report_main,
};

enum form { FORM_JSON, FORM_HTML, FORM_TRACE, FORM_METRICS, FORM_DOT, FORM_COUNT };
enum { OPTION_HELP = 256, OPTION_TOP, OPTION_FORM };
enum { TOP_DEFAULT = 10, TOP_LIMIT = 10000 };

static const struct option options[] = {
    {"json", no_argument, NULL, OPTION_FORM + FORM_JSON},
    {"html", required_argument, NULL, OPTION_FORM + FORM_HTML},
    {"trace", required_argument, NULL, OPTION_FORM + FORM_TRACE},
    {"metrics", required_argument, NULL, OPTION_FORM + FORM_METRICS},
    {"dot", required_argument, NULL, OPTION_FORM + FORM_DOT},
    {"top", required_argument, NULL, OPTION_TOP},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct request {
    const char *files[FORM_COUNT]; /* NULL: not asked for */
    size_t top;
};

struct reading {
    struct summary *summary;
    struct trace_events *events;
};

static bool take_top(const char *value, struct request *request) {
    char *end;
    errno = 0;
    long top = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || top < 1 || top > TOP_LIMIT) {
        complain("--top '%s' is no number of rows; accepted are 1 to %d", value, TOP_LIMIT);
        return false;
    }
    request->top = (size_t)top;
    return true;
}

/* Returns true when there is something to report; else *code is the exit code. */
static bool take_options(int argc, char **argv, struct request *request, int *code) {
    *code = EXIT_OWN_ERROR;
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, ":", options, NULL);
        if (option == -1)
            break;
        if (option == OPTION_HELP) {
            *code = answer_help(&report_subcommand);
            return false;
        }
        if (option == ':' || option == '?') {
            complain("%s '%s'; accepted are --top N, --json, --html FILE, --trace FILE, --metrics FILE, --dot FILE "
                     "and --help",
                     option == ':' ? "a value is missing after" : "unknown option", argv[optind - 1]);
            return false;
        }
        if (option == OPTION_TOP) {
            if (!take_top(optarg, request))
                return false;
        } else {
            request->files[option - OPTION_FORM] = option == OPTION_FORM + FORM_JSON ? "-" : optarg;
        }
    }
    if (optind == argc)
        complain("report: no log given; usage: airlock report %s", report_subcommand.synopsis);
    return optind < argc;
}

static void take_record(void *context, const struct record *record) {
    struct reading *reading = context;
    summary_add(reading->summary, record);
    if (reading->events != NULL)
        trace_events_add(reading->events, record);
}

/* The trace events have to be there before the first record, the other answers after the last. */
static bool write_form(enum form form, const struct request *request, const struct summary *summary) {
    struct output output;
    if (request->files[form] == NULL || form == FORM_TRACE)
        return true;
    if (!output_open(&output, request->files[form]))
        return false;
    if (form == FORM_JSON) {
        report_json(output.stream, summary, TALLY_KEYS, false);
    } else if (form == FORM_HTML) {
        report_html(output.stream, summary);
    } else if (form == FORM_METRICS) {
        report_metrics(output.stream, summary);
    } else {
        report_dot(output.stream, summary);
    }
    return output_finish(&output);
}

static int answer(const struct request *request, const struct summary *summary) {
    bool any = false;
    bool good = true;
    for (int form = 0; form < FORM_COUNT; form++) {
        any |= request->files[form] != NULL;
        good &= write_form((enum form)form, request, summary);
    }
    if (any)
        return good ? EXIT_SUCCESS : EXIT_OWN_ERROR;
    report_text(stdout, summary, request->top, isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL);
    return finish_answer();
}

static int report(const struct request *request, char **names) {
    struct reading reading = {.summary = summary_new()};
    struct logs logs = {.take = take_record, .context = &reading};
    struct output trace = {0};
    int code = EXIT_OWN_ERROR;
    if (reading.summary == NULL) {
        complain("%s", strerror(ENOMEM));
        goto out;
    }
    if (request->files[FORM_TRACE] != NULL) {
        if (!output_open(&trace, request->files[FORM_TRACE]))
            goto out;
        reading.events = trace_events_begin(trace.stream);
    }
    if (!logs_read(&logs, names))
        goto out;
    reading.summary->unknown = logs.unknown;
    reading.summary->bad = logs.bad;
    summary_finish(reading.summary);
    code = answer(request, reading.summary);
    if (reading.events != NULL) {
        trace_events_end(reading.events);
        reading.events = NULL;
        if (!output_finish(&trace))
            code = EXIT_OWN_ERROR;
    }
out:
    free(reading.events);
    output_abandon(&trace);
    summary_free(reading.summary);
    return code;
}

static int report_main(int argc, char **argv) {
    struct request request = {.top = TOP_DEFAULT};
    int code;
    if (!take_options(argc, argv, &request, &code))
        return code;
    setlocale(LC_CTYPE, "");
    return report(&request, argv + optind);
}
