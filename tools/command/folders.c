/* Reads /etc/ld.so.conf rather than the cache that ldconfig(8) makes of it: it is text, and says the same. */
#include "folders.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool folders_add(struct folders *folders, const char *folder) {
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
    return line[0] != '/' || folders_add(folders, line);
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
    return read_configuration(folders, "/etc/ld.so.conf", 0);
}

/* /lib/ld-musl-ARCH.so.1 reads /etc/ld-musl-ARCH.path, where lines and colons part. */
bool folders_read_of_musl(struct folders *folders, const char *loader) {
    char file[2 * PATH_MAX], *line = NULL;
    size_t size = 0;
    const char *name = strrchr(loader, '/') == NULL ? loader : strrchr(loader, '/') + 1;
    const char *folder = name > loader ? name - 1 : loader;
    while (folder > loader && folder[-1] != '/')
        folder--;
    int prefix = folder > loader ? (int)(folder - loader - 1) : 0, stem = (int)strcspn(name, ".");
    snprintf(file, sizeof file, "%.*s/etc/%.*s.path", prefix, loader, stem, name);
    FILE *stream = fopen(file, "re");
    if (stream == NULL)
        return folders_add(folders, "/lib:/usr/local/lib:/usr/lib");
    bool done = true;
    while (done && getline(&line, &size, stream) > 0) {
        line[strcspn(line, "\n")] = '\0';
        done = line[0] == '\0' || folders_add(folders, line);
    }
    free(line);
    fclose(stream);
    return done;
}

void folders_release(struct folders *folders) {
    free(folders->list);
    *folders = (struct folders){NULL, 0};
}

/* What a word at the beginning of text stands for, NULL when it is none; *length is how long the word is. */
static const char *meaning(const char *text, size_t limit, const struct folder_words *words, const char *origin,
                           size_t *length) {
    const struct {
        const char *name, *meaning;
    } known[] = {{"ORIGIN", origin}, {"LIB", words->lib}, {"PLATFORM", words->platform}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t name = strlen(known[i].name);
        bool braced =
            limit >= name + 3 && text[1] == '{' && strncmp(text + 2, known[i].name, name) == 0 && text[2 + name] == '}';
        bool bare = limit >= name + 1 && strncmp(text + 1, known[i].name, name) == 0 &&
                    (limit == name + 1 || (!isalnum((unsigned char)text[1 + name]) && text[1 + name] != '_'));
        *length = name + (braced ? 3 : 1);
        if (braced || bare)
            return known[i].meaning[0] == '\0' ? NULL : known[i].meaning;
    }
    return NULL;
}

bool folder_expand(const char *element, size_t length, const struct folder_words *words, char folder[PATH_MAX]) {
    char origin[PATH_MAX];
    const char *slash = strrchr(words->origin, '/');
    snprintf(origin, sizeof origin, "%.*s", slash == NULL ? 0 : (int)(slash - words->origin), words->origin);
    if (slash == words->origin)
        snprintf(origin, sizeof origin, "/");
    size_t used = 0;
    for (size_t i = 0; i < length && used < PATH_MAX;) {
        size_t taken = 1;
        const char *text = element + i;
        if (*text == '$' && (text = meaning(text, length - i, words, origin, &taken)) == NULL)
            return false;
        size_t more = text == element + i ? 1 : strlen(text);
        if (used + more >= PATH_MAX)
            return false;
        memcpy(folder + used, text, more);
        used += more;
        i += taken;
    }
    folder[used] = '\0';
    if (length == 0)
        snprintf(folder, PATH_MAX, "."); /* an empty element is the current directory */
    return true;
}

bool folder_of_loader(const char *loader, char folder[PATH_MAX]) {
    char real[PATH_MAX];
    if (loader[0] != '/' || realpath(loader, real) == NULL)
        return false;
    *strrchr(real, '/') = '\0';
    const char *start = strncmp(real, "/usr/", 5) == 0 ? real + 5 : real + 1;
    snprintf(folder, PATH_MAX, "%s", start);
    return folder[0] != '\0';
}
