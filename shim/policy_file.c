/* Reads a policy. One line, one rule; nothing in one line depends on another but the section that it stands in. A line
 * with a mistake is left out, or read as the default of its item, and never keeps the others from holding. */
#include "policy_file.h"

#include "statx.h"
#include "syscall.h"
#include "text.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

const struct choice policy_choices[CHOICE_COUNT] = {
    [CHOICE_MODE] = {"mode", "AIRLOCK_MODE", "enforce, audit or off",
                     (const char *const[]){"enforce", "audit", "off", NULL}},
    [CHOICE_SIGNALS] = {"signals", "AIRLOCK_SIGNALS", "inherit, pipe or all",
                        (const char *const[]){"pipe", "inherit", "all", NULL}},
    [CHOICE_MASK] = {"mask", "AIRLOCK_MASK", "inherit or clear", (const char *const[]){"inherit", "clear", NULL}},
};

static const struct {
    const char *name;
    enum rule_about about;
} kinds[] = {
    {"socket", ABOUT_SOCKET},       {"pipe", ABOUT_PIPE},     {"file", ABOUT_FILE},
    {"directory", ABOUT_DIRECTORY}, {"device", ABOUT_DEVICE}, {"anonymous", ABOUT_ANONYMOUS},
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

/* The section of lines that hold for nobody. */
enum { SECTION_NONE = -1 };

/* A stretch of a line: a word, with its escapes. */
typedef struct pattern word;

/* Where the reader is. */
struct reading {
    struct policy_rules *rules;
    const struct policy_reader *reader;
    int section;
    int line_number;
    const char *line; /* its first byte: columns count from here */
    const char *at;
    const char *end; /* behind its last word */
    const char *text;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is(word given, const char *name) {
    return strlen(name) == given.length && memcmp(given.text, name, given.length) == 0;
}

int choice_value(const struct choice *choice, const char *name, size_t length) {
    for (int i = 0; choice->words[i] != NULL; i++)
        if (is((word){name, length}, choice->words[i]))
            return i;
    return -1;
}

/* Quotes what the user wrote, cut at a length that still tells it, and without what would change a terminal. */
static void text_quoted(struct text *text, word given) {
    enum { SHOWN = 60 };
    text_char(text, '\'');
    for (size_t i = 0; i < given.length && i < SHOWN; i++)
        text_char(text, (unsigned char)given.text[i] < ' ' || given.text[i] == 127 ? '?' : given.text[i]);
    text_string(text, given.length > SHOWN ? "...'" : "'");
}

static const char is_left_out[] = "the line is left out";

/* Says before, 'quoted', after about the place where; quoted may be empty. */
static void report(const struct reading *reading, const char *where, const char *before, word quoted, const char *after,
                   const char *instead) {
    char message[400];
    struct text text = {.to = message, .size = sizeof message};
    text_string(&text, before);
    if (quoted.text != NULL) {
        text_string(&text, *before != '\0' ? " " : "");
        text_quoted(&text, quoted);
    }
    text_string(&text, after);
    text_end(&text);
    struct mistake mistake = {reading->line_number, (int)(where - reading->line) + 1, message, instead};
    reading->reader->report(reading->reader->context, &mistake);
}

/* The next word; of length 0 at the line's end. A backslash takes the next byte into the word, whatever it is. */
static word next_word(struct reading *reading) {
    while (reading->at < reading->end && is_blank(*reading->at))
        reading->at++;
    const char *start = reading->at;
    while (reading->at < reading->end && !is_blank(*reading->at)) {
        if (*reading->at == '\\' && reading->at + 1 < reading->end)
            reading->at++;
        reading->at++;
    }
    return (word){start, (size_t)(reading->at - start)};
}

static bool is_last(struct reading *reading) {
    word more = next_word(reading);
    if (more.length == 0)
        return true;
    report(reading, more.text, "", more, " is one word too many", is_left_out);
    return false;
}

static bool add_rule(struct policy_rules *rules, struct rule rule) {
    if (rules->rule_count == POLICY_ALL_RULES_MAX)
        return false;
    rules->rules[rules->rule_count++] = rule;
    return true;
}

/* A rule of the file: it holds in its section, and leaves room for those of the variables. */
static void add(struct reading *reading, struct rule rule) {
    if (reading->rules->rule_count >= POLICY_RULE_MAX)
        report(reading, reading->text, "", (word){NULL, 0}, "there are more than 512 rules", is_left_out);
    else if (reading->section != SECTION_NONE)
        add_rule(reading->rules, rule);
}

/* A number without a sign; moves list behind it. */
static const char *read_number(word *list, int *number) {
    long long value = 0;
    size_t i = 0;
    for (; i < list->length && list->text[i] >= '0' && list->text[i] <= '9'; i++) {
        value = value * 10 + (list->text[i] - '0');
        if (value > INT_MAX)
            return "is too large";
    }
    if (i == 0)
        return "is neither a number nor a range";
    *list = (word){list->text + i, list->length - i};
    *number = (int)value;
    return NULL;
}

static const char *read_range(word item, struct airlock_range *range) {
    if (item.length == 0)
        return "is empty";
    const char *fault = read_number(&item, &range->first);
    if (fault != NULL)
        return fault;
    range->last = range->first;
    if (item.length > 0 && item.text[0] == '-') {
        item = (word){item.text + 1, item.length - 1};
        fault = item.length == 0 ? "has no end" : read_number(&item, &range->last);
    }
    if (fault == NULL && item.length > 0)
        fault = "is neither a number nor a range";
    if (fault == NULL && range->last < range->first)
        fault = "is reversed";
    return fault;
}

/* Up to the next comma, which belongs to nobody. */
static word first_item(word list) {
    const char *comma = memchr(list.text, ',', list.length);
    return (word){list.text, comma == NULL ? list.length : (size_t)(comma - list.text)};
}

static const char *add_items(struct policy_rules *rules, struct rule *rule, word list, word *item) {
    for (int count = 1;; count++) {
        *item = first_item(list);
        const char *fault = count > POLICY_LIST_MAX ? "is one item too many, 64 can be given" : NULL;
        if (fault == NULL)
            fault = read_range(*item, &rule->range);
        if (fault == NULL && !add_rule(rules, *rule))
            fault = "is one rule too many";
        if (fault != NULL || item->length == list.length)
            return fault;
        list = (word){list.text + item->length + 1, list.length - item->length - 1};
    }
}

bool policy_add_list(struct policy_rules *rules, struct rule rule, word list, word *item, const char **fault) {
    size_t before = rules->rule_count;
    rule.about = ABOUT_NUMBERS;
    rule.range = (struct airlock_range){0, INT_MAX};
    *item = list;
    if (is(list, "all"))
        *fault = add_rule(rules, rule) ? NULL : "is one rule too many";
    else
        *fault = add_items(rules, &rule, list, item);
    if (*fault != NULL)
        rules->rule_count = before;
    return *fault == NULL;
}

static void parse_choice(struct reading *reading, int which) {
    const struct choice *choice = &policy_choices[which];
    word value = next_word(reading);
    struct rule rule = {.kind = RULE_CHOICE, .section = reading->section, .which = which, .text = reading->text};
    rule.value = choice_value(choice, value.text, value.length);
    if (rule.value < 0) {
        char after[80], instead[40];
        struct text accepted = {.to = after, .size = sizeof after}, used = {.to = instead, .size = sizeof instead};
        text_string(&accepted, " is unknown; accepted are ");
        text_string(&accepted, choice->accepted);
        text_end(&accepted);
        text_string(&used, "using ");
        text_string(&used, choice->words[0]);
        text_end(&used);
        report(reading, value.text, choice->name, value, after, instead);
        rule.value = 0;
    } else if (!is_last(reading)) {
        return;
    }
    add(reading, rule);
}

static void parse_list(struct reading *reading, struct rule rule, word list) {
    word item;
    const char *fault;
    struct policy_rules *rules = reading->rules;
    size_t before = rules->rule_count;
    if (!policy_add_list(rules, rule, list, &item, &fault)) {
        char after[200];
        struct text text = {.to = after, .size = sizeof after};
        text_char(&text, ' ');
        text_string(&text, fault);
        text_string(&text, "; accepted are all, a list like 3,7-9, path PATTERN, socket, pipe, file, directory, device "
                           "and anonymous");
        text_end(&text);
        report(reading, item.text, "", item, after, is_left_out);
    } else if (rules->rule_count > POLICY_RULE_MAX) {
        rules->rule_count = before;
        report(reading, reading->text, "", (word){NULL, 0}, "there are more than 512 rules", is_left_out);
    } else if (reading->section == SECTION_NONE) {
        rules->rule_count = before;
    }
}

/* A pattern in its place; what names it in a complaint. */
static bool parse_pattern(struct reading *reading, const char *what, struct pattern *pattern, const char *instead) {
    size_t where;
    *pattern = next_word(reading);
    if (pattern->length == 0) {
        report(reading, pattern->text, what, (word){NULL, 0}, " needs a pattern", instead);
        return false;
    }
    const char *fault = pattern_fault(*pattern, &where);
    if (fault == NULL)
        return true;
    char after[80];
    struct text text = {.to = after, .size = sizeof after};
    text_char(&text, ' ');
    text_string(&text, fault);
    text_end(&text);
    report(reading, pattern->text + where, "the pattern", *pattern, after, instead);
    return false;
}

static void parse_descriptors(struct reading *reading, enum rule_kind kind) {
    struct rule rule = {.kind = kind, .section = reading->section, .text = reading->text};
    word what = next_word(reading);
    if (is(what, "path")) {
        rule.about = ABOUT_PATH;
        if (parse_pattern(reading, "path", &rule.pattern, is_left_out) && is_last(reading))
            add(reading, rule);
        return;
    }
    if (!is_last(reading))
        return;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (is(what, kinds[i].name)) {
            rule.about = kinds[i].about;
            add(reading, rule);
            return;
        }
    }
    parse_list(reading, rule, what);
}

static void parse_convention(struct reading *reading) {
    word name = next_word(reading);
    word state = next_word(reading);
    struct rule rule = {.kind = RULE_CONVENTION, .section = reading->section, .text = reading->text};
    rule.value = is(state, "on");
    rule.which = reading->reader->find_convention(name.text, name.length);
    if (rule.which < 0)
        report(reading, name.text, "convention", name,
               " is unknown; accepted are those that airlock policy conventions prints", is_left_out);
    else if (!rule.value && !is(state, "off"))
        report(reading, state.text, "", state, " is unknown; accepted are on or off", is_left_out);
    else if (is_last(reading))
        add(reading, rule);
}

static const char leaves_section_out[] = "the section is left out";

/* "program PATTERN", "caller PATTERN", both, or "all". */
static bool parse_conditions(struct reading *reading, struct section *section) {
    word first = next_word(reading);
    for (word condition = first; condition.length > 0; condition = next_word(reading)) {
        struct pattern *pattern = is(condition, "program") ? &section->program : &section->caller;
        bool known = is(condition, "program") || is(condition, "caller");
        if (!known) {
            report(reading, condition.text, "", condition,
                   " is unknown; accepted are [program PATTERN], [caller PATTERN], both in one, and [all]",
                   leaves_section_out);
            return false;
        }
        if (pattern->length > 0) {
            report(reading, condition.text, "", condition, " is given twice", leaves_section_out);
            return false;
        }
        if (!parse_pattern(reading, is(condition, "program") ? "program" : "caller", pattern, leaves_section_out))
            return false;
    }
    if (first.length == 0)
        report(reading, first.text,
               "the section is about nothing; accepted are [program PATTERN], [caller PATTERN], both in one, and [all]",
               (word){NULL, 0}, "", leaves_section_out);
    return first.length > 0;
}

/* From "[" to "]", which must be the line's last word's end. */
static void parse_section(struct reading *reading) {
    struct policy_rules *rules = reading->rules;
    struct section section = {{NULL, 0}, {NULL, 0}};
    const char *start = reading->at;
    reading->section = SECTION_NONE;
    if (reading->end[-1] != ']') {
        report(reading, reading->end - 1, "the section has no ] at its end", (word){NULL, 0}, "", leaves_section_out);
        return;
    }
    reading->at++;
    reading->end--;
    word whole = {reading->at, (size_t)(reading->end - reading->at)};
    if (is(whole, "all")) {
        reading->section = 0;
    } else if (rules->section_count == POLICY_SECTION_MAX) {
        report(reading, start, "there are more than 127 sections", (word){NULL, 0}, "", leaves_section_out);
    } else if (parse_conditions(reading, &section)) {
        reading->section = (int)rules->section_count;
        rules->sections[rules->section_count++] = section;
    }
}

static void parse_line(struct reading *reading) {
    if (*reading->at == '[') {
        parse_section(reading);
        return;
    }
    word name = next_word(reading);
    for (int i = 0; i < CHOICE_COUNT; i++) {
        if (is(name, policy_choices[i].name)) {
            parse_choice(reading, i);
            return;
        }
    }
    if (is(name, "keep"))
        parse_descriptors(reading, RULE_KEEP);
    else if (is(name, "seal"))
        parse_descriptors(reading, RULE_SEAL);
    else if (is(name, "convention"))
        parse_convention(reading);
    else
        report(reading, name.text, "", name,
               " is unknown; accepted are mode, signals, mask, keep, seal, convention and a [section]", is_left_out);
}

/* A # at the start of a word begins a comment. */
static char *find_comment(char *line, char *end) {
    bool between = true;
    for (char *at = line; at < end; at++) {
        if (*at == '#' && between)
            return at;
        between = is_blank(*at);
        if (*at == '\\' && at + 1 < end)
            at++;
    }
    return end;
}

/* Takes blanks and comments off the line and ends it with NUL, so that it can be quoted whole. */
static void read_line(struct reading *reading, char *line, char *end) {
    const char *nul = memchr(line, '\0', (size_t)(end - line));
    reading->line = line;
    if (nul != NULL) {
        report(reading, nul, "there is a NUL byte", (word){NULL, 0}, "", is_left_out);
        return;
    }
    end = find_comment(line, end);
    while (end > line && is_blank(end[-1]) && !(end - line >= 2 && end[-2] == '\\'))
        end--;
    while (line < end && is_blank(*line))
        line++;
    *end = '\0';
    reading->text = line;
    reading->at = line;
    reading->end = end;
    if (line < end)
        parse_line(reading);
}

void policy_file_parse(struct policy_rules *rules, size_t length, const struct policy_reader *reader) {
    struct reading reading = {.rules = rules, .reader = reader};
    char *end = rules->text + length;
    *end = '\0';
    rules->rule_count = 0;
    rules->section_count = 1;
    rules->sections[0] = (struct section){{NULL, 0}, {NULL, 0}};
    for (char *line = rules->text; line < end;) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        char *line_end = newline == NULL ? end : newline;
        reading.line_number++;
        read_line(&reading, line, line_end);
        line = line_end + 1;
    }
}

