/* airlock trace: runs a program and shows each spawn of its process tree as it happens, one line a spawn. */
#include "command.h"
#include "output.h"
#include "watch.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const char trace_help[] = "  Runs PROGRAM like 'airlock run', and shows every process that it and its\n"
                                 "  descendants start through posix_spawn, system or popen, as it happens: when,\n"
                                 "  by whom, through which call, what, the child or the precise error, how long\n"
                                 "  it kept the caller, and which descriptors were sealed. A command of system or\n"
                                 "  popen that does not end well has a second line. The last line counts.\n"
                                 "\n"
                                 "  --failed          only spawns that failed and commands that did not end well\n"
                                 "  --leaks           only spawns with descriptors that were sealed\n"
                                 "  --slow MS         only spawns that kept their caller for MS milliseconds\n"
                                 "  -o, --output FILE the lines go to FILE, in full; default: standard error, on\n"
                                 "                    a terminal cut to its width\n"
                                 "  --                ends the options; PROGRAM ends them as well\n"
                                 "\n"
                                 "  With several of --failed, --leaks and --slow, a spawn is shown when one\n"
                                 "  of them applies. PROGRAM's own output stays as it is. Ends when PROGRAM ends,\n"
                                 "  with its exit code, or with 128 + N when signal N ended it. AIRLOCK_MODE and\n"
                                 "  the other variables of 'airlock run' count; AIRLOCK_LOG is replaced.\n"
                                 "\n"
                                 "  Examples:\n"
                                 "    airlock trace make -j4\n"
                                 "    airlock trace --failed --slow 5 -o slow.txt -- ./legacy-server\n";

static int trace_main(int argc, char **argv);

const struct subcommand trace_subcommand = {
    .name = "trace",
    .synopsis = "[--failed] [--leaks] [--slow MS] [-o FILE] [--] PROGRAM [ARG...]",
    .help = trace_help,
    .main = trace_main,
};

enum { OPTION_HELP = 256, OPTION_FAILED, OPTION_LEAKS, OPTION_SLOW };
enum { LINE_BYTES = 8192, NARROWEST = 60, LEAST = 24 };

static const struct option options[] = {
    {"failed", no_argument, NULL, OPTION_FAILED},   {"leaks", no_argument, NULL, OPTION_LEAKS},
    {"slow", required_argument, NULL, OPTION_SLOW}, {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, OPTION_HELP},       {NULL, 0, NULL, 0},
};

struct trace {
    bool failed, leaks, slow;
    double slow_ns;
    const char *file;
    FILE *stream;
    bool terminal;
    const char *dim, *red, *yellow, *plain;
    uint64_t spawns, failures, sealed;
};

static bool take_slow(const char *value, struct trace *trace) {
    char *end;
    errno = 0;
    double milliseconds = strtod(value, &end);
    if (errno != 0 || end == value || *end != '\0' || !(milliseconds >= 0 && milliseconds <= 1e9)) {
        complain("--slow '%s' is no number of milliseconds; accepted are 0 to 1000000000, like 5 or 0.2", value);
        return false;
    }
    trace->slow = true;
    trace->slow_ns = milliseconds * 1e6;
    return true;
}

static void complain_of_option(int option, char **argv) {
    static const char accepted[] = "accepted are --failed, --leaks, --slow MS, -o FILE and --help";
    if (option == ':') {
        complain("a value is missing after '%s'; %s", argv[optind - 1], accepted);
    } else if (optopt > 0 && optopt < 256) {
        complain("unknown option '-%c'; %s", optopt, accepted);
    } else {
        complain("unknown option '%s'; %s", argv[optind - 1], accepted);
    }
}

/* Returns true when PROGRAM shall run; else *code is the exit code. */
static bool take_options(int argc, char **argv, struct trace *trace, int *code) {
    *code = EXIT_OWN_ERROR;
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, "+:o:", options, NULL);
        if (option == -1)
            break;
        switch (option) {
        case OPTION_HELP:
            *code = answer_help(&trace_subcommand);
            return false;
        case OPTION_FAILED:
            trace->failed = true;
            break;
        case OPTION_LEAKS:
            trace->leaks = true;
            break;
        case OPTION_SLOW:
            if (!take_slow(optarg, trace))
                return false;
            break;
        case 'o':
            trace->file = optarg;
            break;
        default:
            complain_of_option(option, argv);
            return false;
        }
    }
    if (optind == argc)
        complain("trace: no program given; usage: airlock trace %s", trace_subcommand.synopsis);
    return optind < argc;
}

static bool ended_well(const struct record *record) {
    return strcmp(record->status, "exited 0") == 0;
}

static bool is_shown(const struct trace *trace, const struct record *record) {
    bool failed = record->type == RECORD_EXIT ? !ended_well(record) : record->failed;
    if (record->type == RECORD_EXIT)
        return failed && (trace->failed || (!trace->leaks && !trace->slow));
    if (!trace->failed && !trace->leaks && !trace->slow)
        return true;
    return (trace->failed && failed) || (trace->leaks && record->sealed.count > 0) ||
           (trace->slow && (double)record->ns[PHASE_TOTAL] >= trace->slow_ns);
}

