/* Runs `ld.so --list-diagnostics` and picks four facts out of it. */
#include "loader.h"

#include "airlock.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_LIMIT = 1 << 20 };

/* Splits `dl_platform="haswell"` or `path.system_dirs[0x1]="/lib/"` into a name without an index, and a value without
 * quotes. Returns NULL for another line. */
static char *split(char *line) {
    char *value = strchr(line, '=');
    if (value == NULL)
        return NULL;
    *value++ = '\0';
    line[strcspn(line, "[")] = '\0';
    value += *value == '"';
    value[strcspn(value, "\"")] = '\0';
    return value;
}

/* A bit for each of the names, the first one lowest. */
static void keep_active(char *names, const char *mask, char kept[LOADER_TEXT]) {
    unsigned long active = strtoul(mask, NULL, 0);
    struct words words = {.text = kept, .size = LOADER_TEXT};
    char *rest = NULL;
    kept[0] = '\0';
    for (char *name = strtok_r(names, ":", &rest); name != NULL; name = strtok_r(NULL, ":", &rest), active >>= 1) {
        if ((active & 1) != 0)
            words_add(&words, "%s%s", words.length > 0 ? ":" : "", name);
    }
}

static void add_folder(struct loader *loader, char *folder) {
    size_t length = strlen(folder), used = strlen(loader->folders);
    if (length > 1 && folder[length - 1] == '/')
        folder[length - 1] = '\0';
    snprintf(loader->folders + used, LOADER_TEXT - used, "%s%s", used > 0 ? ":" : "", folder);
}

/* The names of the levels come before the word that tells which of them count. */
static void take_line(struct loader *loader, char *line, char levels[LOADER_TEXT]) {
    char *value = split(line);
    if (value == NULL)
        return;
    if (strcmp(line, "dl_dst_lib") == 0)
        snprintf(loader->lib, LOADER_TEXT, "%s", value);
    else if (strcmp(line, "dl_platform") == 0)
        snprintf(loader->platform, LOADER_TEXT, "%s", value);
    else if (strcmp(line, "dl_hwcaps_subdirs") == 0)
        snprintf(levels, LOADER_TEXT, "%s", value);
    else if (strcmp(line, "dl_hwcaps_subdirs_active") == 0)
        keep_active(levels, value, loader->levels);
    else if (strcmp(line, "path.system_dirs") == 0)
        add_folder(loader, value);
}

bool loader_ask(const char *path, struct loader *loader) {
    char levels[LOADER_TEXT] = "";
    struct airlock_output output = {0};
    struct airlock_error error;
    const struct airlock_command command = {
        .path = path,
        .argv = (char *[]){(char *)path, (char *)"--list-diagnostics", NULL},
        .envp = (char *[]){NULL},
        .seal = AIRLOCK_SEAL,
    };
    *loader = (struct loader){.lib = ""};
    if (airlock_collect(&command, ANSWER_LIMIT, &output, &error) == 0 && output.out != NULL) {
        char *rest = NULL;
        for (char *line = strtok_r(output.out, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
            take_line(loader, line, levels);
    }
    airlock_output_free(&output);
    return loader->lib[0] != '\0';
}
