/* airlock policy: looks at a policy file with the library's own reader. */
#include "policy.h"

#include "command.h"
#include "conventions.h"
#include "policy_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char policy_help[] = "  check FILE        reads FILE as the library would, and prints every mistake as\n"
                                  "                    FILE:LINE:COLUMN: what is wrong; what is done instead\n"
                                  "                    Exit code 0 without a mistake, 1 with one.\n"
                                  "  conventions       prints the names that a convention line can have, and which\n"
                                  "                    are off unless they are switched on\n"
                                  "\n"
                                  "  The format is described in airlock-policy(5).\n"
                                  "\n"
                                  "  Example:\n"
                                  "    airlock policy check /etc/airlock/server.policy\n";

static int policy_main(int argc, char **argv);

const struct subcommand policy_subcommand = {
    .name = "policy",
    .synopsis = "check FILE | conventions",
    .help = policy_help,
    .main = policy_main,
};

static struct policy_rules rules;

/* The first mistake, for a complaint; or all of them, printed. */
struct findings {
    const char *file;
    bool print;
    int count;
    char first[1024];
};

/* The name of a file may hold any byte; a terminal must not be told what to do by it. */
static void print_name(const char *file) {
    for (; *file != '\0'; file++)
        putchar((unsigned char)*file < ' ' || *file == '\177' ? '?' : *file);
}

static void take_finding(void *context, const struct mistake *mistake) {
    struct findings *findings = context;
    if (findings->print) {
        print_name(findings->file);
        printf(":%d:%d: %s; %s\n", mistake->line, mistake->column, mistake->message, mistake->instead);
    } else if (findings->count == 0) {
        snprintf(findings->first, sizeof findings->first, "%d:%d: %s", mistake->line, mistake->column,
                 mistake->message);
    }
    findings->count++;
}

/* Returns NULL when the file could be read, whatever is in it, or why not. */
static const char *examine(const char *file, struct findings *findings) {
    size_t length = 0;
    const struct policy_reader reader = {conventions_find, take_finding, findings};
    const char *reason = policy_file_load(&rules, file, &length);
    if (reason == NULL)
        policy_file_parse(&rules, length, &reader);
    return reason;
}

bool policy_accept(const char *file, char absolute[PATH_MAX]) {
    struct findings findings = {.file = file};
    const char *reason = examine(file, &findings);
    if (reason != NULL) {
        complain("the policy '%s' %s", file, reason);
    } else if (findings.count > 0) {
        complain("the policy %s:%s (%d in all; see airlock policy check)", file, findings.first, findings.count);
    } else if (realpath(file, absolute) == NULL) {
        complain("the policy '%s': %s", file, strerror(errno));
    } else {
        return true;
    }
    return false;
}

static int check(const char *file) {
    struct findings findings = {.file = file, .print = true};
    const char *reason = examine(file, &findings);
    if (reason != NULL) {
        print_name(file);
        printf(": %s\n", reason);
    } else if (findings.count == 0) {
        print_name(file);
        printf(": %zu rule%s, no mistake\n", rules.rule_count, rules.rule_count == 1 ? "" : "s");
    }
    int code = finish_answer();
    return code != EXIT_SUCCESS ? code : reason != NULL || findings.count > 0;
}

static int print_conventions(void) {
    for (int row = 0; row < conventions_count(); row++) {
        bool off = (conventions_off_by_default() >> row & 1) != 0;
        printf("%s%s\n", conventions_name(row), off ? " (off)" : "");
    }
    return finish_answer();
}

static int policy_main(int argc, char **argv) {
    const char *word = argc < 2 ? "" : argv[1];
    bool checks = strcmp(word, "check") == 0, lists = strcmp(word, "conventions") == 0;
    if (strcmp(word, "--help") == 0)
        return answer_help(&policy_subcommand);
    if (checks && argc == 3)
        return check(argv[2]);
    if (lists && argc == 2)
        return print_conventions();
    if (lists)
        complain("policy conventions: '%s' is one word too many", argv[2]);
    else if (checks)
        complain("policy check: %s; usage: airlock policy check FILE",
                 argc < 3 ? "no file given" : "one file at a time");
    else
        complain("policy: '%s' is unknown; accepted are check FILE, conventions and --help", word);
    return EXIT_OWN_ERROR;
}
