/* Reads a child's path, arguments, environment and shell line by the table of conventions.
 *
 * A number that no row speaks of is a number: "sleep 5" keeps nothing. Only what is open and inheritable is kept, so
 * that a wrong guess costs nothing where there is nothing to leak. Strings are bytes without meaning until a row gives
 * them one. */
#include "convention_table.h"
#include "conventions.h"
#include "descriptor.h"
#include "given.h"
#include "intent.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

/* ---- Reading numbers. */

struct scan {
    uint64_t off;
    struct kept *kept;
};

static bool is_on(const struct scan *scan, int group, int row) {
    return !(scan->off >> (convention_groups[group].first + row) & 1);
}

static const struct row *row_of(int group, int row) {
    return &convention_groups[group].rows[row];
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Where a word of a shell string, or any string, ends. */
static bool ends_word(char c) {
    return c == '\0' || strchr(" \t\n\r\"'`;|&()<>", c) != NULL;
}

/* The number at *text, which is moved behind its digits; -1 when there is none, or none that a descriptor can have. */
static int read_number(const char **text) {
    long long number = -1;
    for (; is_digit(**text); ++*text)
        if (number <= INT_MAX)
            number = (number < 0 ? 0 : number * 10) + (**text - '0');
    return number > INT_MAX ? -1 : (int)number;
}

static void keep(struct scan *scan, int fd, const char *rule) {
    if (fd > 2 && descriptor_is_inheritable(fd))
        kept_add(scan->kept, fd, fd, rule);
}

static void keep_number(struct scan *scan, const char *text, const char *rule) {
    int fd = read_number(&text);
    if (ends_word(*text))
        keep(scan, fd, rule);
}

static void keep_list(struct scan *scan, const char *text, const char *rule) {
    do {
        int fd = read_number(&text);
        if (!is_letter(*text) && *text != '.')
            keep(scan, fd, rule);
    } while ((*text == ',' || *text == ':') && is_digit(*++text));
}

static void keep_numbers(struct scan *scan, const char *text, const char *rule) {
    while (is_digit(*text)) {
        keep(scan, read_number(&text), rule);
        text += strspn(text, ",:; ");
    }
}

static void keep_assigned(struct scan *scan, const char *text, const char *rule) {
    while ((text = strchr(text, '=')) != NULL) {
        text++;
        keep(scan, read_number(&text), rule);
    }
}

static void keep_first(struct scan *scan, const char *text, const char *rule) {
    int fd = read_number(&text);
    if (*text == ':')
        keep(scan, fd, rule);
}

/* The upper ones need not be open: one range costs nothing. */
static void keep_count(struct scan *scan, const char *text, const char *rule) {
    int count = read_number(&text);
    if (count > 0 && ends_word(*text))
        kept_add(scan->kept, 3, count > INT_MAX - 2 ? INT_MAX : count + 2, rule);
}

/* make leaves the flags in the environment of children that do not get the jobserver too: then the descriptors are
 * close-on-exec, or something else by now. A negative number says that there is none, and fifo:PATH needs none. */
static void keep_jobserver(struct scan *scan, const char *text, const char *rule) {
    static const char flag[] = "--jobserver-";
    const char *last = NULL;
    for (; (text = strstr(text, flag)) != NULL; text += sizeof flag - 1)
        if (strncmp(text + sizeof flag - 1, "auth=", 5) == 0 || strncmp(text + sizeof flag - 1, "fds=", 4) == 0)
            last = strchr(text, '=') + 1;
    if (last == NULL)
        return;
    int reading = read_number(&last);
    if (reading < 0 || *last++ != ',')
        return;
    int writing = read_number(&last);
    if (descriptor_is_fifo(reading))
        keep(scan, reading, rule);
    if (writing >= 0 && descriptor_is_fifo(writing))
        keep(scan, writing, rule);
}

static void keep_by_form(struct scan *scan, const char *value, const struct row *row) {
    switch (row->form) {
    case FORM_NUMBER:
        keep_number(scan, value, row->rule);
        break;
    case FORM_LIST:
        keep_list(scan, value, row->rule);
        break;
    case FORM_NUMBERS:
        keep_numbers(scan, value, row->rule);
        break;
    case FORM_ASSIGNED:
        keep_assigned(scan, value, row->rule);
        break;
    case FORM_FIRST:
        keep_first(scan, value, row->rule);
        break;
    case FORM_COUNT:
    case FORM_LISTEN:
        keep_count(scan, value, row->rule);
        break;
    case FORM_JOBSERVER:
        keep_jobserver(scan, value, row->rule);
        break;
    case FORM_PIPES:
        keep(scan, 3, row->rule);
        keep(scan, 4, row->rule);
        break;
    }
}

/* ---- Texts in which a descriptor may be named anywhere: paths and keys around the letters "fd". */

static bool comes_before(const char *text, const char *at, const char *what) {
    size_t length = strlen(what);
    return (size_t)(at - text) >= length && memcmp(at - length, what, length) == 0;
}

/* at is the "/fd/" in text. */
static void read_path(struct scan *scan, const char *text, const char *at) {
    const char *number = at + 4;
    if (!is_on(scan, GENERAL, PATH) || !is_digit(*number))
        return;
    if (!comes_before(text, at, "/dev") && !comes_before(text, at, "/proc/self") &&
        !comes_before(text, at, "/proc/thread-self"))
        return;
    int fd = read_number(&number);
    if (!is_letter(*number))
        keep(scan, fd, row_of(GENERAL, PATH)->rule);
}

/* Most texts have no slash, which is found out at a fraction of what looking for the whole costs. Then the rare letters
 * are looked for: glibc's strstr is five times as fast with them as with the slash first. */
static void read_paths(struct scan *scan, const char *text) {
    const char *at = strchr(text, '/');
    while (at != NULL && (at = strstr(at, "fd/")) != NULL) {
        if (at[-1] == '/')
            read_path(scan, text, at - 1);
        at += 3;
    }
}

static void read_key(struct scan *scan, int key, const char *value) {
    if (is_on(scan, KEYS, key))
        keep_list(scan, value, row_of(KEYS, key)->rule);
}

/* at is the "fd" in text. */
static void read_key_at(struct scan *scan, const char *text, const char *at) {
    if (at != text && at[-1] == '-') /* the end of an option, which is read as one */
        return;
    bool begins = at == text || (!is_letter(at[-1]) && !is_digit(at[-1]));
    if (at[2] == '=')
        read_key(scan, KEY_FD, at + 3);
    else if (at[2] == 's' && at[3] == '=')
        read_key(scan, KEY_FDS, at + 4);
    else if (at[2] == ':' && at[3] == ':' && begins)
        read_key(scan, KEY_COLONS, at + 4);
    else if (at[2] == ':' && begins)
        read_key(scan, KEY_COLON, at + 3);
}

static void read_text(struct scan *scan, const char *text) {
    for (const char *at = text; (at = strstr(at, "fd")) != NULL; at += 2) {
        if (at[2] != '/')
            read_key_at(scan, text, at);
        else if (at != text && at[-1] == '/')
            read_path(scan, text, at - 1);
    }
}

/* ---- Options, which are words: arguments, or parts of a shell string. */

struct word {
    const char *start;
    size_t length;
};

struct words {
    bool bwrap; /* an earlier word was the name of bubblewrap */
};

static bool is_word(struct word word, const char *text) {
    return word.length == strlen(text) && memcmp(word.start, text, word.length) == 0;
}

static bool begins_with(struct word word, const char *text) {
    size_t length = strlen(text);
    return word.length >= length && memcmp(word.start, text, length) == 0;
}

static bool ends_with(struct word word, const char *text) {
    size_t length = strlen(text);
    return word.length >= length && memcmp(word.start + word.length - length, text, length) == 0;
}

/* The options of bubblewrap that take a descriptor without having "fd" in their names. */
static const char *const bwrap_options[] = {
    "--args", "--seccomp", "--file", "--bind-data", "--ro-bind-data", "--userns", "--userns2", "--pidns",
};

static bool is_bwrap_option(struct word option) {
    for (size_t i = 0; i < sizeof bwrap_options / sizeof bwrap_options[0]; i++)
        if (is_word(option, bwrap_options[i]))
            return true;
    return false;
}

static bool option_fits(const struct row *row, struct word option, const struct words *words) {
    switch (row->match) {
    case MATCH_FD_ENDS:
        return option.start[1] == '-' && ends_with(option, "-fd");
    case MATCH_BWRAP:
        return words->bwrap && is_bwrap_option(option);
    default:
        return is_word(option, row->name);
    }
}

/* The value is behind the equals sign of the word, or begins the next one. */
static void read_option(struct scan *scan, struct word word, const char *next, const struct words *words) {
    if (word.start[1] != '-' && word.start[1] != 'd') /* no row begins in another way */
        return;
    const char *equals = memchr(word.start, '=', word.length);
    struct word option = {word.start, equals != NULL ? (size_t)(equals - word.start) : word.length};
    const char *value = equals != NULL && equals + 1 < word.start + word.length ? equals + 1 : next;
    for (int i = 0; i < convention_groups[OPTIONS].count; i++) {
        const struct row *row = row_of(OPTIONS, i);
        if (!option_fits(row, option, words))
            continue;
        if (is_on(scan, OPTIONS, i))
            keep_by_form(scan, value, row);
        return;
    }
}

/* Settings of apt's, with or without the -o right before. */
static void read_setting(struct scan *scan, struct word word) {
    size_t skipped = begins_with(word, "-o") ? 2 : 0;
    struct word setting = {word.start + skipped, word.length - skipped};
    if (begins_with(setting, "APT::Status-Fd="))
        read_key(scan, KEY_APT_STATUS, strchr(setting.start, '=') + 1);
    else if (begins_with(setting, "APT::Keep-Fds::="))
        read_key(scan, KEY_APT_KEEP, strchr(setting.start, '=') + 1);
}

static void read_word(struct scan *scan, struct word word, const char *next, struct words *words) {
    if (begins_with(word, "-o") || begins_with(word, "APT::"))
        read_setting(scan, word);
    else if (word.length > 1 && word.start[0] == '-')
        read_option(scan, word, next, words);
    else if (ends_with(word, "bwrap"))
        words->bwrap = true;
}

/* ---- Variables. */

/* Whether a name holds FD, SOCK or PIPE. */
static bool speaks_of_descriptors(const char *name, size_t length) {
    for (; length > 1; name++, length--) {
        if (name[0] == 'F' && name[1] == 'D')
            return true;
        if (length >= 4 &&
            ((name[0] == 'S' && memcmp(name, "SOCK", 4) == 0) || (name[0] == 'P' && memcmp(name, "PIPE", 4) == 0)))
            return true;
    }
    return false;
}

static bool all_digits(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!is_digit(text[i]))
            return false;
    return length > 0;
}

