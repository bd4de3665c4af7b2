/* Writes a draft beside the file and renames it at the end, so that a collector never reads half a file. What is no
 * regular file (a terminal, a FIFO, /dev/null) cannot be replaced and is written to as it is. */
#include "output.h"

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The draft's name begins with a dot and ends in random letters: no collector takes it for a file of its own. */
static char *name_draft(const char *path) {
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash + 1 - path);
    char *draft;
    return asprintf(&draft, "%.*s.%s.XXXXXX", folder, path, path + folder) < 0 ? NULL : draft;
}

static mode_t usual_mode(void) {
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static FILE *open_draft(struct output *output) {
    output->draft = name_draft(output->path);
    int fd = output->draft == NULL ? -1 : mkostemp(output->draft, O_CLOEXEC);
    if (fd < 0) {
        free(output->draft);
        output->draft = NULL;
        return NULL;
    }
    FILE *stream = fchmod(fd, usual_mode()) == 0 ? fdopen(fd, "w") : NULL;
    if (stream == NULL) {
        unlink(output->draft);
        close(fd);
    }
    return stream;
}

static bool is_replaceable(const char *path) {
    struct stat status;
    return lstat(path, &status) != 0 || S_ISREG(status.st_mode);
}

bool output_open(struct output *output, const char *path) {
    *output = (struct output){.path = path};
    if (strcmp(path, "-") == 0) {
        output->stream = stdout;
    } else if (is_replaceable(path)) {
        output->stream = open_draft(output);
    } else {
        output->stream = fopen(path, "we");
    }
    if (output->stream == NULL)
        complain("'%s' cannot be written: %s", path, strerror(errno));
    return output->stream != NULL;
}

bool output_finish(struct output *output) {
    int error = fflush(output->stream) != 0 || ferror(output->stream) ? (errno == 0 ? EIO : errno) : 0;
    if (output->stream != stdout && fclose(output->stream) != 0 && error == 0)
        error = errno;
    output->stream = NULL;
    if (output->draft != NULL) {
        if (error == 0 && rename(output->draft, output->path) != 0)
            error = errno;
        if (error != 0)
            unlink(output->draft);
        free(output->draft);
        output->draft = NULL;
    }
    if (error != 0)
        complain("'%s' cannot be written: %s", output->path, strerror(error));
    return error == 0;
}

void output_abandon(struct output *output) {
    if (output->stream == NULL)
        return;
    if (output->stream != stdout)
        fclose(output->stream);
    output->stream = NULL;
    if (output->draft != NULL)
        unlink(output->draft);
    free(output->draft);
    output->draft = NULL;
}

void json_write_string(FILE *stream, const char *string) {
    putc('"', stream);
    for (; *string != '\0'; string++) {
        unsigned char byte = (unsigned char)*string;
        /* '<' too: the text may stand inside a page. */
        if (byte < ' ' || byte == '\177' || byte == '<') {
            fprintf(stream, "\\u%04x", byte);
        } else {
            if (byte == '"' || byte == '\\')
                putc('\\', stream);
            putc(byte, stream);
        }
    }
    putc('"', stream);
}
