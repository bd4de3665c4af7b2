/* airlock audit: what was seen, and the two ways of showing it. */
#ifndef AIRLOCK_COMMAND_AUDIT_H
#define AIRLOCK_COMMAND_AUDIT_H

#include "tally.h"

#include <stdio.h>

/* The parts of a key of both tallies, in this order. */
enum audit_part { AUDIT_FD, AUDIT_WHAT, AUDIT_PROGRAM, AUDIT_PATH, AUDIT_CALL, AUDIT_RULE };

struct audit {
    uint64_t spawns, failed, leaking, passed_through;
    uint64_t enforced;   /* spawns that were not only watched: what they did not get was closed */
    uint64_t silent;     /* spawns whose records do not tell of descriptors */
    uint64_t dropped;    /* records that the library could not write */
    uint64_t cut;        /* spawns with more descriptors than the record had room for */
    struct tally sealed; /* what enforce would close: all parts but the rule; example: with both ends of a connection */
    struct tally kept;   /* what it would let through */
};

void audit_table(FILE *stream, const struct audit *audit);

/* A policy file, as airlock-policy(5) has it. */
void audit_policy(FILE *stream, const struct audit *audit);

#endif
