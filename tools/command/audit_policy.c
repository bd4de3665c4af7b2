/* The audit as a policy. What a rule kept becomes a keep line of its own, so that it holds wherever the conventions
 * may go; what nothing kept stays a comment, since it takes a person to tell a leak from an intention. */
#include "audit.h"

#include "words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 2048, PATTERN_BYTES = 255, RULES = 500 };

/* One line of a section: what it keeps, and why. */
struct line {
    const char *caller, *program;
    char descriptors[PATTERN_BYTES + 16];
    char reason[TEXT_BYTES];
    uint64_t count;
    bool comment;
    bool too_wide; /* the same words would let through a leak of the same section */
};

/* A path as a pattern that fits it alone. Returns false when a policy cannot name it. */
static bool add_pattern(struct words *words, const char *path) {
    size_t start = words->length;
    while (*path != '\0') {
        size_t length = 1;
        int byte = escaped_byte(path, &length);
        unsigned char plain = byte < 0 ? (unsigned char)*path : (unsigned char)byte;
        if (plain == '\n' || plain == '\0')
            return false;
        bool safe = isalnum(plain) || plain >= 0x80 || strchr("/._-+,=@:%", plain) != NULL;
        words_add(words, safe ? "%c" : "\\%c", plain);
        path += length;
    }
    return words->length > start && words->length - start <= PATTERN_BYTES;
}

/* What a keep line names the descriptor by. A file that was removed has the path that it had. */
static bool name_descriptors(const char *what, struct words *words) {
    static const struct {
        const char *prefix, *word;
    } kinds[] = {{"pipe", "pipe"}, {"socket", "socket"}, {"anon_inode", "anonymous"}};
    static const char removed[] = " (deleted)";
    if (*what == '/') {
        char path[1024];
        size_t length = strnlen(what, sizeof path - 1);
        if (length > strlen(removed) && strcmp(what + length - strlen(removed), removed) == 0)
            length -= strlen(removed);
        memcpy(path, what, length);
        path[length] = '\0';
        words_add(words, "path ");
        return add_pattern(words, path);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(what, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
            words_add(words, "%s", kinds[i].word);
            return true;
        }
    }
    return false;
}

static bool make_line(struct line *line, const struct tally_entry *entry, bool comment) {
    struct words descriptors = WORDS(line->descriptors), reason = WORDS(line->reason);
    line->caller = tally_part(entry, AUDIT_PROGRAM);
    line->program = tally_part(entry, AUDIT_PATH);
    line->count = entry->count;
    line->comment = comment;
    line->descriptors[0] = line->reason[0] = '\0';
    const char *rule = tally_part(entry, AUDIT_RULE);
    if (!comment && (strcmp(rule, "file action") == 0 || strcmp(rule, "passed through") == 0))
        return false; /* the call itself, or libc in the library's place, passes it on whatever a policy says */
    if (!name_descriptors(tally_part(entry, AUDIT_WHAT), &descriptors))
        return false;
    words_add_plain(&reason, tally_part(entry, AUDIT_WHAT));
    words_add(&reason, " as %s through ", tally_part(entry, AUDIT_FD));
    words_add_plain(&reason, tally_part(entry, AUDIT_CALL));
    if (!comment) {
        words_add(&reason, ", by: ");
        words_add_plain(&reason, rule);
    }
    return true;
}

static int compare(const void *left, const void *right) {
    const struct line *one = left, *other = right;
    int order = strcmp(one->caller, other->caller);
    if (order == 0)
        order = strcmp(one->program, other->program);
    if (order == 0)
        order = (int)one->comment - (int)other->comment;
    return order != 0 ? order : strcmp(one->descriptors, other->descriptors);
}

/* The head of a section about the spawns of one caller, of one program. Returns false when no pattern can name them. */
static bool put_head(FILE *stream, const struct line *line) {
    char caller[TEXT_BYTES] = "", program[TEXT_BYTES] = "";
    struct words caller_words = WORDS(caller), program_words = WORDS(program);
    if (!add_pattern(&caller_words, line->caller) || !add_pattern(&program_words, line->program))
        return false;
    fprintf(stream, "\n[caller %s program %s]\n", caller, program);
    return true;
}

static bool are_of_one_section(const struct line *one, const struct line *other) {
    return strcmp(one->caller, other->caller) == 0 && strcmp(one->program, other->program) == 0;
}

/* "pipe" is every pipe: where one is handed on deliberately and another leaks, the rule that knows the one is better.
 */
static void mark_too_wide(struct line *lines, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count && are_of_one_section(&lines[i], &lines[j]); j++) {
            if (!lines[i].comment && lines[j].comment && strcmp(lines[i].descriptors, lines[j].descriptors) == 0)
                lines[i].too_wide = true;
        }
    }
}

static void put_line(FILE *stream, const struct line *line, const struct line *before) {
    bool again = before != NULL && strcmp(line->descriptors, before->descriptors) == 0 &&
                 line->comment == before->comment && are_of_one_section(line, before);
    if (line->too_wide)
        fprintf(stream, "# kept without a line, which would keep a leak, too: %llu times %s\n",
                (unsigned long long)line->count, line->reason);
    else if (again)
        fprintf(stream, "#   also %llu times %s\n", (unsigned long long)line->count, line->reason);
    else
        fprintf(stream, "%skeep %s  # %llu times %s\n", line->comment ? "# leak? " : "", line->descriptors,
                (unsigned long long)line->count, line->reason);
}

static void put_lines(FILE *stream, const struct line *lines, size_t count) {
    bool headed = false;
    for (size_t i = 0; i < count; i++) {
        const struct line *before = i == 0 ? NULL : &lines[i - 1];
        if (before == NULL || !are_of_one_section(&lines[i], before))
            headed = put_head(stream, &lines[i]);
        if (headed)
            put_line(stream, &lines[i], before);
    }
}

static size_t collect(struct line *lines, size_t count, size_t limit, const struct tally *tally, bool comment) {
    const struct tally_entry **sorted = tally_sorted(tally);
    for (size_t i = 0; sorted != NULL && i < tally->count && count < limit; i++)
        count += make_line(&lines[count], sorted[i], comment);
    free(sorted);
    return count;
}

void audit_policy(FILE *stream, const struct audit *audit) {
    struct line *lines = calloc(2 * RULES, sizeof *lines);
    fprintf(stream,
            "# Suggested by airlock audit, which saw %llu spawns: see airlock-policy(5).\n"
            "# Lines that begin with 'keep' let through what was seen to be handed on deliberately. Those behind\n"
            "# '# leak?' were handed on by accident, it seems: remove the mark of what the child does need.\n"
            "mode enforce\n",
            (unsigned long long)audit->spawns);
    if (audit->silent > 0)
        fprintf(stream, "# Nothing is known about the descriptors of %llu of the spawns.\n",
                (unsigned long long)audit->silent);
    if (lines == NULL)
        return;
    /* The reasons of an entry are copied, its names are not: the tallies outlive the lines. */
    size_t count = collect(lines, 0, RULES, &audit->kept, false);
    count = collect(lines, count, count + RULES, &audit->sealed, true);
    qsort(lines, count, sizeof *lines, compare);
    mark_too_wide(lines, count);
    put_lines(stream, lines, count);
    free(lines);
}
