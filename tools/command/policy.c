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
                                  "                    FILE:LINE:COLUMN: what is wrong; what the library does instead\n"
                                  "                    Exit code 0 without a mistake, 1 with one.\n"
                                  "\n"
                                  "  The format is described in airlock-policy(5).\n"
                                  "\n"
                                  "  Example:\n"
                                  "    airlock policy check /etc/airlock/server.policy\n";

static int policy_main(int argc, char **argv);

const struct subcommand policy_subcommand = {
    .name = "policy",
    .synopsis = "check FILE",
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

static int policy_main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--help") == 0)
        return answer_help(&policy_subcommand);
    if (argc < 2 || strcmp(argv[1], "check") != 0)
        complain("policy: '%s' is unknown; accepted are check FILE and --help", argc < 2 ? "" : argv[1]);
    else if (argc != 3)
        complain("policy check: %s; usage: airlock policy check FILE",
                 argc < 3 ? "no file given" : "one file at a time");
    else
        return check(argv[2]);
    return EXIT_OWN_ERROR;
}