static bool variable_fits(const struct row *row, const char *name, size_t length) {
    if (row->match == MATCH_FD_NAME)
        return speaks_of_descriptors(name, length);
    size_t expected = strlen(row->name);
    if (length < expected || memcmp(name, row->name, expected) != 0)
        return false;
    if (row->match == MATCH_NUMBERED)
        return all_digits(name + expected, length - expected);
    return length == expected || row->match == MATCH_PREFIX;
}

/* Whether LISTEN_FDS is meant for whoever reads it: the caller cannot know the pid of a child that is yet to be made.
 */
static bool is_for_anyone(char *const *environment) {
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, "LISTEN_PID=", 11) == 0)
            return (*environment)[11] == '\0';
    return true;
}

/* What a person may write before a command. The others are lists that a program hands to another. */
static bool is_written_in_lines(enum form form) {
    return form == FORM_NUMBER || form == FORM_LISTEN || form == FORM_JOBSERVER;
}

/* A set of 1024 values, one for the first two letters of a name. */
struct beginnings {
    _Atomic uint64_t bits[16];
    _Atomic bool complete;
};

/* No two pairs of letters are the same. */
static unsigned beginning_of(const char *name) {
    return ((unsigned char)name[0] & 31U) << 5 | ((unsigned char)name[1] & 31U);
}

