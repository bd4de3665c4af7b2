/* Reads records. The grammar of JSON is yajl's business: it hands over one token at a time and allocates nothing for
 * it, which is what lets a million lines be read in a few seconds. Here the tokens find their field in a table. A field
 * that the table does not know is skipped, with everything in it: a newer library may say more. */
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

const char *const phase_names[PHASE_COUNT] = {"prepare", "clone", "setup", "exec", "total"};

enum field_kind { FIELD_STRING, FIELD_NUMBER, FIELD_TRUTH, FIELD_LIST, FIELD_DESCRIPTORS, FIELD_OBJECT };

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;              /* in struct record, or in struct record_descriptor */
    const struct field *fields; /* of an object: its own fields, up to a name of NULL */
};

#define STRING(name, member)                                                                                           \
    { name, FIELD_STRING, offsetof(struct record, member), NULL }
#define NUMBER(name, member)                                                                                           \
    { name, FIELD_NUMBER, offsetof(struct record, member), NULL }
#define TRUTH(name, member)                                                                                            \
    { name, FIELD_TRUTH, offsetof(struct record, member), NULL }
#define LIST(name, member)                                                                                             \
    { name, FIELD_LIST, offsetof(struct record, member), NULL }
#define DESCRIPTORS(name, member)                                                                                      \
    { name, FIELD_DESCRIPTORS, offsetof(struct record, member), NULL }
#define END                                                                                                            \
    { NULL, FIELD_STRING, 0, NULL }

static const struct field error_fields[] = {
    STRING("step", error_step),
    NUMBER("index", error_index),
    STRING("errno", error_errno),
    STRING("text", error_text),
    END,
};

static const struct field ns_fields[] = {
    NUMBER("prepare", ns[PHASE_PREPARE]), NUMBER("clone", ns[PHASE_CLONE]), NUMBER("setup", ns[PHASE_SETUP]),
    NUMBER("exec", ns[PHASE_EXEC]),       NUMBER("total", ns[PHASE_TOTAL]), END,
};

static const struct field descriptor_fields[] = {
    {"fd", FIELD_NUMBER, offsetof(struct record_descriptor, fd), NULL},
    {"what", FIELD_STRING, offsetof(struct record_descriptor, what), NULL},
    {"rule", FIELD_STRING, offsetof(struct record_descriptor, rule), NULL},
    END,
};

/* In the order in which the library writes them: a search begins behind the last find. */
static const struct field record_fields[] = {
    NUMBER("v", version),
    STRING("type", type_name),
    NUMBER("wall_us", wall_us),
    NUMBER("mono_us", mono_us),
    NUMBER("pid", pid),
    NUMBER("tid", tid),
    NUMBER("ppid", ppid),
    STRING("program", program),
    STRING("object", object),
    STRING("offset", offset),
    STRING("call", call),
    STRING("mode", mode),
    STRING("path", path),
    LIST("argv", argv),
    TRUTH("argv_cut", argv_cut),
    STRING("cwd", cwd),
    LIST("actions", actions),
    TRUTH("actions_cut", actions_cut),
    LIST("attributes", attributes),
    STRING("primitive", primitive),
    TRUTH("cut", cut),
    TRUTH("shared_memory", shared_memory),
    NUMBER("fetched", fetched),
    NUMBER("child", child),
    {"error", FIELD_OBJECT, offsetof(struct record, failed), error_fields},
    {"ns", FIELD_OBJECT, 0, ns_fields},
    DESCRIPTORS("sealed", sealed),
    DESCRIPTORS("kept", kept),
    TRUTH("fds_cut", fds_cut),
    LIST("signals_reset", signals_reset),
    STRING("passed_through", passed_through),
    STRING("status", status),
    NUMBER("wall_ns", wall_ns),
    NUMBER("user_us", user_us),
    NUMBER("system_us", system_us),
    NUMBER("max_rss_kb", max_rss_kb),
    NUMBER("dropped", dropped),
    END,
};

/* Memory of one kind of item that grows, and is used again for the next line. */
struct pool {
    void *items;
    size_t count, capacity;
};

