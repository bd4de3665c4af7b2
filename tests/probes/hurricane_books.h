/* The books of the storm: how many children were started, and how each of them ended. A child says by its exit status
 * who started it. Included once. */
#ifndef HURRICANE_BOOKS_H
#define HURRICANE_BOOKS_H

#include "probe.h"

#include <stdatomic.h>

#define NOT_SANITIZED __attribute__((no_sanitize("thread")))

enum {
    WORKERS = 8,
    SHELTERED = WORKERS / 2, /* their children block SIGUSR1, so that each of them has to end as it should */
    SPAWN_STATUS = 10,       /* of the children of worker 0 */
    POPEN_STATUS = 30,
    SYSTEM_STATUS = 40,
    VICTIM_STATUS = 50,    /* children of threads that are cancelled */
    CANCELLED_STATUS = 55, /* shells of threads that are cancelled: system kills and reaps them itself */
    FORK_STATUS = 60,
    SENDER_STATUS = 61,
    MISSING_STATUS = 70, /* children that were killed before they could say that their program is missing */
    LEAK_STATUS = 99,    /* the child says so */
    NO_PROGRAM = 127,
    STATUSES = 256,
};

struct books {
    _Atomic long started[STATUSES], ended[STATUSES];
    _Atomic long killed;    /* by SIGUSR1, which the whole group gets */
    _Atomic long shot;      /* by SIGKILL */
    _Atomic long strange;   /* ended in any other way */
    _Atomic long exchanged; /* the status of one child, given to who waited for another */
    _Atomic long missing;   /* calls for a program that does not exist, by workers that are not sheltered */
};

static struct books books;

/* What is wrong with them, summed up over all parts of the storm. */
static long lost, doubled, strange, exchanged, leaks;

NOT_SANITIZED static void account(int status) {
    if (WIFEXITED(status))
        books.ended[WEXITSTATUS(status)]++;
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1)
        books.killed++;
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        books.shot++;
    else
        books.strange++;
}

/* The status of a child that was started with code. */
static void account_for(int code, int status) {
    account(status);
    if (WIFEXITED(status) && WEXITSTATUS(status) != code && WEXITSTATUS(status) != LEAK_STATUS)
        books.exchanged++;
}

static bool is_exposed(int code) {
    return (code >= SPAWN_STATUS && code < VICTIM_STATUS && code % 10 >= SHELTERED) || code == MISSING_STATUS;
}

static void note_difference(long missing) {
    if (missing > 0)
        lost += missing;
    else
        doubled -= missing;
}

/* Each sheltered child ended with its own status. The others may have been killed, and the sum has to be right: a
 * handler that waits for any child may also take one of a failed call, which is then among the killed, but not among
 * the started. */
static void compare(bool reaped_by_handler) {
    long exposed = 0;
    for (int code = 0; code < LEAK_STATUS; code++) {
        long missing = books.started[code] - books.ended[code];
        if (is_exposed(code) && missing >= 0)
            exposed += missing;
        else if (code != CANCELLED_STATUS || missing < 0)
            note_difference(missing);
    }
    exposed -= books.killed;
    if (exposed > 0 || !reaped_by_handler || exposed + books.missing < 0)
        note_difference(exposed);
    if (!reaped_by_handler)
        note_difference(-books.ended[NO_PROGRAM]);
    long cancelled = books.started[CANCELLED_STATUS] - books.ended[CANCELLED_STATUS];
    if (books.shot > cancelled)
        note_difference(cancelled - books.shot);
}

/* When nobody starts or waits any more. */
static void close_books(bool reaped_by_handler) {
    long before = lost, leaked = books.ended[LEAK_STATUS];
    compare(reaped_by_handler);
    /* Who says that it holds too much does not say whose it is. */
    lost = lost - before > leaked ? lost - leaked : before;
    strange += books.strange;
    exchanged += books.exchanged;
    leaks += leaked;
    memset(&books, 0, sizeof books);
}

#endif
