/* Feeds bytes to the reader of AIRLOCK_KEEP and the other variables, as the whole environment of a process (libFuzzer;
 * tools/fuzz builds and runs it). An input is strings that end with NUL.
 *
 * What the library makes of the variables is checked, and compared with what `airlock run` says to the same values: one
 * is not to warn about what the other accepts. No file is read: AIRLOCK_POLICY is the policy target's business. */
#include "fuzz.h"

#include "command.h"
#include "request.h"
#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* The library's complaints go to a file that is looked at. */
static int said = -1;
#undef STDERR_FILENO
#define STDERR_FILENO said
#define complain complain_as_library
#include "../../shim/policy.c"
#undef complain
#undef STDERR_FILENO

enum { STRINGS_MAX = 64 };

/* Of the command: its complaints are not wanted, and files are not read. */
void complain(const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
}

bool policy_accept(const char *file, char absolute[PATH_MAX]);
bool policy_accept(const char *file, char absolute[PATH_MAX]) {
    (void)file;
    absolute[0] = '\0';
    return true;
}

/* Of the library, beside its readers. */
void intent_keep(const char *rule, struct kept *kept) {
    (void)rule;
    (void)kept;
}

void inherited_keep(const char *rule, struct kept *kept) {
    (void)rule;
    (void)kept;
}

void inherited_remember(void) {
}

const char *program_of(const struct airlock_command *command, char room[PATH_MAX]) {
    (void)command;
    (void)room;
    return "";
}

/* How many complaints there were: whole lines that can do nothing to a terminal. */
static size_t complaints(void) {
    char text[16384];
    ssize_t length = pread(said, text, sizeof text, 0);
    size_t lines = 0;
    must(length >= 0 && length < (ssize_t)sizeof text);
    must(length == 0 || text[length - 1] == '\n');
    for (ssize_t i = 0; i < length; i++) {
        must(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 127));
        lines += text[i] == '\n';
    }
    must(ftruncate(said, 0) == 0 && lseek(said, 0, SEEK_SET) == 0);
    return lines;
}

/* How many of the variables `airlock run` would refuse. */
static size_t refused(void) {
    size_t count = 0;
    for (size_t i = 0; i < setting_count; i++) {
        const char *value = find_variable(settings[i].variable);
        count += value != NULL && !settings[i].takes_file && !setting_check(&settings[i], value);
    }
    return count;
}

static void check_kept(const struct kept *kept) {
    must(kept->count <= KEPT_MAX);
    for (size_t i = 0; i < kept->count; i++)
        must(0 <= kept->ranges[i].first && kept->ranges[i].first <= kept->ranges[i].last);
}

static void read_environment(void) {
    static struct kept kept;
    struct policy read = {0};
    struct decision decision;
    read_all(&read);
    must(complaints() == refused());
    must(read.mode <= MODE_OFF && read.common.signals <= SIGNALS_ALL && read.common.mask <= MASK_CLEAR);
    policy_decide(&read, "/bin/sh", &decision);
    kept.count = 0;
    kept.all = NULL;
    policy_keep(&read, &decision, &kept);
    check_kept(&kept);
    kept_remove(&kept, 5, 8);
    check_kept(&kept);
    if (read.rules != NULL)
        munmap((void *)read.rules, sizeof *read.rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *strings[STRINGS_MAX + 1];
    char *copy = copy_of(data, size);
    char **own = environ;
    if (said < 0)
        said = memfd_create("said", MFD_CLOEXEC);
    must(said >= 0);
    strings_of(copy, size, strings, STRINGS_MAX);
    environ = strings;
    const char *path = find_variable("AIRLOCK_POLICY");
    if (path == NULL || *path == '\0')
        read_environment();
    environ = own;
    free(copy);
    return 0;
}