enum { DEPTH_MAX = 8 };

/* What JSON carries exactly everywhere, and 285 years in microseconds: several of these can be added up. */
#define NUMBER_MAX ((int64_t)1 << 53)

struct record_reader {
    yajl_handle parser;
    struct record record;

    /* Decoded strings. One that JSON writes in n bytes, quotes included, needs at most n here, NUL included. */
    char *text;
    size_t text_used, text_capacity;
    struct pool strings;     /* const char * */
    struct pool descriptors; /* struct record_descriptor */

    /* Where in the line: the field of each open object's last key, and what is being skipped. */
    const struct field *tables[DEPTH_MAX]; /* the fields of each open object; NULL for an array */
    const struct field *field;             /* that the next value is for; NULL: skip it */
    const struct field *array;             /* the list that is being filled, at depth 2 */
    size_t array_start;
    int depth;    /* of open objects and arrays that count */
    int skipping; /* depth inside a value that nobody wants */
    int objects;  /* complete ones on this line */
};

static void *pool_add(struct pool *pool, size_t size) {
    if (pool->count == pool->capacity) {
        size_t capacity = pool->capacity == 0 ? 64 : 2 * pool->capacity;
        void *items = reallocarray(pool->items, capacity, size);
        if (items == NULL)
            return NULL;
        pool->items = items;
        pool->capacity = capacity;
    }
    return (char *)pool->items + size * pool->count++;
}

static bool in_array(const struct record_reader *reader) {
    return reader->depth > 0 && reader->tables[reader->depth - 1] == NULL;
}

/* Where the value of the current field belongs. An object inside a list of descriptors is the newest descriptor. */
static void *place(struct record_reader *reader) {
    if (reader->tables[reader->depth - 1] == descriptor_fields) {
        struct record_descriptor *items = reader->descriptors.items;
        return (char *)&items[reader->descriptors.count - 1] + reader->field->offset;
    }
    return (char *)&reader->record + reader->field->offset;
}

/* Keeps a string. A NUL, which the library never writes, is kept in the escape that other bytes have. */
static char *keep_string(struct record_reader *reader, const unsigned char *bytes, size_t length) {
    char *start = reader->text + reader->text_used;
    char *to = start;
    if (memchr(bytes, '\0', length) == NULL) {
        to = mempcpy(to, bytes, length);
    } else {
        for (size_t i = 0; i < length; i++) {
            if (bytes[i] == '\0') {
                to = mempcpy(to,
                             "\x1a"
                             "00",
                             3);
            } else {
                *to++ = (char)bytes[i];
            }
        }
    }
    *to++ = '\0';
    reader->text_used += (size_t)(to - start);
    return start;
}

/* yajl's callbacks: 1 goes on, 0 gives the line up. */

static int take_string(void *context, const unsigned char *bytes, size_t length) {
    struct record_reader *reader = context;
    if (reader->skipping > 0)
        return 1;
    if (reader->depth == 0)
        return 0;
    if (in_array(reader)) {
        const char **item = reader->array->kind == FIELD_LIST ? pool_add(&reader->strings, sizeof *item) : NULL;
        if (item == NULL)
            return 0;
        *item = keep_string(reader, bytes, length);
        return 1;
    }
    if (reader->field == NULL)
        return 1;
    if (reader->field->kind != FIELD_STRING)
        return 0;
    *(const char **)place(reader) = keep_string(reader, bytes, length);
    return 1;
}

static int take_number(void *context, const char *digits, size_t length) {
    struct record_reader *reader = context;
    if (reader->skipping > 0)
        return 1;
    if (reader->depth == 0 || in_array(reader))
        return 0;
    if (reader->field == NULL)
        return 1;
    char number[32];
    if (reader->field->kind != FIELD_NUMBER || length >= sizeof number)
        return 0;
    memcpy(number, digits, length);
    number[length] = '\0';
    char *end;
    errno = 0;
    int64_t value = strtoll(number, &end, 10);
    *(int64_t *)place(reader) = value;
    return errno == 0 && *end == '\0' && -NUMBER_MAX <= value && value <= NUMBER_MAX;
}

