/* Reads /etc/ld.so.conf rather than the cache that ldconfig(8) makes of it: it is text, and says the same. */
#include "folders.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add(struct folders *folders, const char *folder) {
    size_t more = strlen(folder);
    char *grown = realloc(folders->list, folders->length + more + 2);
    if (grown == NULL)
        return false;
    if (folders->length > 0)
        grown[folders->length++] = ':';
    memcpy(grown + folders->length, folder, more + 1);
    folders->length += more;
    folders->list = grown;
    return true;
}

/* Files that include each other end somewhere. */
enum { MAX_DEPTH = 8 };

static bool read_configuration(struct folders *folders, const char *file, int depth);

static bool include(struct folders *folders, const char *pattern, int depth) {
    glob_t found;
    bool done = true;
    if (glob(pattern, 0, NULL, &found) != 0)
        return true;
    for (size_t i = 0; done && i < found.gl_pathc; i++)
        done = read_configuration(folders, found.gl_pathv[i], depth + 1);
    globfree(&found);
    return done;
}

static bool read_line(struct folders *folders, char *line, int depth) {
    line[strcspn(line, "#\n")] = '\0';
    line += strspn(line, " \t");
    if (strncmp(line, "include", 7) == 0 && strspn(line + 7, " \t") > 0)
        return include(folders, line + 7 + strspn(line + 7, " \t"), depth);
    line[strcspn(line, " \t=")] = '\0';
    return line[0] != '/' || add(folders, line);
}

static bool read_configuration(struct folders *folders, const char *file, int depth) {
    char *line = NULL;
    size_t size = 0;
    bool done = true;
    FILE *stream = depth < MAX_DEPTH ? fopen(file, "re") : NULL;
    if (stream == NULL)
        return true;
    while (done && getline(&line, &size, stream) > 0)
        done = read_line(folders, line, depth);
    free(line);
    fclose(stream);
    return done;
}

bool folders_read(struct folders *folders) {
    static const char *const standard[] = {"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib32", "/usr/lib32"};
    bool done = read_configuration(folders, "/etc/ld.so.conf", 0);
    for (size_t i = 0; done && i < sizeof standard / sizeof standard[0]; i++)
        done = add(folders, standard[i]);
    return done;
}

void folders_release(struct folders *folders) {
    free(folders->list);
    *folders = (struct folders){NULL, 0};
}

bool folder_expand(const char *element, size_t length, const char *origin, char folder[PATH_MAX]) {
    static const char *const names[] = {"$ORIGIN", "${ORIGIN}"};
    const char *slash = strrchr(origin, '/');
    for (size_t i = 0; i < 2; i++) {
        size_t name_length = strlen(names[i]);
        if (length >= name_length && strncmp(element, names[i], name_length) == 0 && slash != NULL) {
            int size = snprintf(folder, PATH_MAX, "%.*s%.*s", (int)(slash - origin), origin,
                                (int)(length - name_length), element + name_length);
            return size < PATH_MAX && strchr(folder, '$') == NULL;
        }
    }
    /* An empty element is the current directory. */
    int size = snprintf(folder, PATH_MAX, "%.*s", (int)length, length > 0 ? element : ".");
    return size < PATH_MAX && strchr(folder, '$') == NULL;
}
