/* Where records go: AIRLOCK_LOG=FILE, unix:PATH or stderr. */
#ifndef SHIM_LOG_H
#define SHIM_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether AIRLOCK_LOG names a place; cheap, for every spawn asks. */
bool log_is_wanted(void);

/* Whether AIRLOCK_LOG_FDS=1 asks for the descriptors of each child. */
bool log_wants_descriptors(void);

/* How long a record may be, in bytes with its newline, so that one write carries it whole. */
size_t log_record_limit(void);

/* Writes one record in one write. Opens and closes what it needs, waits for nobody, raises no signal, leaves errno
 * alone, and is no cancellation point. What cannot be written is counted as dropped. */
void log_write(const char *record, size_t length);

/* How many records were dropped and not yet told of. A record that tells of them is followed by log_told. */
uint64_t log_dropped(void);
void log_told(uint64_t dropped);

#endif