static int take_truth(void *context, int truth) {
    struct record_reader *reader = context;
    if (reader->skipping > 0)
        return 1;
    if (reader->depth == 0 || in_array(reader))
        return 0;
    if (reader->field == NULL)
        return 1;
    if (reader->field->kind != FIELD_TRUTH)
        return 0;
    *(bool *)place(reader) = truth != 0;
    return 1;
}

static int take_null(void *context) {
    struct record_reader *reader = context;
    return reader->skipping > 0 || (reader->depth > 0 && reader->field == NULL);
}

static int enter(struct record_reader *reader, const struct field *table) {
    if (reader->depth == DEPTH_MAX)
        return 0;
    reader->tables[reader->depth++] = table;
    reader->field = NULL;
    return 1;
}

static int open_object(void *context) {
    struct record_reader *reader = context;
    if (reader->skipping > 0) {
        reader->skipping++;
        return 1;
    }
    if (reader->depth == 0)
        return reader->objects == 0 && enter(reader, record_fields);
    if (in_array(reader)) {
        struct record_descriptor *item =
            reader->array->kind == FIELD_DESCRIPTORS ? pool_add(&reader->descriptors, sizeof *item) : NULL;
        if (item == NULL)
            return 0;
        *item = (struct record_descriptor){.fd = -1, .what = "", .rule = ""};
        return enter(reader, descriptor_fields);
    }
    if (reader->field == NULL) {
        reader->skipping = 1;
        return 1;
    }
    if (reader->field->kind != FIELD_OBJECT)
        return 0;
    if (reader->field->offset != 0)
        *(bool *)place(reader) = true;
    return enter(reader, reader->field->fields);
}

static int take_key(void *context, const unsigned char *key, size_t length) {
    struct record_reader *reader = context;
    if (reader->skipping > 0)
        return 1;
    const struct field *table = reader->tables[reader->depth - 1];
    const struct field *start = reader->field == NULL ? table : reader->field + 1;
    const struct field *field = start;
    do {
        if (field->name == NULL) {
            field = table;
        } else if (strlen(field->name) == length && memcmp(field->name, key, length) == 0) {
            reader->field = field;
            return 1;
        } else {
            field++;
        }
    } while (field != start);
    reader->field = NULL;
    return 1;
}

static int close_object(void *context) {
    struct record_reader *reader = context;
    if (reader->skipping > 0) {
        reader->skipping--;
        return 1;
    }
    reader->depth--;
    reader->field = NULL;
    if (reader->depth == 0)
        reader->objects++;
    return 1;
}

static int open_array(void *context) {
    struct record_reader *reader = context;
    if (reader->skipping > 0 || (reader->depth > 0 && !in_array(reader) && reader->field == NULL)) {
        reader->skipping++;
        return 1;
    }
    if (reader->depth != 1 || (reader->field->kind != FIELD_LIST && reader->field->kind != FIELD_DESCRIPTORS))
        return 0;
    reader->array = reader->field;
    reader->array_start = reader->array->kind == FIELD_LIST ? reader->strings.count : reader->descriptors.count;
    return enter(reader, NULL);
}

/* The pools may move while the line is read: until its end a list holds a number where its pointer will be. */
static int close_array(void *context) {
    struct record_reader *reader = context;
    if (reader->skipping > 0) {
        reader->skipping--;
        return 1;
    }
    char *list = (char *)&reader->record + reader->array->offset;
    if (reader->array->kind == FIELD_LIST) {
        *(struct record_list *)list =
            (struct record_list){(const char *const *)reader->array_start, reader->strings.count - reader->array_start};
    } else {
        *(struct record_descriptors *)list =
            (struct record_descriptors){(const struct record_descriptor *)reader->array_start,
                                        reader->descriptors.count - reader->array_start, true};
    }
    reader->depth--;
    reader->field = reader->array;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = take_null,
    .yajl_boolean = take_truth,
    .yajl_number = take_number,
    .yajl_string = take_string,
    .yajl_start_map = open_object,
    .yajl_map_key = take_key,
    .yajl_end_map = close_object,
    .yajl_start_array = open_array,
    .yajl_end_array = close_array,
};

