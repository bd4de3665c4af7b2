/* airlock unit: prints a drop-in that puts a systemd service under airlock. It is printed and not installed: what runs
 * as which user is decided by somebody who has read it. */
#include "command.h"
#include "library.h"
#include "policy.h"
#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char unit_help[] = "  Prints a drop-in for the systemd service NAME, on standard output. It loads\n"
                                "  the library into the service with the settings given, which are those of\n"
                                "  airlock run. In mode audit a log of every spawn goes to a folder of the\n"
                                "  service's own below /var/log/airlock, for airlock audit --log.\n"
                                "  Nothing is installed; the drop-in says how.\n"
                                "\n"
                                "  Examples:\n"
                                "    airlock unit legacy-server --mode audit\n"
                                "    airlock unit legacy-server --policy /etc/airlock/server.policy >airlock.conf\n";

static int unit_main(int argc, char **argv);

const struct subcommand unit_subcommand = {
    .name = "unit",
    .synopsis = "NAME [--mode M] [--keep LIST] [--signals S] [--mask M] [--policy FILE]",
    .help = unit_help,
    .main = unit_main,
};

enum { OPTION_HELP = 256, OPTION_SETTING = 257, SETTING_MAX = 16 };

static const char suffix[] = ".service";

/* What is printed. */
struct unit {
    char name[256 + sizeof suffix];  /* with its suffix */
    const char *values[SETTING_MAX]; /* of the settings; NULL: not given */
    char policy[PATH_MAX];
};

/* The characters and the length are systemd's (unit_name_is_valid). */
static bool take_name(struct unit *unit, const char *name) {
    static const char accepted[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@";
    size_t length = strlen(name), suffix_length = sizeof suffix - 1;
    bool complete = length > suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
    if (length == 0 || name[strspn(name, accepted)] != '\0' || name[0] == '@' || name[0] == '.' || name[0] == '-' ||
        length + (complete ? 0 : suffix_length) > 255) {
        complain("unit: '%s' is no name of a service; accepted are letters, digits and :-_.\\@", name);
        return false;
    }
    static const char *const others[] = {".socket", ".timer", ".target", ".mount",     ".path",
                                         ".slice",  ".scope", ".swap",   ".automount", ".device"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        size_t other = strlen(others[i]);
        if (length > other && strcmp(name + length - other, others[i]) == 0) {
            complain("unit: '%s' is no service; accepted is the name of a service", name);
            return false;
        }
    }
    snprintf(unit->name, sizeof unit->name, "%s%s", name, complete ? "" : suffix);
    return true;
}

/* One assignment, quoted for systemd.syntax(7): a percent sign begins a specifier. */
static void print_variable(const char *variable, const char *value) {
    printf("Environment=\"%s=", variable);
    for (; *value != '\0'; value++) {
        if (*value == '%')
            putchar('%');
        else if (*value == '"' || *value == '\\')
            putchar('\\');
        putchar(*value);
    }
    printf("\"\n");
}

static const char *mode_of(const struct unit *unit) {
    for (size_t i = 0; i < setting_count; i++) {
        if (strcmp(settings[i].option, "mode") == 0 && unit->values[i] != NULL)
            return unit->values[i];
    }
    return "enforce";
}

static void print_comment(const struct unit *unit) {
    const char *mode = mode_of(unit);
    int stem = (int)(strlen(unit->name) - (sizeof suffix - 1));
    printf("# airlock for %s, mode %s.\n"
           "#\n"
           "# To install: systemctl edit %s     and paste this between the comments there,\n"
           "#             systemctl restart %s\n"
           "# To remove:  systemctl revert %s   (it takes other drop-ins away, too)\n",
           unit->name, mode, unit->name, unit->name, unit->name);
    if (strcmp(mode, "audit") == 0)
        printf("# To read:    airlock audit --log /var/log/airlock/%.*s%s/spawns.jsonl\n", stem, unit->name,
               stem > 0 && unit->name[stem - 1] == '@' ? "INSTANCE" : "");
    printf("#\n"
           "# A unit that sets LD_PRELOAD itself needs both libraries in one line, with a colon between them.\n"
           "[Service]\n");
}

static int print_unit(const struct unit *unit, const struct library *library) {
    print_comment(unit);
    print_variable("LD_PRELOAD", library->name);
    bool mode_given = false;
    for (size_t i = 0; i < setting_count; i++) {
        if (unit->values[i] == NULL)
            continue;
        mode_given |= strcmp(settings[i].option, "mode") == 0;
        print_variable(settings[i].variable, settings[i].takes_file ? unit->policy : unit->values[i]);
    }
    /* With a policy, a mode that was not asked for would win over the file's. */
    if (!mode_given && unit->policy[0] == '\0')
        print_variable("AIRLOCK_MODE", "enforce");
    if (strcmp(mode_of(unit), "audit") == 0)
        printf("Environment=\"AIRLOCK_LOG=%%L/airlock/%%N/spawns.jsonl\"\n"
               "LogsDirectory=airlock/%%N\n");
    return finish_answer();
}

/* What systemd could not be told in one line. */
static bool has_control_bytes(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == '\177')
            return true;
    }
    return false;
}

static bool take_setting(struct unit *unit, size_t index, const char *value) {
    const struct setting *setting = &settings[index];
    if (setting->takes_file) {
        if (!policy_accept(value, unit->policy))
            return false;
        if (has_control_bytes(unit->policy)) {
            complain("unit: the path '%s' cannot be written into a unit", unit->policy);
            return false;
        }
    } else if (!setting_check(setting, value)) {
        return false;
    }
    unit->values[index] = value;
    return true;
}

/* Returns true when all is well; else *code is the exit code. */
static bool take_options(int argc, char **argv, struct unit *unit, int *code) {
    struct option options[SETTING_MAX + 2] = {{"help", no_argument, NULL, OPTION_HELP}};
    for (size_t i = 0; i < setting_count && i < SETTING_MAX; i++)
        options[i + 1] = (struct option){settings[i].option, required_argument, NULL, OPTION_SETTING + (int)i};
    *code = EXIT_OWN_ERROR;
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, ":", options, NULL);
        if (option == -1)
            return true;
        if (option == OPTION_HELP) {
            *code = answer_help(&unit_subcommand);
            return false;
        }
        if (option == ':') {
            const struct setting *setting = &settings[optopt - OPTION_SETTING];
            complain("unit: the option --%s needs a value; accepted are %s", setting->option, setting->accepted);
            return false;
        }
        if (option == '?') {
            complain("unit: unknown option '%s'; accepted are those of airlock run", argv[optind - 1]);
            return false;
        }
        if (!take_setting(unit, (size_t)(option - OPTION_SETTING), optarg))
            return false;
    }
}

static int unit_main(int argc, char **argv) {
    struct library library;
    struct unit unit = {.name = ""};
    int code;
    if (!take_options(argc, argv, &unit, &code))
        return code;
    if (argc - optind != 1) {
        complain("unit: %s; usage: airlock unit %s", argc == optind ? "no service named" : "one service at a time",
                 unit_subcommand.synopsis);
        return EXIT_OWN_ERROR;
    }
    if (!take_name(&unit, argv[optind]) || !library_find(&library))
        return EXIT_OWN_ERROR;
    if (has_control_bytes(library.path)) {
        complain("unit: the path '%s' cannot be written into a unit", library.path);
        return EXIT_OWN_ERROR;
    }
    return print_unit(&unit, &library);
}
