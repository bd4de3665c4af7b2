/* What this process may pass on to its children, and what it resets in them. */
#ifndef SHIM_POLICY_H
#define SHIM_POLICY_H

#include "policy_file.h"

#include <stdint.h>

struct kept;

/* What the policy says about one child. */
struct decision {
    enum mode mode;
    enum signals signals;
    enum mask mask;
    uint64_t switched_off;                      /* conventions, a bit a row */
    uint64_t sections[POLICY_SECTION_MAX / 64]; /* those that are about this child, a bit each */
};

/* Whether the rule stands in a section that is about this child. */
static inline bool decision_has(const struct decision *decision, const struct rule *rule) {
    return (decision->sections[rule->section / 64] >> rule->section % 64 & 1) != 0;
}

struct policy {
    enum mode mode;          /* MODE_OFF: no child can have another; else what children have unless a section is
                                about them, or the strongest that a section gives */
    bool depends_on_program; /* some section is about the program to be executed */
    bool depends_on_path;    /* ... and about its whole path */
    bool depends_on_kind;    /* some rule is about what a descriptor is */
    bool names_descriptors;  /* some rule keeps or seals */
    uint64_t conventions;    /* those that are on for some child, a bit each */
    struct decision common;  /* about a child that no such section is about */
    const struct policy_rules *rules; /* of those sections that are about this process as the caller; NULL: none */
};

/* Read from the file that AIRLOCK_POLICY names and from the environment at the first call, or when the library is
 * loaded, and never again. A wrong value is said in one line on stderr and its default used. Thread-safe. */
const struct policy *policy(void);

/* Whether the environment has any variable of airlock's: one look at the start saves most programs the others. */
bool policy_is_in_environment(void);

/* What holds for a child that executes program, a path or a name that is searched in PATH; NULL: nothing is known of
 * it. Changes no errno, allocates nothing. */
void policy_decide(const struct policy *policy, const char *program, struct decision *decision);

/* Adds to kept, and takes out of it, what the rules about descriptors say; a later rule wins over an earlier one, and
 * all of them over what is kept already. Looks at open descriptors only when a rule is about what they are. */
void policy_keep(const struct policy *policy, const struct decision *decision, struct kept *kept);

#endif
