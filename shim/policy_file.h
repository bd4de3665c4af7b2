/* The policy as text: lines, and sections of lines that are about some programs only (airlock-policy(5)).
 *
 * Read into memory of fixed size, with libc's plainest functions alone: the reader is part of the preload, of the
 * command and of the fuzzer. */
#ifndef SHIM_POLICY_FILE_H
#define SHIM_POLICY_FILE_H

#include "airlock.h"
#include "pattern.h"

#include <stdbool.h>

/* The values of the three choices. The first of each is the default, and what a wrong value turns into. */
enum mode {
    MODE_ENFORCE, /* seal and reset */
    MODE_AUDIT,   /* change nothing */
    MODE_OFF,     /* every call goes to libc untouched */
};

enum signals {
    SIGNALS_PIPE,    /* SIGPIPE and SIGXFSZ become default, unless the caller chose its own set */
    SIGNALS_INHERIT, /* ignored signals stay ignored */
    SIGNALS_ALL,     /* every signal becomes default */
};

enum mask {
    MASK_INHERIT, /* the caller's */
    MASK_CLEAR,   /* empty */
};

/* One of the three, as the user spells it. */
struct choice {
    const char *name;         /* in the file */
    const char *variable;     /* in the environment */
    const char *accepted;     /* in a complaint */
    const char *const *words; /* in the order of the enum above, up to NULL */
};

enum { CHOICE_MODE, CHOICE_SIGNALS, CHOICE_MASK, CHOICE_COUNT };
extern const struct choice policy_choices[CHOICE_COUNT];

/* The value that a word means, or -1. */
int choice_value(const struct choice *choice, const char *word, size_t length);

enum rule_kind {
    RULE_CHOICE,     /* which of policy_choices, value */
    RULE_CONVENTION, /* which row of the conventions, value: on or off */
    RULE_KEEP,       /* of what, and the range or pattern */
    RULE_SEAL,
};

/* What a keep or seal rule is about. The kinds are those of inode(7). */
enum rule_about {
    ABOUT_NUMBERS,
    ABOUT_PATH, /* the file's path fits the pattern */
    ABOUT_SOCKET,
    ABOUT_PIPE,
    ABOUT_FILE,
    ABOUT_DIRECTORY,
    ABOUT_DEVICE,
    ABOUT_ANONYMOUS, /* eventfd, epoll, timerfd and whatever else has no type */
};

struct rule {
    enum rule_kind kind;
    int section; /* index; 0: rules about everything */
    int which;
    int value;
    enum rule_about about;
    struct airlock_range range;
    struct pattern pattern;
    const char *text; /* the rule as the user wrote it, for an event: lives as long as the rules */
};

/* Lines about the programs that fit. A pattern of length 0 fits all. */
struct section {
    struct pattern program; /* the program that is to be executed */
    struct pattern caller;  /* the program that executes it */
};

enum {
    POLICY_FILE_MAX = 64 * 1024,
    POLICY_RULE_MAX = 512,
    POLICY_SECTION_MAX = 128,
    POLICY_LIST_MAX = 64, /* numbers and ranges in one list */
    /* Besides those of the file, what four variables can add. */
    POLICY_ALL_RULES_MAX = POLICY_RULE_MAX + POLICY_LIST_MAX + CHOICE_COUNT,
};

struct policy_rules {
    size_t rule_count;
    size_t section_count;
    struct rule rules[POLICY_ALL_RULES_MAX];
    struct section sections[POLICY_SECTION_MAX];
    char text[POLICY_FILE_MAX + 1]; /* the file; the rules and sections point into it */
};

/* A mistake in the file. The strings last as long as the call that hands them out. */
struct mistake {
    int line;   /* counted from 1 */
    int column; /* counted from 1, in bytes */
    const char *message;
    const char *instead; /* what the reader makes of the line, to follow "; " */
};

struct policy_reader {
    /* The row of a convention with this name, or -1. */
    int (*find_convention)(const char *name, size_t length);
    /* Told of each mistake, in the order of the file. */
    void (*report)(void *context, const struct mistake *mistake);
    void *context;
};

/* Reads the file at path into rules->text; *length is its size. Returns NULL, or why it cannot be a policy: a fragment
 * like "is a directory", in static storage. Root believes only what nobody else can have written. Opens nothing that
 * stays open, waits for nobody. */
const char *policy_file_load(struct policy_rules *rules, const char *path, size_t *length);

/* Makes rules of the first length bytes of rules->text, which is changed by it. Every mistake is reported; what is
 * right holds. */
void policy_file_parse(struct policy_rules *rules, size_t length, const struct policy_reader *reader);

/* Adds rules for "all" or a list like "3,7-9". Returns false, having added nothing, with the part at fault in *item
 * and what is wrong with it in *fault. */
bool policy_add_list(struct policy_rules *rules, struct rule like, struct pattern list, struct pattern *item,
                     const char **fault);

#endif