/* Filled at the first use. Threads that do it at once all write the same. */
static void collect_beginnings(struct beginnings *to) {
    for (int i = 0; i < convention_groups[VARIABLES].count; i++) {
        unsigned beginning = beginning_of(row_of(VARIABLES, i)->name);
        atomic_fetch_or(&to->bits[beginning / 64], (uint64_t)1 << beginning % 64);
    }
    atomic_store_explicit(&to->complete, true, memory_order_release);
}

/* 3 to 9, or more digits than one. */
static bool may_be_descriptor(const char *value) {
    return is_digit(value[0]) && (value[0] > '2' || is_digit(value[1]));
}

/* Tells most variables from all rows, before the rows are compared one by one. */
static bool may_fit(const char *name, size_t length, const char *value) {
    static struct beginnings known;
    if (may_be_descriptor(value) && speaks_of_descriptors(name, length))
        return true;
    if (!atomic_load_explicit(&known.complete, memory_order_acquire))
        collect_beginnings(&known);
    unsigned beginning = beginning_of(name);
    return atomic_load_explicit(&known.bits[beginning / 64], memory_order_relaxed) >> beginning % 64 & 1;
}

/* The number of the first row that a variable fits, or -1. */
static int find_variable_row(const char *name, size_t length) {
    for (int i = 0; i < convention_groups[VARIABLES].count; i++) {
        const struct row *row = row_of(VARIABLES, i);
        if ((*name == *row->name || row->match == MATCH_FD_NAME) && variable_fits(row, name, length))
            return i;
    }
    return -1;
}