static size_t width_of(const struct trace *trace) {
    struct winsize size;
    if (ioctl(fileno(trace->stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 100;
    return size.ws_col < NARROWEST ? NARROWEST : size.ws_col;
}

/* When, by whom, through which call. */
static void add_origin(struct words *words, const struct record *record) {
    char origin[256] = "", call[64] = "";
    struct words origin_words = WORDS(origin), call_words = WORDS(call);
    time_t seconds = (time_t)(record->wall_us / 1000000);
    struct tm local;
    localtime_r(&seconds, &local);
    words_add(words, "%02d:%02d:%02d.%03d  ", local.tm_hour, local.tm_min, local.tm_sec,
              (int)(record->wall_us / 1000 % 1000));
    words_add_plain(&origin_words, base_name(record->program));
    words_add(&origin_words, "[%lld]", (long long)record->pid);
    words_add_plain(&call_words, record->call);
    words_add(words, "%-18s %-12s ", origin, call);
}

static void add_sealed(struct words *words, const struct record *record) {
    bool audit = record->mode != NULL && strcmp(record->mode, "audit") == 0;
    words_add(words, audit ? "  leaks " : "  sealed ");
    for (size_t i = 0; i < record->sealed.count; i++) {
        words_add(words, "%s%lld ", i == 0 ? "" : ", ", (long long)record->sealed.items[i].fd);
        words_add_plain(words, record->sealed.items[i].what);
    }
    if (record->fds_cut)
        words_add(words, ", %s", marks()->ellipsis);
}

/* The child or the error, and the time. */
static void add_outcome(struct words *words, const struct record *record) {
    if (record->failed) {
        words_add(words, "%s ", marks()->failure);
        words_add_plain(words, record->error_text);
    } else if (record->child > 0) {
        words_add(words, "%s %lld", marks()->arrow, (long long)record->child);
    }
    if (record->ns[PHASE_TOTAL] > 0) {
        words_add(words, "  ");
        words_add_duration(words, (double)record->ns[PHASE_TOTAL]);
    }
    if (record->passed_through != NULL) {
        words_add(words, "  passed through: ");
        words_add_plain(words, record->passed_through);
    }
}

/* Cuts the two that can be long so that both fit into what is left of the width: the list of what was sealed to half of
 * it, if need be, and the command to the rest. A window that leaves no room has lines that wrap. */
static void share_width(size_t width, size_t used, struct words *command, struct words *sealed) {
    size_t room = width > used + LEAST ? width - used : LEAST;
    size_t wanted = columns_of(command->text);
    words_fit(sealed, wanted < room / 2 ? room - wanted : room / 2);
    words_fit(command, room - columns_of(sealed->text));
}

static void show_spawn(struct trace *trace, const struct record *record) {
    char origin[512] = "", command[LINE_BYTES] = "", outcome[LINE_BYTES] = "", sealed[LINE_BYTES] = "";
    struct words origin_words = WORDS(origin), command_words = WORDS(command), outcome_words = WORDS(outcome),
                 sealed_words = WORDS(sealed);
    add_origin(&origin_words, record);
    words_add_command(&command_words, record);
    add_outcome(&outcome_words, record);
    if (record->sealed.count > 0)
        add_sealed(&sealed_words, record);
    if (trace->terminal)
        share_width(width_of(trace), columns_of(origin) + columns_of(outcome) + 2, &command_words, &sealed_words);
    fprintf(trace->stream, "%s%s%s%s  %s%s%s%s%s%s\n", trace->dim, origin, trace->plain, command,
            record->failed ? trace->red : trace->dim, outcome, trace->plain, trace->yellow, sealed, trace->plain);
}

static void show_exit(struct trace *trace, const struct record *record) {
    char origin[512] = "", duration[64] = "", status[128] = "";
    struct words words = WORDS(origin), duration_words = WORDS(duration), status_words = WORDS(status);
    add_origin(&words, record);
    words_add_duration(&duration_words, (double)record->wall_ns);
    words_add_plain(&status_words, record->status);
    fprintf(trace->stream, "%s%s%s%lld %s after %s%s\n", trace->dim, origin, trace->red, (long long)record->child,
            status, duration, trace->plain);
}

static void take_record(void *context, const struct record *record) {
    struct trace *trace = context;
    if (record->type == RECORD_SPAWN) {
        trace->spawns++;
        trace->failures += record->failed;
        trace->sealed += record->sealed.count;
    }
    if (!is_shown(trace, record))
        return;
    if (record->type == RECORD_SPAWN) {
        show_spawn(trace, record);
    } else {
        show_exit(trace, record);
    }
    fflush(trace->stream);
}

static void show_totals(const struct trace *trace, const struct watch *watch) {
    fprintf(trace->stream, "%s# %llu spawns, %llu failed, %llu descriptors sealed, %llu records lost%s\n", trace->dim,
            (unsigned long long)trace->spawns, (unsigned long long)trace->failures, (unsigned long long)trace->sealed,
            (unsigned long long)(watch->dropped + watch->bad), trace->plain);
    fflush(trace->stream);
}

static void choose_colours(struct trace *trace) {
    trace->terminal = isatty(fileno(trace->stream));
    bool colours = trace->terminal && getenv("NO_COLOR") == NULL;
    trace->dim = colours ? "\033[2m" : "";
    trace->red = colours ? "\033[31m" : "";
    trace->yellow = colours ? "\033[33m" : "";
    trace->plain = colours ? "\033[0m" : "";
}

static int trace_main(int argc, char **argv) {
    struct trace trace = {.stream = stderr};
    struct watch watch = {.take = take_record, .context = &trace};
    int code;
    if (!take_options(argc, argv, &trace, &code))
        return code;
    setlocale(LC_CTYPE, "");
    if (trace.file != NULL)
        trace.stream = fopen(trace.file, "we");
    if (trace.stream == NULL) {
        complain("-o '%s': %s", trace.file, strerror(errno));
        return EXIT_OWN_ERROR;
    }
    choose_colours(&trace);
    code = watch_program(argv + optind, &watch);
    if (watch.started)
        show_totals(&trace, &watch);
    if (trace.file != NULL && (ferror(trace.stream) | fclose(trace.stream)) != 0)
        complain("-o '%s': %s", trace.file, strerror(errno));
    return code;
}
