/* airlock check: is a program reachable, and what of it will be covered? A forecast from the outside; nothing of the
 * program is run. */
#include "check.h"

#include "command.h"
#include "library.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char check_help[] = "  Says whether the library can reach PROGRAM, which calls that start processes\n"
                                 "  it and its libraries import, which of them stay out of reach, and how children\n"
                                 "  are made on this kernel. PROGRAM is not run. A number is the id of a process:\n"
                                 "  for it, also whether the library is loaded there, and the descriptors above 2\n"
                                 "  that its children would inherit now. (./123 is a program.)\n"
                                 "\n"
                                 "  --json            the same as one line of JSON\n"
                                 "\n"
                                 "  Exit code: 0 covered, 1 partly, 2 not.\n"
                                 "\n"
                                 "  Examples:\n"
                                 "    airlock check ./legacy-server\n"
                                 "    airlock check \"$(pidof legacy-server)\"\n";

static int check_main(int argc, char **argv);

const struct subcommand check_subcommand = {
    .name = "check",
    .synopsis = "[--json] [--] PROGRAM|PID",
    .help = check_help,
    .main = check_main,
};

const char *const verdict_words[] = {
    [VERDICT_COVERED] = "covered",
    [VERDICT_PARTLY] = "partly covered",
    [VERDICT_NOT] = "not covered",
};

static void take_variable(const char *entry, const char *name, char *value, size_t size) {
    size_t length = strlen(name);
    if (strncmp(entry, name, length) == 0 && entry[length] == '=')
        snprintf(value, size, "%s", entry + length + 1);
}

/* The environment that the process was started with. */
static void read_variables(struct check *check) {
    char name[64], *entry = NULL;
    size_t size = 0;
    snprintf(name, sizeof name, "/proc/%d/environ", check->process);
    FILE *environment = fopen(name, "re");
    if (environment == NULL)
        return;
    while (getdelim(&entry, &size, '\0', environment) > 0) {
        take_variable(entry, "AIRLOCK_MODE", check->mode, sizeof check->mode);
        take_variable(entry, "AIRLOCK_POLICY", check->policy, sizeof check->policy);
    }
    free(entry);
    fclose(environment);
}

/* Complains and returns false when there is nothing to be said. */
static bool gather_process(struct check *check, const struct library *library) {
    int error = objects_of_process(check->process, &check->objects);
    if (error != 0 || check->objects.list[0].path[0] == '\0') {
        complain("check: process %d: %s", check->process,
                 error == 0        ? "it runs no program"
                 : error == ENOENT ? "no such process"
                                   : strerror(error));
        return false;
    }
    for (size_t i = 0; i < check->objects.count; i++)
        check->mapped |= check->objects.list[i].is_airlock;
    if (!check->mapped)
        program_examine(check->objects.list[0].path, library, &check->program);
    snprintf(check->program.file, sizeof check->program.file, "%s", check->objects.list[0].path);
    read_variables(check);
    check->held_error = held_read(check->process, &check->held);
    return true;
}

/* The next word of a script's first line, or false at the line's end. Moves *line behind it. */
static bool next_word(const char **line, char word[PATH_MAX]) {
    *line += strspn(*line, " \t");
    size_t length = strcspn(*line, " \t\n");
    snprintf(word, PATH_MAX, "%.*s", (int)length, *line);
    *line += length;
    return length > 0;
}

/* The name in "#!/usr/bin/env NAME", and in the same with -S and with assignments. env(1) itself starts nothing: it
 * becomes the program. */
static bool name_behind_env(const char *script, char word[PATH_MAX]) {
    char head[256] = "";
    const char *rest = head + 2;
    FILE *stream = fopen(script, "re");
    if (stream == NULL)
        return false;
    bool is_script = fgets(head, sizeof head, stream) != NULL && strncmp(head, "#!", 2) == 0;
    fclose(stream);
    if (!is_script || !next_word(&rest, word) ||
        strcmp(strrchr(word, '/') == NULL ? word : strrchr(word, '/'), "/env") != 0)
        return false;
    while (next_word(&rest, word)) {
        if (word[0] != '-' && strchr(word, '=') == NULL)
            return true;
    }
    return false;
}

static void examine(struct check *check, const struct library *library) {
    char name[PATH_MAX];
    program_examine(check->asked, library, &check->program);
    if (strcmp(check->program.found, check->program.file) != 0)
        memcpy(check->script, check->program.found, PATH_MAX);
    if (check->program.error == 0 && check->program.found[0] != '\0' && name_behind_env(check->program.found, name))
        program_examine(name, library, &check->program);
}