/* environment is where the variable stands, NULL: before a command in a shell string. */
static void read_variable(struct scan *scan, const char *name, const char *equals, char *const *environment) {
    bool in_line = environment == NULL;
    const char *value = equals + 1;
    size_t length = (size_t)(equals - name);
    if (in_line && (*value == '"' || *value == '\''))
        value++;
    if (!may_fit(name, length, value))
        return;
    int number = find_variable_row(name, length);
    if (number < 0 || !is_on(scan, VARIABLES, number))
        return;
    const struct row *row = row_of(VARIABLES, number);
    if (in_line ? is_written_in_lines(row->form) : row->form != FORM_LISTEN || is_for_anyone(environment))
        keep_by_form(scan, value, row);
}

/* Whether a variable could name a descriptor, whichever are open and whichever rows are on. */
static bool variable_matters(const char *entry) {
    const char *equals = strchr(entry, '=');
    if (equals == NULL)
        return false;
    if (strstr(equals, "/fd/") != NULL)
        return true;
    int number = find_variable_row(entry, (size_t)(equals - entry));
    return number >= 0 && (row_of(VARIABLES, number)->form != FORM_NUMBER || may_be_descriptor(equals + 1));
}

static void read_environment(struct scan *scan, char *const *environment) {
    struct given known = given_without_meaning(variable_matters);
    for (char *const *entry = environment; *entry != NULL; entry++) {
        if (given_has(known, *entry))
            continue;
        const char *equals = strchr(*entry, '=');
        if (equals == NULL)
            continue;
        read_paths(scan, equals + 1);
        read_variable(scan, *entry, equals, environment);
    }
}

/* ---- Shell strings. */

