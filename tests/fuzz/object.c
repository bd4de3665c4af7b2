/* Feeds bytes to `airlock check` as a program (libFuzzer; tools/fuzz builds and runs it): a script, an ELF file, or
 * neither. It needs no libraries but those that it finds beside itself or by a path; none is searched in the system's
 * folders, where they would only take time. Both answers must be what they claim to be. */
#include "answer.h"

#include "kernel.h"
#include "library.h"
#include "loader.h"

#include <elf.h>
#include <locale.h>
#include <stdbool.h>

#define folders_read folders_read_of_system
#include "../../tools/command/folders.c"
#undef folders_read

#define AIRLOCK_INSTALLED_LIBRARY "/usr/lib/airlock/libairlock-preload.so"
#define library_find library_find_of_system
#include "../../tools/command/library.c"
#undef library_find

extern const struct subcommand check_subcommand;

const char *const kernel_feature_names[KERNEL_FEATURE_COUNT] = {"a", "b", "c", "d", "e"};

bool folders_read(struct folders *folders) {
    *folders = (struct folders){0};
    return true;
}

bool loader_ask(const char *path, struct loader *loader) {
    (void)path;
    *loader = (struct loader){.lib = "lib", .platform = "x86_64", .levels = "x86-64-v2:x86-64-v1"};
    return true;
}

void kernel_probe(struct kernel *kernel) {
    *kernel = (struct kernel){.release = "6.1"};
}

bool library_find(struct library *library) {
    *library = (struct library){
        .path = "/usr/lib/airlock/libairlock-preload.so",
        .image =
            {.kind = IMAGE_ELF, .class = ELFCLASS64, .encoding = ELFDATA2LSB, .type = ET_DYN, .machine = EM_X86_64},
    };
    return true;
}

int answer_help(const struct subcommand *subcommand) {
    (void)subcommand;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct memory program, out;
    if (program.path[0] == '\0') {
        setlocale(LC_ALL, "C.UTF-8");
        memory_make(&program);
        memory_make(&out);
    }
    memory_fill(&program, data, size);
    char *text[] = {"check", program.path, NULL};
    char *json[] = {"check", "--json", program.path, NULL};
    int code = run_subcommand(&check_subcommand, &out, text);
    must_be_plain(&out);
    must((code >= 0 && code <= 2) ? out.length > 0 : code == EXIT_OWN_ERROR && out.length == 0);
    free(out.text);
    must(run_subcommand(&check_subcommand, &out, json) == code);
    if (out.length > 0)
        must_be_json(&out);
    free(out.text);
    return 0;
}
