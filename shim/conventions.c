/* The table of deliberate inheritance: how real programs hand descriptors on to their children.
 *
 * A descriptor reaches a child on purpose when the program itself has made it inheritable, or when its number is told
 * to the child: in a path, a shell string, a variable, an argument. Each way is a row with the name by which a policy
 * can switch it off. The table alone; what reads by it is convention_reader.c. */
#include "conventions.h"
#include "convention_table.h"

#include <string.h>

static const struct row general[GENERAL_COUNT] = {
    [INTENT] = {"intent", "made inheritable by the program"},
    [PATH] = {"path", "named by a path"},                       /* /dev/fd/N, /proc/self/fd/N */
    [SHELL] = {"shell", "named by a redirection"},              /* <&N, >&N */
    [CLOSES_ITSELF] = {"jspawnhelper", "program jspawnhelper"}, /* OpenJDK: nine of them, which it closes itself */
    [INHERITED] = {"inherited", "inherited at start"},          /* and never touched; off by default */
};

#define VARIABLE(name, ...)                                                                                            \
    { name, "variable " name, __VA_ARGS__ }

static const struct row variables[] = {
    VARIABLE("MAKEFLAGS", FORM_JOBSERVER),
    VARIABLE("CARGO_MAKEFLAGS", FORM_JOBSERVER),
    VARIABLE("MFLAGS", FORM_JOBSERVER),
    VARIABLE("LISTEN_FDS", FORM_LISTEN),              /* systemd's socket activation */
    VARIABLE("NODE_CHANNEL_FD", FORM_NUMBER),         /* Node's child processes */
    VARIABLE("WAYLAND_SOCKET", FORM_NUMBER),          /* Wayland's clients */
    VARIABLE("BASH_XTRACEFD", FORM_NUMBER),           /* bash: where set -x goes */
    VARIABLE("UNCACHED_ERR_FD", FORM_NUMBER),         /* ccache */
    VARIABLE("_FUSE_COMMFD", FORM_NUMBER),            /* fusermount */
    VARIABLE("APT_HOOK_INFO_FD", FORM_NUMBER),        /* apt's hooks */
    VARIABLE("APT_HOOK_SOCKET", FORM_NUMBER),         /* apt's hooks */
    VARIABLE("TAR_FD", FORM_NUMBER),                  /* tar's commands */
    VARIABLE("WINESERVERSOCKET", FORM_NUMBER),        /* wine */
    VARIABLE("GIT_TRACE", FORM_NUMBER, MATCH_PREFIX), /* git: GIT_TRACE, GIT_TRACE_SETUP, GIT_TRACE2_EVENT … */
    VARIABLE("NGINX", FORM_NUMBERS),                  /* nginx: the sockets of a new binary */
    VARIABLE("FPM_SOCKETS", FORM_ASSIGNED),           /* php-fpm: the same */
    VARIABLE("SERVER_STARTER_PORT", FORM_ASSIGNED),   /* Perl's start_server */
    VARIABLE("GUNICORN_FD", FORM_NUMBERS),            /* gunicorn: the sockets of a new binary */
    VARIABLE("UPSTART_FDS", FORM_NUMBERS),            /* upstart's socket activation */
    VARIABLE("PUMA_INHERIT_", FORM_FIRST, MATCH_NUMBERED),
    VARIABLE("EINHORN_FD_", FORM_NUMBER, MATCH_NUMBERED),
    {"other-variables", "variable with FD, SOCK or PIPE in its name", FORM_NUMBER, MATCH_FD_NAME},
};

#define ARGUMENT(name, ...)                                                                                            \
    { name, "argument " name, __VA_ARGS__ }

/* Options: the value follows an equals sign, or is the next argument. */
static const struct row options[] = {
    ARGUMENT("--status-fd", FORM_LIST),     /* gpg, dpkg */
    ARGUMENT("--command-fd", FORM_LIST),    /* gpg */
    ARGUMENT("--passphrase-fd", FORM_LIST), /* gpg */
    ARGUMENT("--log-fd", FORM_LIST),        /* valgrind, perf */
    {"--NAME-fd", "argument --NAME-fd", FORM_LIST, MATCH_FD_ENDS},
    ARGUMENT("-displayfd", FORM_LIST),               /* X servers */
    ARGUMENT("--print-address", FORM_LIST),          /* dbus-daemon */
    ARGUMENT("--print-pid", FORM_LIST),              /* dbus-daemon */
    ARGUMENT("--deserialize", FORM_LIST),            /* systemd */
    ARGUMENT("--preserve-fds", FORM_COUNT),          /* runc, crun, podman */
    ARGUMENT("--remote-debugging-pipe", FORM_PIPES), /* Chromium */
    {"bwrap", "argument of bwrap", FORM_LIST, MATCH_BWRAP},
};

/* Anywhere in an argument, with the value right behind. */
static const struct row keys[KEY_COUNT] = {
    [KEY_APT_STATUS] = ARGUMENT("APT::Status-Fd", FORM_LIST),
    [KEY_APT_KEEP] = ARGUMENT("APT::Keep-Fds", FORM_LIST),
    [KEY_FD] = ARGUMENT("fd=", FORM_LIST),      /* qemu: fd=, vhostfd= */
    [KEY_FDS] = ARGUMENT("fds=", FORM_LIST),    /* qemu: fds=a:b */
    [KEY_COLON] = ARGUMENT("fd:", FORM_LIST),   /* openssl, perf */
    [KEY_COLONS] = ARGUMENT("fd::", FORM_LIST), /* git's remote helper */
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    FIRST_VARIABLE = GENERAL_COUNT,
    FIRST_OPTION = FIRST_VARIABLE + COUNT(variables),
    FIRST_KEY = FIRST_OPTION + COUNT(options),
    ROW_COUNT = FIRST_KEY + KEY_COUNT,
};
_Static_assert(ROW_COUNT <= 64, "a set of rows has 64 bits");

const struct group convention_groups[GROUP_COUNT] = {
    [GENERAL] = {general, GENERAL_COUNT, 0},
    [VARIABLES] = {variables, COUNT(variables), FIRST_VARIABLE},
    [OPTIONS] = {options, COUNT(options), FIRST_OPTION},
    [KEYS] = {keys, KEY_COUNT, FIRST_KEY},
};

int conventions_count(void) {
    return ROW_COUNT;
}

const char *conventions_name(int row) {
    const struct group *group = convention_groups;
    while (row >= group->first + group->count)
        group++;
    return group->rows[row - group->first].name;
}

int conventions_find(const char *name, size_t length) {
    for (int row = 0; row < ROW_COUNT; row++)
        if (strncmp(conventions_name(row), name, length) == 0 && conventions_name(row)[length] == '\0')
            return row;
    return -1;
}

uint64_t conventions_all(void) {
    return ~(uint64_t)0 >> (64 - ROW_COUNT);
}

uint64_t conventions_off_by_default(void) {
    return (uint64_t)1 << INHERITED;
}
