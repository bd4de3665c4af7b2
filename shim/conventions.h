/* How real programs hand descriptors on to their children: the table of deliberate inheritance. */
#ifndef SHIM_CONVENTIONS_H
#define SHIM_CONVENTIONS_H

#include "request.h"

/* Rows are numbered from 0 in the order of the table. A set of rows has one bit for each. */
int conventions_count(void);

/* The name by which a policy speaks of a row, without blanks: "MAKEFLAGS", "--status-fd", "path". */
const char *conventions_name(int row);

/* The row with this name, or -1. */
int conventions_find(const char *name, size_t length);

/* The set of all rows. */
uint64_t conventions_all(void);

/* The rows that are off unless the policy switches them on. */
uint64_t conventions_off_by_default(void);

/* To be called while the library is loaded: finds the environment that this process was given, and remembers its
 * descriptors, if they are ever to be passed on. */
void conventions_prepare(uint64_t switched_off);

/* Adds to kept the descriptors of 3 and more that the child is meant to have, each with the rule that says so, the
 * strongest rule first. Reads the path, the arguments, the environment and the shell line of the request, which may
 * hold any bytes. Async-signal-safe; touches no errno; the time grows with the length of what is read. */
void conventions_add(const struct request *request, uint64_t switched_off, struct kept *kept);

#endif
