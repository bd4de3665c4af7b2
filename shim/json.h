/* JSON on one line, put together in memory of fixed size: usable wherever the program happens to be.
 *
 * Strings are bytes that somebody else chose. Control characters, quotes and backslashes are escaped as JSON has it. A
 * byte that is not part of valid UTF-8, and U+001A itself, is written as U+001A followed by two hexadecimal digits, so
 * that every string can be read back byte for byte and none can end its line or its object early. */
#ifndef SHIM_JSON_H
#define SHIM_JSON_H

#include "text.h"

#include <stdbool.h>

/* A comma when something stands before, then "name": */
void json_name(struct text *text, const char *name);

/* A comma unless this is the first element after an opening bracket. */
void json_comma(struct text *text);

/* The string with its quotes, in at most budget bytes of output; when it is cut, false. */
bool json_string(struct text *text, const char *string, size_t budget);

void json_member_string(struct text *text, const char *name, const char *value, size_t budget);
void json_member_number(struct text *text, const char *name, int64_t value);
void json_member_true(struct text *text, const char *name);

#endif
