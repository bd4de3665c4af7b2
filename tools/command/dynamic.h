/* One ELF object as a loader reads it. */
#ifndef AIRLOCK_COMMAND_DYNAMIC_H
#define AIRLOCK_COMMAND_DYNAMIC_H

#include "object.h"

#include <libelf.h>

/* Reads what elf needs and where that is to be searched, and the calls that it imports and defines, into object.
 * Returns NULL, or in words that follow "it" why nothing can be told. */
const char *dynamic_read(Elf *elf, struct object *object);

#endif