/* Why the open file cannot be a policy. */
static const char *refuse(int fd) {
    struct statx status;
    long result = raw5(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status);
    if (result != 0)
        return "cannot be examined";
    if (S_ISDIR(status.stx_mode))
        return "is a directory";
    if (!S_ISREG(status.stx_mode))
        return "is no regular file";
    if (status.stx_size > POLICY_FILE_MAX)
        return "is larger than 64 KiB";
    if (raw0(SYS_AIRLOCK_geteuid) != 0)
        return NULL;
    if (status.stx_uid != 0)
        return "belongs to another user, who could change what root passes on";
    if ((status.stx_mode & S_IWOTH) != 0)
        return "can be written to by everybody, who could change what root passes on";
    if ((status.stx_mode & S_IWGRP) != 0 && status.stx_gid != 0)
        return "can be written to by its group, who could change what root passes on";
    return NULL;
}

/* One byte more than fits shows a file that has grown meanwhile. */
static const char *read_whole(int fd, struct policy_rules *rules, size_t *length) {
    size_t used = 0;
    for (;;) {
        long got = raw3(SYS_read, fd, rules->text + used, POLICY_FILE_MAX + 1 - used);
        if (got == -EINTR)
            continue;
        if (got < 0)
            return "cannot be read";
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > POLICY_FILE_MAX)
            return "is larger than 64 KiB";
    }
    *length = used;
    return NULL;
}

static const char *reason_of(long error) {
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
        return "does not exist";
    case EACCES:
    case EPERM:
        return "may not be read";
    case ENXIO:
        return "is no regular file";
    case EMFILE:
    case ENFILE:
        return "cannot be opened, every descriptor is in use";
    default:
        return "cannot be opened";
    }
}

const char *policy_file_load(struct policy_rules *rules, const char *path, size_t *length) {
    /* Without O_NONBLOCK, a FIFO would hold the program up. */
    long fd = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return reason_of(fd);
    const char *reason = refuse((int)fd);
    if (reason == NULL)
        reason = read_whole((int)fd, rules, length);
    raw1(SYS_close, fd);
    return reason;
}
