/* airlock audit: runs a program with nothing held back, or reads the logs of one that ran so, and tells what enforce
 * would have closed. */
#include "audit.h"

#include "command.h"
#include "logs.h"
#include "output.h"
#include "watch.h"
#include "words.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const char audit_help[] = "  Runs PROGRAM with --mode audit: it and its descendants run as without airlock.\n"
                                 "  At the end a table tells which descriptors enforce would have kept from which\n"
                                 "  processes, and which it would have let through and by which rule. It is there,\n"
                                 "  too, when PROGRAM or others were killed half-way.\n"
                                 "\n"
                                 "  With --log nothing is run: the same is told of logs that were written in mode\n"
                                 "  audit, like those of a service under 'airlock unit NAME --mode audit'. LOG '-'\n"
                                 "  is standard input.\n"
                                 "\n"
                                 "  --log             the words behind the options are logs\n"
                                 "  --suggest         in place of the table, a policy file for 'run --policy': it\n"
                                 "                    keeps what was seen to be handed on deliberately, and has\n"
                                 "                    the rest as comments to choose from\n"
                                 "  -o, --output FILE the answer goes to FILE, which is replaced when all of it is\n"
                                 "                    there; default: standard error, with --log standard output\n"
                                 "  --                ends the options; PROGRAM ends them as well\n"
                                 "\n"
                                 "  Ends with the exit code of PROGRAM, or with 128 + N when signal N ended it.\n"
                                 "  AIRLOCK_MODE and AIRLOCK_LOG are replaced.\n"
                                 "\n"
                                 "  Examples:\n"
                                 "    airlock audit ./legacy-server --port 80\n"
                                 "    airlock audit --suggest -o server.policy -- ./legacy-server --port 80\n"
                                 "    airlock audit --log /var/log/airlock/legacy-server/spawns.jsonl\n"
                                 "    zcat spawns.jsonl.*.gz | airlock audit --suggest --log -\n";

static int audit_main(int argc, char **argv);

const struct subcommand audit_subcommand = {
    .name = "audit",
    .synopsis = "[--suggest] [-o FILE] [--] PROGRAM [ARG...] | --log LOG...",
    .help = audit_help,
    .main = audit_main,
};

enum { OPTION_HELP = 256, OPTION_SUGGEST, OPTION_LOG };

static const struct option options[] = {
    {"suggest", no_argument, NULL, OPTION_SUGGEST},
    {"log", no_argument, NULL, OPTION_LOG},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct request {
    bool suggest;
    bool logs; /* of logs, not of a program */
    const char *file;
};

static void complain_of_option(int option, char **argv) {
    static const char accepted[] = "accepted are --log LOG..., --suggest, -o FILE and --help";
    if (option == ':') {
        complain("a value is missing after '%s'; %s", argv[optind - 1], accepted);
    } else if (optopt > 0 && optopt < 256) {
        complain("unknown option '-%c'; %s", optopt, accepted);
    } else {
        complain("unknown option '%s'; %s", argv[optind - 1], accepted);
    }
}

/* Returns true when all is well; else *code is the exit code. */
static bool take_options_as(const char *letters, int argc, char **argv, struct request *request, int *code) {
    int option;
    *code = EXIT_OWN_ERROR;
    opterr = 0;
    optind = 0; /* getopt begins anew */
    while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            *code = answer_help(&audit_subcommand);
            return false;
        }
        if (option == OPTION_SUGGEST) {
            request->suggest = true;
        } else if (option == OPTION_LOG) {
            request->logs = true;
        } else if (option == 'o') {
            request->file = optarg;
        } else {
            complain_of_option(option, argv);
            return false;
        }
    }
    return true;
}

/* Returns true when there is something to do; else *code is the exit code. PROGRAM's options are its own; among and
 * behind logs there may be more of ours. */
static bool take_options(int argc, char **argv, struct request *request, int *code) {
    if (!take_options_as("+:o:", argc, argv, request, code) ||
        (request->logs && !take_options_as(":o:", argc, argv, request, code)))
        return false;
    if (optind == argc)
        complain("audit: no %s given; usage: airlock audit %s", request->logs ? "log" : "program",
                 audit_subcommand.synopsis);
    return optind < argc;
}

