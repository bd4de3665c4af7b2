/* The answer of `airlock check` as one line of JSON. */
#include "check.h"

#include "json.h"

#include <stdio.h>

/* Names may hold any bytes: those that are not text have the escape of records. */
static void string(const char *label, const char *value) {
    static char quoted[8 * sizeof(((struct check *)0)->why)];
    struct text text = {.to = quoted, .size = sizeof quoted};
    json_string(&text, value, sizeof quoted - 1);
    text_end(&text);
    printf("\"%s\":%s", label, quoted);
}

static void boolean(const char *label, bool value) {
    printf("\"%s\":%s", label, value ? "true" : "false");
}

static void names(const char *label, uint64_t set) {
    const char *comma = "";
    printf("\"%s\":[", label);
    for (size_t i = 0; i < call_count; i++) {
        if ((set >> i & 1) == 0)
            continue;
        printf("%s\"%s\"", comma, calls[i].name);
        comma = ",";
    }
    putchar(']');
}

static void write_objects(const struct objects *objects) {
    printf("\"objects\":[");
    for (size_t i = 0; i < objects->count; i++) {
        const struct object *object = &objects->list[i];
        printf("%s{", i == 0 ? "" : ",");
        string("path", object->path);
        putchar(',');
        names("imports", object->imports);
        if (object->problem != NULL) {
            putchar(',');
            string("problem", object->problem);
        }
        putchar('}');
    }
    putchar(']');
}

static void write_process(const struct check *check) {
    printf(",\"pid\":%d,", check->process);
    boolean("loaded", check->mapped);
    putchar(',');
    string("mode", check->mode);
    if (check->held_error != 0)
        return;
    printf(",\"inheritable\":[");
    for (size_t i = 0; i < check->held.count; i++) {
        printf("%s{\"fd\":%d,", i == 0 ? "" : ",", check->held.items[i].number);
        string("what", check->held.items[i].what);
        putchar('}');
    }
    putchar(']');
}

static void write_kernel(const struct kernel *kernel) {
    printf("\"kernel\":{");
    string("release", kernel->release);
    for (int i = 0; i < KERNEL_FEATURE_COUNT; i++) {
        putchar(',');
        boolean(kernel_feature_names[i], kernel->features[i] == 0);
    }
    if (kernel->spawn_error == 0) {
        putchar(',');
        string("primitive", airlock_primitive_name(kernel->timing.primitive));
        putchar(',');
        boolean("shared_memory", kernel->timing.shared_memory != 0);
        putchar(',');
        boolean("cut", kernel->timing.cut != 0);
    }
    putchar('}');
}

void check_print_json(const struct check *check) {
    putchar('{');
    string("asked", check->asked);
    putchar(',');
    string("file", check->program.file);
    putchar(',');
    string("verdict", verdict_words[check->verdict]);
    putchar(',');
    string("why", check->why);
    if (check->process != 0)
        write_process(check);
    putchar(',');
    names("intercepted", check->covered);
    putchar(',');
    names("out_of_reach", check->outside);
    putchar(',');
    names("own", check->own);
    putchar(',');
    write_objects(&check->objects);
    putchar(',');
    write_kernel(&check->kernel);
    printf("}\n");
}
