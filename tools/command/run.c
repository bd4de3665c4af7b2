/* airlock run: checks its options, then becomes the program. */
#include "command.h"
#include "settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char run_help[] = "  Becomes PROGRAM, with the airlock library first in LD_PRELOAD. A program that\n"
                               "  the library cannot reach (statically linked, set-user-id, made for another\n"
                               "  machine) is run all the same, after one line on standard error that says so.\n"
                               "\n"
                               "  --mode M          enforce: children get only what was meant for them (default)\n"
                               "                    audit: nothing is held back, only recorded\n"
                               "                    off: every call goes to the C library untouched\n"
                               "  --keep LIST       descriptors that children may inherit, too: 'all', or\n"
                               "                    numbers and ranges like 3,7-9\n"
                               "  --signals S       ignored signals that are reset for children\n"
                               "                    inherit: none; pipe: SIGPIPE and SIGXFSZ (default); all\n"
                               "  --mask M          signals blocked in children\n"
                               "                    inherit: as in the program (default); clear: none\n"
                               "  --policy FILE     rules by program, and more: see airlock-policy(5). The other\n"
                               "                    options, and their variables, win over it\n"
                               "  --                ends the options; PROGRAM ends them as well\n"
                               "\n"
                               "  An option given twice: the last one counts. An option not given: its variable\n"
                               "  stays as it is in the environment.\n"
                               "\n"
                               "  Examples:\n"
                               "    airlock run -- ./legacy-server --port 80\n"
                               "    airlock run --keep 3,7-9 ./supervisor --verbose\n"
                               "    airlock run --mode off --signals inherit -- ./job\n";

static int run_main(int argc, char **argv);

const struct subcommand run_subcommand = {
    .name = "run",
    .synopsis = "[--mode M] [--keep LIST] [--signals S] [--mask M] [--policy FILE] [--] PROGRAM [ARG...]",
    .help = run_help,
    .main = run_main,
};

/* Values of long options lie above every character, so that getopt's optopt tells the two apart. */
enum { OPTION_HELP = 256, OPTION_SETTING = 257 };
enum { MAX_OPTIONS = 16 };

static void list_options(struct option options[MAX_OPTIONS]) {
    size_t count = 0;
    for (size_t i = 0; i < setting_count && count < MAX_OPTIONS - 2; i++)
        options[count++] = (struct option){settings[i].option, required_argument, NULL, OPTION_SETTING + (int)i};
    options[count++] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    options[count] = (struct option){NULL, 0, NULL, 0};
}

static void complain_of_unknown_option(char **argv) {
    static const char accepted[] = "accepted are --mode, --keep, --signals, --mask, --policy and --help";
    if (optopt == OPTION_HELP) {
        complain("the option --help takes no value");
    } else if (optopt != 0) {
        complain("unknown option '-%c'; %s", optopt, accepted);
    } else {
        complain("unknown option '%s'; %s", argv[optind - 1], accepted);
    }
}

static void complain_of_missing_value(void) {
    const struct setting *setting = &settings[optopt - OPTION_SETTING];
    complain("the option --%s needs a value; accepted are %s", setting->option, setting->accepted);
}

/* Takes the options up to PROGRAM. Returns true when PROGRAM shall run; else *code is the exit code. */
static bool take_options(int argc, char **argv, int *code) {
    struct option options[MAX_OPTIONS];
    list_options(options);
    *code = EXIT_OWN_ERROR;
    for (;;) {
        /* "+": PROGRAM's options are its own. ":": a missing value is told from an unknown option. */
        int option = getopt_long(argc, argv, "+:", options, NULL);
        if (option == -1)
            return true;
        switch (option) {
        case OPTION_HELP:
            *code = answer_help(&run_subcommand);
            return false;
        case ':':
            complain_of_missing_value();
            return false;
        case '?':
            complain_of_unknown_option(argv);
            return false;
        default:
            if (!setting_apply(&settings[option - OPTION_SETTING], optarg))
                return false;
        }
    }
}

static int run_main(int argc, char **argv) {
    int code;
    opterr = 0; /* our complaints name what is accepted, getopt's do not */
    if (!take_options(argc, argv, &code))
        return code;
    if (optind == argc) {
        complain("run: no program given; usage: airlock run %s", run_subcommand.synopsis);
        return EXIT_OWN_ERROR;
    }
    return launch(argv + optind);
}