/* What is told of a row: the descriptor with both ends of its connection, while it was always the same. */
static void set_example(struct tally_entry *entry, const char *kind, const char *descriptor) {
    const char *example = entry->count == 1 ? descriptor : kind;
    if (entry->example != NULL && (strcmp(entry->example, descriptor) == 0 || strcmp(entry->example, kind) == 0))
        return;
    free(entry->example);
    entry->example = strdup(example);
}

static void add_descriptors(struct tally *tally, const struct record *record,
                            const struct record_descriptors *descriptors) {
    char fd[24], what[1024], whole[1024];
    for (size_t i = 0; i < descriptors->count; i++) {
        const struct record_descriptor *item = &descriptors->items[i];
        struct words kind = WORDS(what), descriptor = WORDS(whole);
        snprintf(fd, sizeof fd, "%lld", (long long)item->fd);
        what[0] = whole[0] = '\0';
        words_add_kind(&kind, item->what);
        words_add_descriptor(&descriptor, item->what);
        struct tally_entry *entry =
            TALLY_ADD(tally, 0, fd, what, record->program, record->path, record->call, item->rule);
        if (entry != NULL && strcmp(what, whole) != 0)
            set_example(entry, what, whole);
    }
}

static void take_record(void *context, const struct record *record) {
    struct audit *audit = context;
    audit->dropped += record->dropped > 0 ? (uint64_t)record->dropped : 0;
    if (record->type != RECORD_SPAWN)
        return;
    audit->spawns++;
    audit->failed += record->failed;
    audit->leaking += record->sealed.count > 0;
    audit->passed_through += record->passed_through != NULL;
    audit->silent += !record->sealed.listed && record->passed_through == NULL;
    audit->enforced += record->sealed.listed && record->mode != NULL && strcmp(record->mode, "audit") != 0;
    audit->cut += record->fds_cut;
    add_descriptors(&audit->sealed, record, &record->sealed);
    add_descriptors(&audit->kept, record, &record->kept);
}

/* Without a file, what is told of a program goes where its output cannot be mixed up with it in a pipe. */
static bool answer(const struct request *request, const struct audit *audit) {
    struct output output = {.stream = stderr};
    if ((request->file != NULL || request->logs) && !output_open(&output, request->file != NULL ? request->file : "-"))
        return false;
    if (request->suggest) {
        audit_policy(output.stream, audit);
    } else {
        audit_table(output.stream, audit);
    }
    return output.path == NULL || output_finish(&output);
}

static void complain_of_loss(uint64_t count) {
    if (count > 0)
        complain("%llu records were lost: the answer may lack something", (unsigned long long)count);
}

static int audit_program(const struct request *request, char **argv, struct audit *audit) {
    struct watch watch = {.take = take_record, .context = audit};
    if (setenv("AIRLOCK_MODE", "audit", 1) != 0) {
        complain("%s", strerror(errno));
        return EXIT_OWN_ERROR;
    }
    int code = watch_program(argv, &watch);
    if (watch.started && !answer(request, audit))
        code = EXIT_OWN_ERROR;
    complain_of_loss(audit->dropped + watch.bad);
    return code;
}

static int audit_logs(const struct request *request, char **names, struct audit *audit) {
    struct logs logs = {.take = take_record, .context = audit};
    if (!logs_read(&logs, names) || !answer(request, audit))
        return EXIT_OWN_ERROR;
    if (logs.bad + logs.unknown > 0)
        complain("%llu lines are no records that this command can read, and were passed over",
                 (unsigned long long)(logs.bad + logs.unknown));
    complain_of_loss(audit->dropped);
    return EXIT_SUCCESS;
}

static int audit_main(int argc, char **argv) {
    static struct audit audit;
    struct request request = {0};
    int code;
    if (!take_options(argc, argv, &request, &code))
        return code;
    setlocale(LC_CTYPE, "");
    code = request.logs ? audit_logs(&request, argv + optind, &audit) : audit_program(&request, argv + optind, &audit);
    tally_clear(&audit.sealed);
    tally_clear(&audit.kept);
    return code;
}
