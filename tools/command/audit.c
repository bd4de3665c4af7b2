/* airlock audit: runs a program with nothing held back, and tells at the end what enforce would have closed. */
#include "audit.h"

#include "command.h"
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
                                 "  --suggest         in place of the table, a policy file for 'run --policy': it\n"
                                 "                    keeps what was seen to be handed on deliberately, and has\n"
                                 "                    the rest as comments to choose from\n"
                                 "  -o, --output FILE the answer goes to FILE, which is replaced when PROGRAM has\n"
                                 "                    ended; default: standard error\n"
                                 "  --                ends the options; PROGRAM ends them as well\n"
                                 "\n"
                                 "  Ends with the exit code of PROGRAM, or with 128 + N when signal N ended it.\n"
                                 "  AIRLOCK_MODE and AIRLOCK_LOG are replaced.\n"
                                 "\n"
                                 "  Examples:\n"
                                 "    airlock audit ./legacy-server --port 80\n"
                                 "    airlock audit --suggest -o server.policy -- ./legacy-server --port 80\n";

static int audit_main(int argc, char **argv);

const struct subcommand audit_subcommand = {
    .name = "audit",
    .synopsis = "[--suggest] [-o FILE] [--] PROGRAM [ARG...]",
    .help = audit_help,
    .main = audit_main,
};

enum { OPTION_HELP = 256, OPTION_SUGGEST };

static const struct option options[] = {
    {"suggest", no_argument, NULL, OPTION_SUGGEST},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct request {
    bool suggest;
    const char *file;
};

static void complain_of_option(int option, char **argv) {
    static const char accepted[] = "accepted are --suggest, -o FILE and --help";
    if (option == ':') {
        complain("a value is missing after '%s'; %s", argv[optind - 1], accepted);
    } else if (optopt > 0 && optopt < 256) {
        complain("unknown option '-%c'; %s", optopt, accepted);
    } else {
        complain("unknown option '%s'; %s", argv[optind - 1], accepted);
    }
}

/* Returns true when PROGRAM shall run; else *code is the exit code. */
static bool take_options(int argc, char **argv, struct request *request, int *code) {
    *code = EXIT_OWN_ERROR;
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, "+:o:", options, NULL);
        if (option == -1)
            break;
        if (option == OPTION_HELP) {
            *code = answer_help(&audit_subcommand);
            return false;
        }
        if (option == OPTION_SUGGEST) {
            request->suggest = true;
        } else if (option == 'o') {
            request->file = optarg;
        } else {
            complain_of_option(option, argv);
            return false;
        }
    }
    if (optind == argc)
        complain("audit: no program given; usage: airlock audit %s", audit_subcommand.synopsis);
    return optind < argc;
}

static void add_descriptors(struct tally *tally, const struct record *record,
                            const struct record_descriptors *descriptors) {
    char fd[24], what[1024];
    for (size_t i = 0; i < descriptors->count; i++) {
        const struct record_descriptor *item = &descriptors->items[i];
        struct words words = WORDS(what);
        snprintf(fd, sizeof fd, "%lld", (long long)item->fd);
        what[0] = '\0';
        words_add_kind(&words, item->what);
        TALLY_ADD(tally, 0, fd, what, record->program, record->path, record->call, item->rule);
    }
}

static void take_record(void *context, const struct record *record) {
    struct audit *audit = context;
    if (record->type != RECORD_SPAWN)
        return;
    audit->spawns++;
    audit->failed += record->failed;
    audit->leaking += record->sealed.count > 0;
    audit->passed_through += record->passed_through != NULL;
    add_descriptors(&audit->sealed, record, &record->sealed);
    add_descriptors(&audit->kept, record, &record->kept);
}

/* Without a file the answer goes where the program's output cannot be mixed up with it in a pipe. */
static bool answer(const struct request *request, const struct audit *audit) {
    struct output output = {.stream = stderr};
    if (request->file != NULL && !output_open(&output, request->file))
        return false;
    if (request->suggest) {
        audit_policy(output.stream, audit);
    } else {
        audit_table(output.stream, audit);
    }
    return request->file == NULL || output_finish(&output);
}

static int audit_main(int argc, char **argv) {
    static struct audit audit;
    struct request request = {0};
    struct watch watch = {.take = take_record, .context = &audit};
    int code;
    if (!take_options(argc, argv, &request, &code))
        return code;
    setlocale(LC_CTYPE, "");
    if (setenv("AIRLOCK_MODE", "audit", 1) != 0) {
        complain("%s", strerror(errno));
        return EXIT_OWN_ERROR;
    }
    code = watch_program(argv + optind, &watch);
    if (watch.started && !answer(&request, &audit))
        code = EXIT_OWN_ERROR;
    if (watch.dropped + watch.bad > 0)
        complain("%llu records were lost: the answer may lack something",
                 (unsigned long long)(watch.dropped + watch.bad));
    tally_clear(&audit.sealed);
    tally_clear(&audit.kept);
    return code;
}
