/* What `airlock check` finds out, and the two ways in which it says it. */
#ifndef AIRLOCK_COMMAND_CHECK_H
#define AIRLOCK_COMMAND_CHECK_H

#include "held.h"
#include "kernel.h"
#include "object.h"
#include "program.h"

/* The exit codes. */
enum verdict { VERDICT_COVERED, VERDICT_PARTLY, VERDICT_NOT };

struct check {
    const char *asked;
    int process; /* 0: a program was asked about */
    struct program program;
    char script[PATH_MAX]; /* what was found, when another program runs it; empty: none */
    struct image image;
    struct objects objects;
    bool mapped;           /* of a process: the library is there */
    char mode[16];         /* of a process: AIRLOCK_MODE in its environment; empty: none */
    char policy[PATH_MAX]; /* and AIRLOCK_POLICY */
    struct held_list held;
    int held_error; /* an errno value when they could not be looked at */
    struct kernel kernel;

    /* What follows from it. */
    uint64_t covered; /* calls of the program and its libraries */
    uint64_t outside; /* calls that start programs out of reach */
    uint64_t own;     /* calls that the program defines itself: the library does not stand before them */
    size_t unread;    /* libraries about which nothing is known */
    enum verdict verdict;
    char why[sizeof(((struct program *)0)->obstacle) + 64];
};

extern const char *const verdict_words[];

void check_print(const struct check *check);
void check_print_json(const struct check *check);

#endif
