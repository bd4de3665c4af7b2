/* One record of AIRLOCK_LOG as the command reads it: see airlock-record(5).
 *
 * A record's strings and lists live in its reader and are gone with the next line. Strings are NUL-terminated and hold
 * bytes that are not text in the record's own escape, U+001A and two hexadecimal digits (words.h shows them to people).
 * What a line does not have is NULL, 0, false or empty. */
#ifndef AIRLOCK_COMMAND_RECORD_H
#define AIRLOCK_COMMAND_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_type { RECORD_SPAWN, RECORD_EXIT };

enum phase { PHASE_PREPARE, PHASE_CLONE, PHASE_SETUP, PHASE_EXEC, PHASE_TOTAL, PHASE_COUNT };
extern const char *const phase_names[PHASE_COUNT];

struct record_list {
    const char *const *items;
    size_t count;
};

struct record_descriptor {
    int64_t fd;
    const char *what;
    const char *rule; /* kept descriptors only */
};

struct record_descriptors {
    const struct record_descriptor *items;
    size_t count;
    bool listed; /* the record tells of them, be it that there are none */
};

struct record {
    enum record_type type;
    int64_t version, wall_us, mono_us, pid, tid, ppid, child, dropped, fetched;
    const char *type_name, *program, *object, *offset, *call, *mode, *path, *cwd, *primitive, *passed_through;
    struct record_list argv, actions, attributes, signals_reset;
    bool argv_cut, actions_cut, fds_cut, cut, shared_memory;
    bool failed; /* the record has an error */
    const char *error_step, *error_errno, *error_text;
    int64_t error_index;
    int64_t ns[PHASE_COUNT];
    struct record_descriptors sealed, kept;

    /* Of a record of type exit alone. */
    const char *status;
    int64_t wall_ns, user_us, system_us, max_rss_kb;
};

enum record_verdict {
    RECORD_GOOD,
    RECORD_UNKNOWN, /* well-formed, but of a version or type that this command does not know */
    RECORD_BAD,     /* cut off, or not a record at all */
};

struct record_reader;

/* NULL when memory is out. */
struct record_reader *record_reader_new(void);
void record_reader_free(struct record_reader *reader);

/* Reads one line, with or without its newline. *record is only filled when the verdict is good. */
enum record_verdict record_read(struct record_reader *reader, const char *line, size_t length, struct record *record);

#endif
