/* airlock report: reads logs once, from begin to end, and answers in the forms that were asked for. */
#include "report.h"

#include "command.h"
#include "lines.h"
#include "output.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
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

/* How far reading is, for a person who waits. */
struct progress {
    bool shown;
    uint64_t size, done; /* bytes of all logs, 0 when unknown; of those that are finished */
    struct timespec next;
};

struct reading {
    struct summary *summary;
    struct record_reader *reader;
    struct trace_events *events;
    struct progress progress;
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

static bool is_due(struct progress *progress) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < progress->next.tv_sec ||
        (now.tv_sec == progress->next.tv_sec && now.tv_nsec < progress->next.tv_nsec))
        return false;
    progress->next = now;
    progress->next.tv_nsec += 100000000;
    if (progress->next.tv_nsec >= 1000000000) {
        progress->next.tv_sec++;
        progress->next.tv_nsec -= 1000000000;
    }
    return true;
}

static void show_progress(struct reading *reading, uint64_t offset) {
    static const char bar[] = "########################################";
    struct progress *progress = &reading->progress;
    char text[128];
    struct words words = WORDS(text);
    if (!progress->shown || !is_due(progress))
        return;
    words_add(&words, "\r");
    if (progress->size > 0) {
        double part = (double)(progress->done + offset) / (double)progress->size;
        part = part > 1 ? 1 : part;
        words_add(&words, "%3.0f%% [%-40.*s] ", 100 * part, (int)(40 * part), bar);
    }
    words_add_count(&words, reading->summary->good);
    words_add(&words, " records");
    fprintf(stderr, "%s\033[K", text);
    fflush(stderr);
}

static void take_line(struct reading *reading, const struct line *line) {
    struct record record;
    enum record_verdict verdict =
        line->overlong ? RECORD_BAD : record_read(reading->reader, line->bytes, line->length, &record);
    if (verdict == RECORD_GOOD) {
        summary_add(reading->summary, &record);
        if (reading->events != NULL)
            trace_events_add(reading->events, &record);
    } else if (verdict == RECORD_UNKNOWN) {
        reading->summary->unknown++;
    } else {
        reading->summary->bad++;
    }
}

/* Returns an errno value. */
static int read_lines(struct reading *reading, int fd) {
    struct lines lines;
    struct line line;
    unsigned count = 0;
    if (!lines_begin(&lines, fd))
        return ENOMEM;
    while (lines_next(&lines, &line)) {
        take_line(reading, &line);
        if ((++count & 1023) == 0)
            show_progress(reading, lines.offset);
    }
    int error = lines.error;
    if (lines_rest(&lines, &line))
        take_line(reading, &line);
    reading->progress.done += lines.offset;
    lines_end(&lines);
    return error;
}

static bool read_log(struct reading *reading, const char *name) {
    int fd = STDIN_FILENO;
    int error = 0;
    if (strcmp(name, "-") != 0)
        fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error = errno;
    } else {
        error = read_lines(reading, fd);
    }
    if (fd > STDIN_FILENO)
        close(fd);
    if (error != 0)
        complain("the log '%s' cannot be read: %s", name, strerror(error));
    return error == 0;
}

static uint64_t size_of_logs(char **logs) {
    uint64_t size = 0;
    for (; *logs != NULL; logs++) {
        struct stat status;
        if (stat(*logs, &status) != 0 || !S_ISREG(status.st_mode))
            return 0;
        size += (uint64_t)status.st_size;
    }
    return size;
}

static bool read_logs(struct reading *reading, char **logs) {
    bool good = true;
    reading->progress = (struct progress){.shown = isatty(STDERR_FILENO), .size = size_of_logs(logs)};
    for (; good && *logs != NULL; logs++)
        good = read_log(reading, *logs);
    if (reading->progress.shown)
        fprintf(stderr, "\r\033[K");
    return good;
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

static int report(const struct request *request, char **logs) {
    struct reading reading = {.summary = summary_new(), .reader = record_reader_new()};
    struct output trace = {0};
    int code = EXIT_OWN_ERROR;
    if (reading.summary == NULL || reading.reader == NULL) {
        complain("%s", strerror(ENOMEM));
        goto out;
    }
    if (request->files[FORM_TRACE] != NULL) {
        if (!output_open(&trace, request->files[FORM_TRACE]))
            goto out;
        reading.events = trace_events_begin(trace.stream);
    }
    if (!read_logs(&reading, logs))
        goto out;
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
    record_reader_free(reading.reader);
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
