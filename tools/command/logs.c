/* Reads logs once, line by line, and shows a person how far it is. */
#include "logs.h"

#include "command.h"
#include "lines.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_due(struct logs *logs) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < logs->next.tv_sec || (now.tv_sec == logs->next.tv_sec && now.tv_nsec < logs->next.tv_nsec))
        return false;
    logs->next = now;
    logs->next.tv_nsec += 100000000;
    if (logs->next.tv_nsec >= 1000000000) {
        logs->next.tv_sec++;
        logs->next.tv_nsec -= 1000000000;
    }
    return true;
}

static void show_progress(struct logs *logs, uint64_t offset) {
    static const char bar[] = "########################################";
    char text[128];
    struct words words = WORDS(text);
    if (!logs->progress_shown || !is_due(logs))
        return;
    words_add(&words, "\r");
    if (logs->size > 0) {
        double part = (double)(logs->done + offset) / (double)logs->size;
        part = part > 1 ? 1 : part;
        words_add(&words, "%3.0f%% [%-40.*s] ", 100 * part, (int)(40 * part), bar);
    }
    words_add_count(&words, logs->good);
    words_add(&words, " records");
    fprintf(stderr, "%s\033[K", text);
    fflush(stderr);
}

static void take_line(struct logs *logs, struct record_reader *reader, const struct line *line) {
    struct record record;
    enum record_verdict verdict = line->overlong ? RECORD_BAD : record_read(reader, line->bytes, line->length, &record);
    logs->good += verdict == RECORD_GOOD;
    logs->unknown += verdict == RECORD_UNKNOWN;
    logs->bad += verdict == RECORD_BAD;
    if (verdict == RECORD_GOOD)
        logs->take(logs->context, &record);
}

/* Returns an errno value. */
static int read_lines(struct logs *logs, struct record_reader *reader, int fd) {
    struct lines lines;
    struct line line;
    unsigned count = 0;
    if (!lines_begin(&lines, fd))
        return ENOMEM;
    while (lines_next(&lines, &line)) {
        take_line(logs, reader, &line);
        if ((++count & 1023) == 0)
            show_progress(logs, lines.offset);
    }
    int error = lines.error;
    if (lines_rest(&lines, &line))
        take_line(logs, reader, &line);
    logs->done += lines.offset;
    lines_end(&lines);
    return error;
}

static bool read_log(struct logs *logs, struct record_reader *reader, const char *name) {
    int fd = STDIN_FILENO;
    int error = 0;
    if (strcmp(name, "-") != 0)
        fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error = errno;
    } else {
        error = read_lines(logs, reader, fd);
    }
    if (fd > STDIN_FILENO)
        close(fd);
    if (error != 0)
        complain("the log '%s' cannot be read: %s", name, strerror(error));
    return error == 0;
}

static uint64_t size_of_logs(char **names) {
    uint64_t size = 0;
    for (; *names != NULL; names++) {
        struct stat status;
        if (stat(*names, &status) != 0 || !S_ISREG(status.st_mode))
            return 0;
        size += (uint64_t)status.st_size;
    }
    return size;
}

bool logs_read(struct logs *logs, char **names) {
    struct record_reader *reader = record_reader_new();
    bool good = reader != NULL;
    if (!good)
        complain("%s", strerror(ENOMEM));
    logs->progress_shown = isatty(STDERR_FILENO) != 0;
    logs->size = size_of_logs(names);
    for (; good && *names != NULL; names++)
        good = read_log(logs, reader, *names);
    if (logs->progress_shown)
        fprintf(stderr, "\r\033[K");
    record_reader_free(reader);
    return good;
}