/* A number behind <& or >&. That the line may open the same number by itself changes nothing: there it replaces what
 * the shell was given. */
static void read_redirections(struct scan *scan, const char *line) {
    for (const char *at = line; is_on(scan, GENERAL, SHELL) && (at = strchr(at, '&')) != NULL; at++) {
        if (at == line || (at[-1] != '<' && at[-1] != '>'))
            continue;
        const char *number = at + 1;
        while (*number == ' ' || *number == '\t')
            number++;
        int fd = read_number(&number);
        if (!is_letter(*number)) /* else the name of a file */
            keep(scan, fd, row_of(GENERAL, SHELL)->rule);
    }
}

static struct word next_word(const char *text) {
    while (*text != '\0' && ends_word(*text))
        text++;
    struct word word = {.start = text};
    while (!ends_word(text[word.length]))
        word.length++;
    return word;
}

/* A word like NAME=value is a variable of the child. */
static void read_assignment(struct scan *scan, struct word word) {
    const char *equals = memchr(word.start, '=', word.length);
    if (equals == NULL || !is_letter(word.start[0]))
        return;
    for (const char *c = word.start; c < equals; c++)
        if (!is_letter(*c) && !is_digit(*c))
            return;
    read_variable(scan, word.start, equals, NULL);
}

static void read_shell_line(struct scan *scan, const char *line) {
    struct words words = {0};
    read_redirections(scan, line);
    for (struct word word = next_word(line); word.length > 0;) {
        struct word next = next_word(word.start + word.length);
        read_word(scan, word, next.start, &words);
        read_assignment(scan, word);
        word = next;
    }
    read_text(scan, line);
}

/* ---- Arguments. */

/* -c, or letters that end with it: what follows is a line for a shell. */
static bool announces_line(const char *argument) {
    enum { LETTERS_MAX = 5 };
    size_t length = 1;
    if (argument[0] != '-')
        return false;
    while (length <= LETTERS_MAX && argument[length] >= 'a' && argument[length] <= 'z')
        length++;
    return argument[length] == '\0' && argument[length - 1] == 'c';
}

static void read_arguments(struct scan *scan, char *const *argv) {
    struct words words = {0};
    for (bool is_line = false; *argv != NULL; argv++) {
        if (is_line) {
            read_shell_line(scan, *argv);
        } else {
            read_word(scan, (struct word){*argv, strlen(*argv)}, argv[1] != NULL ? argv[1] : "", &words);
            read_text(scan, *argv);
        }
        is_line = !is_line && announces_line(*argv);
    }
}

static bool is_program(const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

/* ---- All of it. */

void conventions_prepare(uint64_t switched_off) {
    struct scan scan = {.off = switched_off};
    given_find();
    if (is_on(&scan, GENERAL, INHERITED))
        inherited_remember();
}

void conventions_add(const struct request *request, uint64_t switched_off, struct kept *kept) {
    const struct airlock_command *command = &request->command;
    struct scan scan = {.off = switched_off, .kept = kept};
    if ((~switched_off & conventions_all()) == 0)
        return;
    if (is_on(&scan, GENERAL, INTENT))
        intent_keep(row_of(GENERAL, INTENT)->rule, kept);
    if (command->path != NULL)
        read_paths(&scan, command->path);
    if (request->shell_line != NULL)
        read_shell_line(&scan, request->shell_line);
    else if (command->argv != NULL)
        read_arguments(&scan, command->argv);
    if (command->envp != NULL)
        read_environment(&scan, command->envp);
    if (is_on(&scan, GENERAL, CLOSES_ITSELF) && command->path != NULL &&
        is_program(command->path, row_of(GENERAL, CLOSES_ITSELF)->name))
        kept->all = row_of(GENERAL, CLOSES_ITSELF)->rule;
    if (is_on(&scan, GENERAL, INHERITED))
        inherited_keep(row_of(GENERAL, INHERITED)->rule, kept);
}