/* One parser for all lines, as so many values; after a line that it gave up in the middle, a new one. */
static bool have_parser(struct record_reader *reader) {
    if (reader->parser != NULL)
        return true;
    reader->parser = yajl_alloc(&callbacks, NULL, reader);
    return reader->parser != NULL && yajl_config(reader->parser, yajl_allow_multiple_values, 1);
}

static void drop_parser(struct record_reader *reader) {
    if (reader->parser != NULL)
        yajl_free(reader->parser);
    reader->parser = NULL;
}

struct record_reader *record_reader_new(void) {
    struct record_reader *reader = calloc(1, sizeof *reader);
    if (reader != NULL && !have_parser(reader)) {
        record_reader_free(reader);
        reader = NULL;
    }
    return reader;
}

void record_reader_free(struct record_reader *reader) {
    if (reader == NULL)
        return;
    drop_parser(reader);
    free(reader->text);
    free(reader->strings.items);
    free(reader->descriptors.items);
    free(reader);
}

static bool make_room(struct record_reader *reader, size_t length) {
    if (length <= reader->text_capacity)
        return true;
    char *text = realloc(reader->text, 2 * length);
    if (text == NULL)
        return false;
    reader->text = text;
    reader->text_capacity = 2 * length;
    return true;
}

static void begin_line(struct record_reader *reader) {
    reader->record = (struct record){0};
    reader->text_used = 0;
    reader->strings.count = 0;
    reader->descriptors.count = 0;
    reader->field = NULL;
    reader->depth = 0;
    reader->skipping = 0;
    reader->objects = 0;
}

static void point_lists(struct record_reader *reader) {
    struct record *record = &reader->record;
    const char *const *strings = reader->strings.items;
    const struct record_descriptor *descriptors = reader->descriptors.items;
    struct record_list *lists[] = {&record->argv, &record->actions, &record->attributes, &record->signals_reset};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        lists[i]->items = lists[i]->count == 0 ? NULL : strings + (size_t)lists[i]->items;
    struct record_descriptors *both[] = {&record->sealed, &record->kept};
    for (size_t i = 0; i < 2; i++)
        both[i]->items = both[i]->count == 0 ? NULL : descriptors + (size_t)both[i]->items;
}

/* Times and durations count from 0. */
static bool is_before_time(const struct record *record) {
    bool negative = record->wall_us < 0 || record->wall_ns < 0;
    for (size_t i = 0; i < PHASE_COUNT; i++)
        negative |= record->ns[i] < 0;
    return negative;
}

static enum record_verdict judge(struct record *record) {
    if (record->version == 0 || record->type_name == NULL)
        return RECORD_BAD;
    bool is_spawn = strcmp(record->type_name, "spawn") == 0;
    if (record->version != 1 || (!is_spawn && strcmp(record->type_name, "exit") != 0))
        return RECORD_UNKNOWN;
    record->type = is_spawn ? RECORD_SPAWN : RECORD_EXIT;
    if (record->program == NULL || record->call == NULL || record->pid <= 0 || record->mono_us <= 0 ||
        is_before_time(record))
        return RECORD_BAD;
    if (is_spawn ? record->path == NULL : record->status == NULL)
        return RECORD_BAD;
    if (record->failed && (record->error_step == NULL || record->error_errno == NULL || record->error_text == NULL))
        return RECORD_BAD;
    return RECORD_GOOD;
}

enum record_verdict record_read(struct record_reader *reader, const char *line, size_t length, struct record *record) {
    if (length == 0 || !make_room(reader, length + 1) || !have_parser(reader))
        return RECORD_BAD;
    begin_line(reader);
    bool parsed = yajl_parse(reader->parser, (const unsigned char *)line, length) == yajl_status_ok;
    if (!parsed || reader->depth != 0 || reader->objects != 1) {
        drop_parser(reader);
        return RECORD_BAD;
    }
    point_lists(reader);
    enum record_verdict verdict = judge(&reader->record);
    *record = reader->record;
    return verdict;
}
