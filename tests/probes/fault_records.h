/* Where AIRLOCK_LOG names a place, the record of a spawn has to say what the caller was told. Here is the end at which
 * records come out: the process under test reads what it wrote itself. */
#ifndef FAULT_RECORDS_H
#define FAULT_RECORDS_H

#include "fault_scenarios.h"
#include "fault_supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>

enum { RECORDS = 330 };

/* The end at which records come out, never waited at; -1 without a log. */
static int records = -1;

static int bind_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die(path);
    return fd;
}

static int become_reader_of_stderr(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0 || !leak_as(ends[1], 2))
        die("pipe");
    close(ends[1]);
    return ends[0];
}

static void open_records(void) {
    const char *place = getenv("AIRLOCK_LOG");
    int fd;
    if (place == NULL)
        return;
    if (is(place, "stderr"))
        fd = become_reader_of_stderr();
    else if (strncmp(place, "unix:", 5) == 0)
        fd = bind_socket(place + 5);
    else
        fd = open(place, O_RDONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    records = fcntl(fd, F_DUPFD_CLOEXEC, RECORDS);
    if (records < 0)
        die(place);
    close(fd);
}

/* Everything that was written since the last time. */
static const char *take_records(void) {
    static char text[65536];
    size_t used = 0;
    ssize_t length;
    while (records >= 0 && used < sizeof text - 1 && (length = read(records, text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)length;
    text[used] = '\0';
    return text;
}

/* The first record of a spawn, as a string of its own. */
static char *find_record(const char *text) {
    static char record[20000];
    const char *start = strstr(text, "\"type\":\"spawn\"");
    if (start == NULL)
        return NULL;
    snprintf(record, sizeof record, "%.*s", (int)strcspn(start, "\n"), start);
    return record;
}

static int step_in(const char *record) {
    const char *found = strstr(record, "\"step\":\"");
    for (int step = 0; found != NULL && step < AIRLOCK_STEP_COUNT; step++) {
        const char *name = airlock_step_name((enum airlock_step)step);
        if (strncmp(found + 8, name, strlen(name)) == 0 && found[8 + strlen(name)] == '"')
            return step;
    }
    return NO_STEP;
}

static bool names_error(const char *record, int code) {
    char error[64];
    snprintf(error, sizeof error, "\"errno\":\"%s\"", error_name(code));
    return strstr(record, error) != NULL;
}

/* The error that was met, or the one for which the step before it was given up. */
static bool names_cause(const char *record, const struct fault *fault) {
    for (const struct rule *rule = fault->rules; rule->number >= 0; rule++)
        if (names_error(record, rule->error))
            return true;
    return names_error(record, fault->error);
}

/* A failure in the parent may cost the record: that it is written is no promise, that it is right is one. */
static void compare_record(const char *text, const struct fault *fault, struct outcome *outcome) {
    outcome->told = true;
    if (records < 0)
        return;
    const char *record = find_record(text);
    if (record == NULL) {
        outcome->told = fault->who == PARENT && fault->number >= 0;
        return;
    }
    bool failed = !outcome->started && outcome->code != 0;
    if ((strstr(record, "\"errno\":") != NULL) != failed) {
        /* The spawn itself went well; what failed came after it, or before it. */
        outcome->told = fault->who == PARENT && fault->number >= 0;
        return;
    }
    if (failed)
        outcome->step = step_in(record);
    outcome->told = !failed || fault->number < 0 || outcome->code != fault->error || names_cause(record, fault);
}

#endif
