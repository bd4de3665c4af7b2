/* Feeds bytes to the reader of policies, as a file, and paths to its patterns (libFuzzer; tools/fuzz builds and runs
 * it). Besides the sanitizers' opinion, everything that policy_file.h promises is checked. */
#include "fuzz.h"

#include "policy_file.h"

static struct policy_rules rules;

/* What the mistakes are compared with: they come in the order of the file. */
struct seen {
    size_t length;
    int line;
};

static int find_convention(const char *name, size_t length) {
    return length == 9 && memcmp(name, "MAKEFLAGS", 9) == 0 ? 7 : -1;
}

static void check_mistake(void *context, const struct mistake *mistake) {
    struct seen *seen = context;
    must(mistake->line >= seen->line && mistake->line >= 1);
    must(mistake->column >= 1 && (size_t)mistake->column <= seen->length + 1);
    must(mistake->message[0] != '\0' && mistake->instead[0] != '\0');
    for (const char *at = mistake->message; *at != '\0'; at++)
        must((unsigned char)*at >= ' ' && *at != 127);
    seen->line = mistake->line;
}

static void check_inside(const char *text, size_t length) {
    must(text >= rules.text && text + length <= rules.text + POLICY_FILE_MAX);
}

static void check_pattern(struct pattern pattern) {
    size_t where;
    if (pattern.length == 0)
        return;
    check_inside(pattern.text, pattern.length);
    must(pattern_fault(pattern, &where) == NULL);
    pattern_fits(pattern, "/usr/lib/x86_64-linux-gnu/libc.so.6");
    pattern_fits(pattern, "a/b");
    pattern_fits(pattern, "");
}

static void check_rule(const struct rule *rule) {
    must(rule->section >= 0 && (size_t)rule->section < rules.section_count);
    check_inside(rule->text, strlen(rule->text));
    if (rule->kind == RULE_CONVENTION)
        must(rule->which == 7);
    else if (rule->kind != RULE_CHOICE && rule->about == ABOUT_NUMBERS)
        must(0 <= rule->range.first && rule->range.first <= rule->range.last);
    else if (rule->kind != RULE_CHOICE && rule->about == ABOUT_PATH)
        must(rule->pattern.length > 0);
    check_pattern(rule->pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct seen seen = {.length = size};
    const struct policy_reader reader = {find_convention, check_mistake, &seen};
    if (size > POLICY_FILE_MAX)
        return -1;
    memcpy(rules.text, data, size);
    policy_file_parse(&rules, size, &reader);
    must(rules.rule_count <= POLICY_RULE_MAX && rules.section_count <= POLICY_SECTION_MAX);
    for (size_t i = 0; i < rules.rule_count; i++)
        check_rule(&rules.rules[i]);
    for (size_t i = 0; i < rules.section_count; i++) {
        check_pattern(rules.sections[i].program);
        check_pattern(rules.sections[i].caller);
    }
    return 0;
}
