/* airlock: the front door. Finds the subcommand in the table and hands over; knows nothing of what any of them does. */
#include "command.h"

#include "airlock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The table: one row a subcommand, in the order in which the help shows them. */
#define SUBCOMMANDS(ROW) ROW(run) ROW(trace) ROW(report) ROW(audit) ROW(policy) ROW(check) ROW(unit)

#define DECLARE(name) extern const struct subcommand name##_subcommand;
#define REFER(name) &name##_subcommand,
SUBCOMMANDS(DECLARE)
static const struct subcommand *const subcommands[] = {SUBCOMMANDS(REFER)};
static const size_t subcommand_count = sizeof subcommands / sizeof subcommands[0];

static const char introduction[] = "Runs unmodified programs so that the processes they start inherit only what was\n"
                                   "meant for them: standard input, output and error, what the call itself passes\n"
                                   "on, and what you keep.\n";

static const char reference[] = "Environment variables (read by the preloaded library; the options set them):\n"
                                "  AIRLOCK_MODE      enforce (default), audit or off\n"
                                "  AIRLOCK_KEEP      descriptors that children may inherit: all, or a list like\n"
                                "                    3,7-9 (default: none)\n"
                                "  AIRLOCK_SIGNALS   inherit, pipe (default) or all\n"
                                "  AIRLOCK_MASK      inherit (default) or clear\n"
                                "  AIRLOCK_POLICY    a file of rules by program, see airlock-policy(5); the\n"
                                "                    variables above win over it\n"
                                "  AIRLOCK_LOG       where spawns are recorded: a file, unix:PATH or stderr, see\n"
                                "                    airlock-record(5) (default: nowhere)\n"
                                "  AIRLOCK_LOG_FDS   1: records tell of descriptors, as they always do in audit\n"
                                "                    mode\n"
                                "  LD_PRELOAD        the library goes first; other entries stay, in their order\n"
                                "\n"
                                "Exit codes:\n"
                                "  125   airlock itself failed: a wrong option or value, or no library\n"
                                "  126   the program was found but could not be executed\n"
                                "  127   the program was not found\n"
                                "  else  that of the program\n";

static void print_usage(FILE *stream) {
    const char *label = "Usage:";
    for (size_t i = 0; i < subcommand_count; i++) {
        fprintf(stream, "%-6s airlock %s %s\n", label, subcommands[i]->name, subcommands[i]->synopsis);
        label = "";
    }
    fprintf(stream, "%-6s airlock --help | --version\n", label);
}

static int answer_everything(void) {
    print_usage(stdout);
    printf("\n%s\n", introduction);
    for (size_t i = 0; i < subcommand_count; i++)
        printf("airlock %s\n%s\n", subcommands[i]->name, subcommands[i]->help);
    printf("Other options:\n"
           "  --help            this text; after a command, the text about that command\n"
           "  --version         the version\n\n%s",
           reference);
    return finish_answer();
}

int answer_help(const struct subcommand *subcommand) {
    printf("Usage: airlock %s %s\n\n%s\n%s", subcommand->name, subcommand->synopsis, subcommand->help, reference);
    return finish_answer();
}

static int answer_version(void) {
    printf("airlock " AIRLOCK_VERSION "\n");
    return finish_answer();
}

static const struct subcommand *find_subcommand(const char *name) {
    for (size_t i = 0; i < subcommand_count; i++) {
        if (strcmp(name, subcommands[i]->name) == 0)
            return subcommands[i];
    }
    return NULL;
}

static int refuse(const char *word) {
    char names[1024] = "";
    size_t used = 0;
    for (size_t i = 0; i < subcommand_count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", subcommands[i]->name);
    complain("'%s' is no command; accepted are %s--help and --version", word, names);
    return EXIT_OWN_ERROR;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_OWN_ERROR;
    }
    if (strcmp(argv[1], "--help") == 0)
        return answer_everything();
    if (strcmp(argv[1], "--version") == 0)
        return answer_version();
    const struct subcommand *subcommand = find_subcommand(argv[1]);
    if (subcommand == NULL)
        return refuse(argv[1]);
    return subcommand->main(argc - 1, argv + 1);
}
