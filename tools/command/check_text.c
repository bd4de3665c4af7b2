/* The answer of `airlock check` for people: what matters first, the reasons below it. */
#include "check.h"

#include "words.h"

#include <stdio.h>
#include <string.h>

/* A row: what it is about, padded, and the rest. Names of files may hold any bytes. */
static void row(const char *label, const char *text) {
    char buffer[2 * PATH_MAX];
    struct words words = WORDS(buffer);
    words_add_plain(&words, text);
    printf("  %-17s %s\n", label, buffer);
}

/* The objects that import a call, with commas. */
static void list_users(const struct check *check, uint64_t call, char *text, size_t size) {
    struct words words = {.text = text, .size = size};
    words_add(&words, "%s", "");
    for (size_t i = 0; i < check->objects.count; i++) {
        const struct object *object = &check->objects.list[i];
        if ((object->imports & call) != 0 && !object->is_libc && !object->is_airlock)
            words_add(&words, "%s%s", words.length > 0 ? ", " : "", object->name);
    }
}

static void print_calls(const struct check *check, const char *title, uint64_t set) {
    char users[1024];
    if (set == 0)
        return;
    printf("\n%s\n", title);
    for (size_t i = 0; i < call_count; i++) {
        if ((set >> i & 1) == 0)
            continue;
        list_users(check, (uint64_t)1 << i, users, sizeof users);
        row(calls[i].name, users);
    }
}

static void print_file(const struct check *check) {
    char text[2 * PATH_MAX + 64];
    const struct image *image = &check->image;
    const struct program *program = &check->program;
    if (check->process == 0 && check->script[0] != '\0')
        row("script", check->script);
    if (strcmp(program->file, check->asked) != 0)
        row("runs", program->file);
    if (image->kind == IMAGE_ELF) {
        snprintf(text, sizeof text, "%d-bit %s, %s%s", image_bits(image), image_machine_name(image),
                 image->interpreter[0] == '\0' ? "no loader" : "loaded by ", image->interpreter);
        row("file", text);
    }
    snprintf(text, sizeof text, "%zu", check->objects.count > 0 ? check->objects.count - 1 : 0);
    row("libraries", text);
    if (check->process != 0) {
        row("airlock", check->mapped ? "loaded" : "not loaded");
        if (check->mode[0] != '\0')
            row("AIRLOCK_MODE", check->mode);
        if (check->policy[0] != '\0')
            row("AIRLOCK_POLICY", check->policy);
    }
}

static void print_unread(const struct check *check) {
    char text[2 * PATH_MAX];
    const char *title = "\nNothing is known about\n";
    /* A program that cannot be covered at all was said to be so: that it has no tables then is no news. */
    for (size_t i = check->program.obstacle[0] != '\0' ? 1 : 0; i < check->objects.count; i++) {
        const struct object *object = &check->objects.list[i];
        struct words words = WORDS(text);
        if (object->problem == NULL)
            continue;
        words_add_plain(&words, object->path);
        printf("%s  %s: it %s\n", title, text, object->problem);
        title = "";
    }
}

static bool imports(const struct check *check, enum call_role role) {
    for (size_t i = 0; i < check->objects.count; i++) {
        const struct object *object = &check->objects.list[i];
        if (!object->is_libc && !object->is_airlock && (object->imports & calls_of(role)) != 0)
            return true;
    }
    return false;
}

/* What an import alone cannot tell. */
static void print_hints(const struct check *check) {
    if (imports(check, CALL_LOADS))
        printf("\nIt can open libraries later (dlopen). What these import is not seen here, and one that is\n"
               "opened with RTLD_DEEPBIND, or by dlmopen, goes past the library.\n");
    if (imports(check, CALL_EXEC) && !imports(check, CALL_FORK))
        printf("\nIt can become another program (exec), at which this answer does not look.\n");
    if (imports(check, CALL_RAW))
        printf("\nIt makes system calls of its own (syscall). A process made by one is out of reach.\n");
}

static void print_held(const struct check *check) {
    char number[16];
    if (check->process == 0)
        return;
    if (check->held_error != 0) {
        printf("\nIts descriptors may not be looked at: %s\n", strerror(check->held_error));
        return;
    }
    printf("\nDescriptors above 2 that its children would inherit without airlock: %zu\n", check->held.count);
    for (size_t i = 0; i < check->held.count; i++) {
        snprintf(number, sizeof number, "%d", check->held.items[i].number);
        row(number, check->held.items[i].what);
    }
}

static void print_kernel(const struct kernel *kernel) {
    char text[256];
    printf("\nThis kernel\n");
    row("release", kernel->release);
    for (int i = 0; i < KERNEL_FEATURE_COUNT; i++) {
        int error = kernel->features[i];
        snprintf(text, sizeof text, error == 0 ? "yes" : "no (%s)", airlock_errno_name(error));
        row(kernel_feature_names[i], text);
    }
    if (kernel->spawn_error != 0)
        snprintf(text, sizeof text, "no: %s", airlock_errno_name(kernel->spawn_error));
    else
        snprintf(text, sizeof text, "%s, memory %s, descriptors %s", airlock_primitive_name(kernel->timing.primitive),
                 kernel->timing.shared_memory ? "shared" : "copied",
                 kernel->timing.cut ? "cut off before they are copied" : "copied and then sealed");
    row("children made by", text);
}

void check_print(const struct check *check) {
    char name[2 * PATH_MAX], why[2 * PATH_MAX];
    struct words asked = WORDS(name), reason = WORDS(why);
    words_add_plain(&asked, check->process != 0 ? check->program.file : check->asked);
    words_add_plain(&reason, check->why);
    printf("%s: %s: %s\n\n", name, verdict_words[check->verdict], why);
    print_file(check);
    print_calls(check, "Intercepted", check->covered);
    print_calls(check, "Out of reach", check->outside);
    print_calls(check, "Of its own making, out of reach", check->own);
    print_unread(check);
    print_hints(check);
    print_held(check);
    print_kernel(&check->kernel);
}