static bool gather_program(struct check *check, const struct library *library) {
    examine(check, library);
    const struct program *program = &check->program;
    if (program->found[0] == '\0') {
        complain("check: '%s': no such program", check->asked);
        return false;
    }
    if (program->error != 0) {
        complain("check: '%s': %s", program->file, strerror(program->error));
        return false;
    }
    if (!objects_of_program(program->file, &check->objects)) {
        complain("check: %s", strerror(ENOMEM));
        return false;
    }
    return true;
}

/* Libc's own calls are what the library stands before; those of the library itself are none of the program's. */
static void add_up(struct check *check) {
    const uint64_t forks = calls_of(CALL_FORK), execs = calls_of(CALL_EXEC), alone = calls_of(CALL_ALONE);
    uint64_t imports = 0;
    for (size_t i = 0; i < check->objects.count; i++) {
        const struct object *object = &check->objects.list[i];
        check->unread += object->problem != NULL;
        if (object->is_libc || object->is_airlock)
            continue;
        imports |= object->imports;
        if (i == 0 || object->binds_itself)
            check->own |= object->defines & calls_of(CALL_COVERED);
    }
    check->covered = imports & calls_of(CALL_COVERED) & ~check->own;
    check->outside = imports & alone;
    if ((imports & forks) != 0 && (imports & execs) != 0)
        check->outside |= imports & (forks | execs);
}

static void conclude(struct check *check, enum verdict verdict, const char *why) {
    bool watched = verdict != VERDICT_NOT && strcmp(check->mode, "audit") == 0;
    check->verdict = verdict;
    snprintf(check->why, sizeof check->why, "%s%s", why, watched ? "; in mode audit nothing is held back" : "");
}

static bool loads(const struct check *check) {
    uint64_t imports = 0;
    for (size_t i = 0; i < check->objects.count; i++) {
        const struct object *object = &check->objects.list[i];
        imports |= object->is_libc || object->is_airlock ? 0 : object->imports;
    }
    return (imports & calls_of(CALL_LOADS)) != 0;
}

static void judge(struct check *check) {
    add_up(check);
    if (check->program.obstacle[0] != '\0')
        conclude(check, VERDICT_NOT, check->program.obstacle);
    else if (check->process != 0 && !check->mapped)
        conclude(check, VERDICT_NOT, "the library is not loaded in this process");
    else if (strcmp(check->mode, "off") == 0)
        conclude(check, VERDICT_NOT, "its AIRLOCK_MODE is off");
    else if (check->outside != 0 && check->covered == 0)
        conclude(check, VERDICT_NOT, "every call by which it can start a program is out of reach");
    else if (check->outside != 0)
        conclude(check, VERDICT_PARTLY, "some calls by which it can start a program are out of reach");
    else if (check->own != 0)
        conclude(check, VERDICT_PARTLY, "it has some of these calls of its own making");
    else if (check->unread > 0)
        conclude(check, VERDICT_PARTLY, "not every file that it needs could be read");
    else if (check->covered == 0)
        conclude(check, VERDICT_COVERED,
                 loads(check) ? "it imports no call that starts a process; what it opens later may"
                              : "it imports no call that starts a process");
    else
        conclude(check, VERDICT_COVERED, "every call by which it is seen to start programs is intercepted");
}

static bool is_process_id(const char *word) {
    return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0' && strlen(word) < 10 && atoi(word) > 0;
}

static int check_one(const char *asked, bool json) {
    struct library library;
    struct check check = {.asked = asked, .process = is_process_id(asked) ? atoi(asked) : 0};
    int code = EXIT_OWN_ERROR;
    if (!library_find(&library))
        return code;
    if (check.process != 0 ? !gather_process(&check, &library) : !gather_program(&check, &library))
        goto out;
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", check.process);
    image_read(check.process != 0 ? link : check.program.file, &check.image);
    kernel_probe(&check.kernel);
    judge(&check);
    if (json)
        check_print_json(&check);
    else
        check_print(&check);
    code = finish_answer();
    if (code == EXIT_SUCCESS)
        code = (int)check.verdict;
out:
    objects_release(&check.objects);
    held_release(&check.held);
    return code;
}

static int check_main(int argc, char **argv) {
    enum { OPTION_HELP = 256, OPTION_JSON };
    const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON}, {"help", no_argument, NULL, OPTION_HELP}, {NULL, 0, NULL, 0}};
    bool json = false;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return answer_help(&check_subcommand);
        if (option != OPTION_JSON) {
            complain("check: unknown option '%s'; accepted are --json and --help", argv[optind - 1]);
            return EXIT_OWN_ERROR;
        }
        json = true;
    }
    if (argc - optind != 1) {
        complain("check: %s; usage: airlock check %s", argc == optind ? "no program given" : "one at a time",
                 check_subcommand.synopsis);
        return EXIT_OWN_ERROR;
    }
    return check_one(argv[optind], json);
}
