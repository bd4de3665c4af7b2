/* What the program itself meant to pass on, as far as its calls show it. */
#ifndef SHIM_INTENT_H
#define SHIM_INTENT_H

#include "request.h"

/* Adds the descriptors of 3 and more that the program has made inheritable by fcntl, ioctl, dup2 or dup3, and that are
 * still the same files and inheritable. */
void intent_keep(const char *rule, struct kept *kept);

/* For the policy that passes on what this process itself was given: remembers what is inheritable now. To be called
 * while the library is loaded, or not at all. */
void inherited_remember(void);

/* Adds what was remembered and is still the same file. */
void inherited_keep(const char *rule, struct kept *kept);

#endif
